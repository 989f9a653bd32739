"""Districts that keep their numbers while the map moves, and their labels."""

from __future__ import annotations

import numpy as np
import pytest

from lamplighter.geometry.neighbours import all_nearest
from lamplighter.projection.districts.labels import DistrictNamer
from lamplighter.projection.districts.tracker import (
    NEIGHBOURS,
    DistrictChange,
    DistrictTracker,
    find_clusters,
)
from lamplighter.wire.district_frames import Districts
from lamplighter.wire.vocabulary import Vocabulary

DIM = 24


def towns(*sizes: int, strays: int = 40, spread: float = 0.25, seed: int = 0) -> np.ndarray:
    """Return clusters of the given sizes, each around a different direction, and some stray tokens."""
    rng = np.random.default_rng(seed)
    centres = np.linalg.qr(rng.normal(size=(DIM, DIM)))[0]
    parts = [centres[i] + spread * rng.normal(size=(n, DIM)) / np.sqrt(DIM) * 2 for i, n in enumerate(sizes)]
    return np.vstack([*parts, rng.normal(size=(strays, DIM))]).astype(np.float32)


def vocabulary(size: int, classes: dict[str, tuple[int, ...]] | None = None) -> Vocabulary:
    counts = np.arange(size, 0, -1, dtype=np.int64) + 5
    return Vocabulary(tuple(f"word{i}" for i in range(size)), counts, classes or {})


def look(
    tracker: DistrictTracker, vectors: np.ndarray, times: int = 1, *, final: bool = False
) -> tuple[dict[int, set[int]], dict[int, str], list[DistrictChange]]:
    seen: list[DistrictChange] = []
    members: dict[int, np.ndarray] = {}
    names: dict[int, str] = {}
    for _ in range(times):
        members, names, changes = tracker.detect(vectors, *all_nearest(vectors, NEIGHBOURS), final=final)
        seen += changes
    return {known: set(some.tolist()) for known, some in members.items()}, names, seen


def test_finds_clusters_and_leaves_out_strays() -> None:
    vectors = towns(30, 20, 12)
    labels = find_clusters(*all_nearest(vectors, NEIGHBOURS))
    found = {frozenset(np.flatnonzero(labels == n).tolist()) for n in range(labels.max() + 1)}
    for first, last in ((0, 30), (30, 50), (50, 62)):
        assert any(len(some & set(range(first, last))) >= 0.8 * (last - first) for some in found)
    assert (labels[62:] == -1).mean() > 0.5


def test_a_random_space_has_no_districts() -> None:
    vectors = np.random.default_rng(1).normal(size=(1500, 48)).astype(np.float32)
    tracker = DistrictTracker(vocabulary(1500))
    assert look(tracker, vectors, 3) == ({}, {}, [])


def test_a_district_needs_two_observations() -> None:
    tracker = DistrictTracker(vocabulary(102))
    vectors = towns(30, 20, 12)
    assert look(tracker, vectors)[0] == {}
    members, _, changes = look(tracker, vectors)
    assert len(members) == 3
    assert [change.kind for change in changes] == ["district-born"] * 3


def test_a_district_keeps_its_id_and_name_while_it_grows_and_moves() -> None:
    vectors = towns(30, 20, 12, strays=60)
    tracker = DistrictTracker(vocabulary(len(vectors)))
    before, names, _ = look(tracker, vectors, 2)
    largest = max(before, key=lambda known: len(before[known]))
    turned = vectors @ np.linalg.qr(np.random.default_rng(5).normal(size=(DIM, DIM)))[0].astype(np.float32)
    # Five of the strays join a district.
    turned[62:67] = turned[:5] * np.float32(1.01)
    after, named, changes = look(tracker, turned, 2)
    assert set(after) == set(before)
    assert after[largest] >= before[largest] | set(range(62, 67))
    assert named == names
    assert changes == []


def test_removes_a_district_missing_twice() -> None:
    vectors = towns(30, 20, 12)
    tracker = DistrictTracker(vocabulary(102))
    before, names, _ = look(tracker, vectors, 2)
    gone = next(known for known, some in before.items() if 45 in some)
    scattered = vectors.copy()
    scattered[30:50] = np.random.default_rng(9).normal(size=(20, DIM))
    members, _, changes = look(tracker, scattered)
    assert gone in members
    assert changes == []
    members, _, changes = look(tracker, scattered)
    assert gone not in members
    assert [change.kind for change in changes] == ["district-gone"]
    assert names[gone] in changes[0].message
    # Its id is never used for another district.
    again, _, _ = look(tracker, vectors, 2)
    assert set(again) - set(members) == {tracker.next_id - 1}
    assert tracker.next_id - 1 > gone


def test_districts_merge_and_split() -> None:
    vectors = towns(30, 20, 16)
    tracker = DistrictTracker(vocabulary(106))
    before, _, _ = look(tracker, vectors, 2)
    one = next(known for known, some in before.items() if 5 in some)
    other = next(known for known, some in before.items() if 35 in some)
    joined = vectors.copy()
    rng = np.random.default_rng(3)
    joined[:50] = joined[0] + 0.2 * rng.normal(size=(50, DIM)) / np.sqrt(DIM)
    members, _, changes = look(tracker, joined, 3)
    assert [change.kind for change in changes] == ["district-merged"]
    assert len({one, other} & set(members)) == 1
    heir = one if one in members else other
    assert len(members[heir]) >= 40
    members, _, changes = look(tracker, vectors, 3)
    assert [change.kind for change in changes] == ["district-split"]
    assert len(members) == 3
    assert heir in members


