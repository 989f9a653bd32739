from __future__ import annotations

import numpy as np

from lamplighter.projection.districts.labels import DistrictNamer
from lamplighter.wire.vocabulary import Vocabulary

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
