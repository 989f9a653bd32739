"""A large vocabulary: its landmarks are laid out, the others placed by them, and trust is told for both.

The steps that the map draws before the newest, and the limit of their delay.
The source of nearest neighbours for judging a map: the method's, computed ones, or none yet.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import lamplighter
from lamplighter.geometry.neighbours import nearest_rows, row_digests
from lamplighter.projection.joint_layouts import reproject
from lamplighter.projection.landmarks import LandmarkIndex
from lamplighter.projection.projector import Projector
from lamplighter.projection.projector_process import MAX_STEPS, MissedSteps, ProjectorProcess, spaced_steps
from lamplighter.projection.quality import NEIGHBOURS_USED, NeighbourSource
from lamplighter.runfolder import landmarks, run_folder
from lamplighter.runfolder.landmarks import choose_landmarks, describe_landmarks
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader, LayoutsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import decode_as
from lamplighter.wire.layout_frames import Layout, Method
from lamplighter.wire.vocabulary import Vocabulary
from living_map import trust
from living_map.trust import TrustProbe
from tests.support.moving_towns import diameter, town
from tests.support.synthetic_runs.growing_run import GrowingRun

V, L, CLASSES = 300, 90, 10
MARKS = np.sort(np.random.default_rng(5).permutation(V)[:L])


@pytest.fixture
def vocabulary(monkeypatch: pytest.MonkeyPatch) -> Vocabulary:
    """Return a vocabulary whose counts make `MARKS` its landmarks, and let a small one count as large."""
    monkeypatch.setattr(landmarks, "MIN_TOKENS", V)
    monkeypatch.setattr(landmarks, "LANDMARKS", L)
    for name, value in (("MIN_TOKENS", V), ("LANDMARKS", L), ("MIN_LANDMARKS", L)):
        monkeypatch.setattr(run_folder, name, value)
    monkeypatch.setattr(trust, "MAX_COPIED", 0)
    counts = np.where(np.isin(np.arange(V), MARKS), 9, 1)
    return Vocabulary(tuple(f"token{n}" for n in range(V)), counts)


def test_the_most_frequent_tokens_are_landmarks(vocabulary: Vocabulary) -> None:
    np.testing.assert_array_equal(choose_landmarks(vocabulary), MARKS)
    assert "90 most frequent tokens, and places the other 210 beside" in describe_landmarks(vocabulary)
    unknown = Vocabulary(vocabulary.tokens, np.zeros(V, np.int64))
    np.testing.assert_array_equal(choose_landmarks(unknown), np.arange(L))
    assert "with the lowest ids" in describe_landmarks(unknown)


def test_a_smaller_vocabulary_is_laid_out_whole() -> None:
    small = Vocabulary(("a", "b", "c"), np.ones(3, np.int64))
    assert choose_landmarks(small) is None
    assert describe_landmarks(small) == ""


def test_every_token_finds_its_nearest_landmarks_as_it_moves() -> None:
    vectors, index = town(V), LandmarkIndex(MARKS)
    for moved in ([], [MARKS[0]], np.setdiff1d(np.arange(V), MARKS)[:20]):
        vectors[moved] += np.random.default_rng(1).normal(size=(len(moved), 16)).astype(np.float32)
        index.update(vectors)
        for token in (int(MARKS[3]), int(np.setdiff1d(np.arange(V), MARKS)[3])):
            among = np.unique([*MARKS, token])
            near, cosines = nearest_rows(vectors[among], np.array([np.searchsorted(among, token)]), 5)
            if MARKS[0] not in index.ids[token, :5]:
                np.testing.assert_array_equal(index.ids[token, :5], among[near[0]])
                np.testing.assert_allclose(index.cosines[token, :5], cosines[0], atol=1e-5)


def test_a_token_between_two_islands_is_placed_on_the_nearer() -> None:
    index = LandmarkIndex(np.arange(60))
    index.ids = np.tile(np.array([[0, 1, 30, 2, 31, 3]], np.int32), (61, 1))
    index.cosines = np.tile(np.array([[0.9, 0.8, 0.7, 0.6, 0.5, 0.1]], np.float32), (61, 1))
    shown = np.concatenate((np.zeros((30, 2)), np.full((30, 2), 100))).astype(np.float32)
    places = index.place(shown)
    np.testing.assert_allclose(places[60], [0, 0], atol=1e-5)
    np.testing.assert_array_equal(places[:60], shown)


def test_a_large_space_is_measured_like_any_other(
    vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors, places = town(V), np.random.default_rng(0).normal(size=(V, 2)).astype(np.float32)
    large, copied = TrustProbe(V), TrustProbe(V)
    for _ in range(2):
        large.set_space(vectors)
        with monkeypatch.context() as patched:
            patched.setattr(trust, "MAX_COPIED", vectors.size)
            copied.set_space(vectors)
        one, other = large.estimate(places), copied.estimate(places)
        assert one.trust == pytest.approx(other.trust, abs=1e-6)
        vectors[7] += 1


def test_one_changed_bit_changes_a_rows_digest() -> None:
    vectors = town(V)
    before = row_digests(vectors)
    vectors.view(np.uint32)[3, 5] ^= 1
    vectors[9, [0, 1]] = vectors[9, [1, 0]]
    np.testing.assert_array_equal(np.flatnonzero(row_digests(vectors) != before), [3, 9])


def test_the_map_of_a_large_vocabulary_is_drawn_and_its_trust_told(
    vocabulary: Vocabulary, tmp_path: Path
) -> None:
    vectors, path = town(V), tmp_path / "layouts.sqlite"
    with LayoutsWriter(path) as writer, LayoutsReader(path) as reader:
        projector = Projector(writer, reader, V, None, vocabulary, MARKS)
        projector.start_map()
        while projector.needs_frame(1, 0):
            projector.project_step(vectors, 1, 0, over=True)
        record = reader.last_written(Method.UMAP)
        facts = reader.facts()["landmarks"]
    assert record is not None
    layout = decode_as(record, Layout)
    assert facts["tokens"] == L
    assert min(facts["laid_out"], facts["placed"]) > 0.9
    others = np.setdiff1d(np.arange(V), MARKS)
    centres = np.stack([layout.coordinates[MARKS[n == MARKS % CLASSES]].mean(axis=0) for n in range(CLASSES)])
    away = np.linalg.norm(layout.coordinates[others, None] - centres[None], axis=2)
    assert (away.argmin(axis=1) == others % CLASSES).mean() > 0.95
    assert away.min(axis=1).max() < diameter(layout.coordinates) / 4
    assert layout.by_token is not None
    assert layout.by_token[others].mean() > 200


def test_a_series_of_large_tables_is_laid_out_jointly(vocabulary: Vocabulary, tmp_path: Path) -> None:
    first = town(V)
    tables = [first, first + np.random.default_rng(2).normal(scale=0.01, size=first.shape).astype(np.float32)]
    run = lamplighter.series(tmp_path / "runs" / "large", tables, vocabulary.tokens, maps=False)
    assert "lays out the 90 tokens" in run.status.message
    found = reproject(RunFolder(run.folder), lambda _share, _what: None)
    assert found.steps == 2
    assert found.trust > 0.9


def test_landmarks_are_chosen_by_norm_or_by_a_file(vocabulary: Vocabulary, tmp_path: Path) -> None:
    vectors, folder = town(V), tmp_path / "runs"
    longest = np.setdiff1d(np.arange(V), MARKS)[:L]
    vectors[longest] *= 100
    run = lamplighter.still(folder / "norm", vectors, vocabulary.tokens, landmarks="norm")
    np.testing.assert_array_equal(RunFolder(run.folder).landmarks, longest)
    assert "90 tokens with the longest rows, and places the other 210" in run.status.message
    words = tmp_path / "words.txt"
    words.write_text("\n".join([*(vocabulary.tokens[at] for at in MARKS[:80]), "no such word", ""]))
    with pytest.raises(lamplighter.InputError, match=r"words\.txt: it names 80 of the tokens"):
        lamplighter.still(folder / "few", vectors, vocabulary.tokens, landmarks=words)
    assert not (folder / "few").exists()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(landmarks, "MIN_LANDMARKS", 40)
        patched.setattr(run_folder, "MIN_LANDMARKS", 40)
        run = lamplighter.still(folder / "file", vectors, vocabulary.tokens, landmarks=words)
        np.testing.assert_array_equal(RunFolder(run.folder).landmarks, MARKS[:80])
        assert "80 tokens of words.txt" in run.status.message


def test_a_small_vocabulary_has_no_landmarks_to_choose(tmp_path: Path) -> None:
    with pytest.raises(lamplighter.InputError, match="300 tokens are all laid out"):
        lamplighter.still(tmp_path / "a", town(V), [str(at) for at in range(V)], landmarks="norm")


def test_the_projector_lays_out_what_was_chosen(vocabulary: Vocabulary, tmp_path: Path) -> None:
    run = lamplighter.still(tmp_path / "runs" / "norm", town(V), vocabulary.tokens, landmarks="norm")
    ProjectorProcess(RunFolder(run.folder), once=True).run()
    with LayoutsReader(RunFolder(run.folder).layouts_path) as reader:
        assert reader.facts()["landmarks"]["tokens"] == L


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def drawn(run: GrowingRun, missed: MissedSteps, newest: int, clock: Clock, frame: float = 0.0) -> list[int]:
    """Return the steps drawn before the newest, if each frame takes `frame` seconds."""
    steps: list[int] = []
    with StepsReader(run.folder.steps_path) as reader:
        while (matrix := missed.next_matrix(reader, newest)) is not None:
            np.testing.assert_array_equal(matrix.vectors, run.history[matrix.step])
            steps.append(matrix.step)
            clock.now += frame
    return steps


def test_draws_the_first_matrix_then_some_steps_in_order(tmp_path: Path) -> None:
    run, clock = GrowingRun(tmp_path, size=20), Clock()
    run.grow(87)
    steps = drawn(run, MissedSteps(run.folder, clock=clock), 87, clock)
    assert steps[0] == 0
    assert steps[-1] == 87
    assert len(steps) == 1 + MAX_STEPS
    # Evenly: gaps differ by at most one step.
    assert set(np.diff(steps)) == {4, 5}
    run.writer.close()


def test_draws_all_of_a_few_steps(tmp_path: Path) -> None:
    run, clock = GrowingRun(tmp_path, size=20), Clock()
    missed = MissedSteps(run.folder, clock=clock)
    with StepsReader(run.folder.steps_path) as reader:
        first = missed.next_matrix(reader, 0)
        assert first is not None
        assert first.step == 0
        # Steps that pass during drawing are missed too.
        run.grow(3)
    assert drawn(run, missed, 3, clock) == [1, 2, 3]
    run.writer.close()


def test_delays_the_newest_by_a_bounded_time(tmp_path: Path) -> None:
    run, clock = GrowingRun(tmp_path, size=20), Clock()
    run.grow(80)
    missed = MissedSteps(run.folder, seconds=1.0, clock=clock)
    # The first layout may take any time, since the newest step would have to wait for its own too.
    with StepsReader(run.folder.steps_path) as reader:
        missed.next_matrix(reader, 80)
    clock.now += 60
    begun = clock.now
    steps = drawn(run, missed, 80, clock, frame=0.3)
    assert steps == [4, 8, 12]
    assert clock.now - begun <= 1.0
    run.writer.close()


def test_draws_each_keyframe_once_without_rows(tmp_path: Path) -> None:
    run, clock = GrowingRun(tmp_path, size=20, dense=True, keyframe_every=20), Clock()
    run.grow(65)
    assert drawn(run, MissedSteps(run.folder, clock=clock), 60, clock) == [0, 20, 40, 60]
    run.writer.close()


def test_a_new_attempt_begins_with_the_same_matrix(tmp_path: Path) -> None:
    run, clock = GrowingRun(tmp_path, size=20), Clock()
    run.grow(30)
    missed = MissedSteps(run.folder, clock=clock)
    with StepsReader(run.folder.steps_path) as reader:
        missed.next_matrix(reader, 30)
        run.resume_from(12)
        run.grow(5)
    assert drawn(run, missed, 17, clock) == list(range(1, 18))
    run.writer.close()


def test_spaced_steps() -> None:
    assert spaced_steps(0, 0) == []
    assert spaced_steps(0, 2) == [1, 2]
    assert spaced_steps(0, 2000) == list(range(100, 2001, 100))


def vectors(count: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.default_rng(0).standard_normal((count, 3)).astype(np.float32)


def method_with(count: int, width: int) -> Any:
    """Return a method with neighbours that a search would not find."""
    ids = np.full((count, width), 7, dtype=np.int32)
    return SimpleNamespace(nearest=(ids, np.full((count, width), 0.5, dtype=np.float32)))


def test_searches_only_small_vocabularies_before_compilation():
    found = NeighbourSource().find(vectors(50), None)
    assert found is not None
    ids, cosines = found
    assert ids.shape == cosines.shape == (50, NEIGHBOURS_USED)
    units = vectors(50) / np.linalg.norm(vectors(50), axis=1, keepdims=True)
    likeness = units @ units.T
    np.fill_diagonal(likeness, -2)
    np.testing.assert_array_equal(ids[:, 0], likeness.argmax(axis=1))
    assert NeighbourSource().find(vectors(5_001), None) is None


@pytest.mark.parametrize(("count", "width", "used"), [(60, 39, 39), (60, 50, 39), (4, 3, 3)])
def test_uses_the_methods_neighbours_without_a_search(count: int, width: int, used: int):
    found = NeighbourSource().find(vectors(count), method_with(count, width))
    assert found is not None
    assert found[0].shape == found[1].shape == (count, used)
    assert (found[0] == 7).all()


def test_two_tokens_have_no_neighbours_to_judge():
    assert NeighbourSource().find(vectors(2), method_with(2, 1)) is None