def test_does_not_report_a_district_that_ends_as_it_begins() -> None:
    vectors = towns(60, 20, spread=0.1)
    tracker = DistrictTracker(vocabulary(len(vectors)))
    look(tracker, vectors, 2)
    apart = vectors.copy()
    # Nine leave together; then their old district is missed once, which keeps all its members.
    apart[:9] = towns(1, 1, 9, strays=0, spread=0.1)[2:]
    look(tracker, apart)
    apart[9:60] = np.random.default_rng(4).normal(size=(51, DIM))
    next_id = tracker.next_id
    members, _, changes = look(tracker, apart)
    assert tracker.next_id > next_id
    assert next_id not in members
    assert changes == []


def test_describes_changes_in_the_words_of_the_page() -> None:
    vectors = towns(30, 20, 12)
    members, names, changes = look(DistrictTracker(vocabulary(len(vectors))), vectors, 2)
    assert [change.message for change in changes] == [
        f"A neighbourhood came together: {names[known]}, {len(members[known])} words." for known in members
    ]


def test_names_use_majority_classes_or_central_tokens() -> None:
    vectors = towns(30, 20, 12)
    classes = {"animals": tuple(range(26)), "odds": (30, 31, 50), "colours": tuple(range(90, 96))}
    tracker = DistrictTracker(vocabulary(102, classes))
    members, names, _ = look(tracker, vectors, 2)
    by_first = {min(some): names[known] for known, some in members.items()}
    assert by_first[min(by_first)] == "animals"
    others = [name for name in names.values() if name != "animals"]
    assert len(others) == 2
    for name in others:
        words = name.split(" · ")
        assert len(words) == 3
        known = next(known for known, other in names.items() if other == name)
        assert {int(word.removeprefix("word")) for word in words} <= members[known]


def test_two_districts_of_one_class_have_two_names() -> None:
    vectors = towns(30, 20)
    tracker = DistrictTracker(vocabulary(90, {"animals": tuple(range(50))}))
    _, names, _ = look(tracker, vectors, 2)
    assert len(set(names.values())) == 2
    assert sorted(name.split(":")[0] for name in names.values()) == ["animals", "animals"]


def test_continues_from_an_earlier_process() -> None:
    vectors = towns(30, 20, 12)
    tracker = DistrictTracker(vocabulary(102))
    members, names, _ = look(tracker, vectors, 2)
    of = np.zeros(102, dtype=np.uint16)
    for place, some in enumerate(members.values(), 1):
        of[sorted(some)] = place
    kept = Districts(1, 9, 1.0, np.array(list(members), np.uint32), tuple(names.values()), of)
    fresh = DistrictTracker(vocabulary(102), kept, tracker.next_id)
    assert look(fresh, vectors) == (members, names, [])


@pytest.mark.parametrize("size", [1, 2, 3, 10, 15])
def test_a_tiny_vocabulary_has_no_districts(size: int) -> None:
    vectors = np.random.default_rng(0).normal(size=(size, 4)).astype(np.float32)
    assert look(DistrictTracker(vocabulary(size)), vectors, 2, final=True) == ({}, {}, [])


def test_handles_duplicates_and_zero_rows() -> None:
    vectors = towns(30, 20, 12)
    vectors[:30] = vectors[0]
    vectors[80:] = 0
    members, _, _ = look(DistrictTracker(vocabulary(102)), vectors, 2)
    assert any(some >= set(range(25)) for some in members.values())
    assert all(not some & set(range(80, 102)) for some in members.values())


TOKENS = ("Ġ", "!", "Ġof", "Ġthe", "Ġdog", "ing", "Ġ(", "ĠcafÃ©")


def name(counts: list[int]) -> str:
    """Return the name of a district of all tokens, of which the last ones are the most central."""
    angles = np.array([0.9, -0.9, 0.6, -0.6, 0.4, -0.4, 0.2, 0])
    units = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    namer = DistrictNamer(Vocabulary(TOKENS, np.array(counts, dtype=np.int64)))
    return namer.assign_names({1: np.arange(len(TOKENS))}, units)[1]


def test_names_a_district_by_central_words_without_counts() -> None:
    assert set(name([0] * len(TOKENS)).split(" · ")) == {"café", "dog", "-ing"}


def test_names_use_readable_words() -> None:
    assert set(name([9, 9, 900, 800, 700, 1, 1, 1]).split(" · ")) == {"of", "the", "dog"}


def test_a_class_name_has_the_form_that_the_page_recognises() -> None:
    # The page renames each district whose name is a class, or begins with one and ": ".
    classes = {"animals": (0, 1, 2, 3, 4, 5), "colours": (6, 7, 8, 9)}
    tokens = ("dog", "cat", "cow", "horse", "sheep", "goat", "red", "blue", "green", "grey")
    vocabulary = Vocabulary(tokens, np.arange(10, 0, -1), classes)
    units = np.eye(10, dtype=np.float32)[:, :4] + 0.1
    members = {1: np.array([0, 1, 2]), 2: np.array([3, 4, 5]), 3: np.array([0, 1, 6, 7, 8, 9])}
    found = DistrictNamer(vocabulary).assign_names(members, units)
    assert sorted((found[1], found[2]), key=len)[0] == "animals"
    assert sorted((found[1], found[2]), key=len)[1].startswith("animals: ")
    assert found[3] == "colours"
    mixed = DistrictNamer(vocabulary).assign_names({4: np.array([0, 1, 6, 7])}, units)[4]
    assert sorted(mixed.split(" · ")) == sorted(set(mixed.split(" · ")) & set(tokens))
