"""A cached town equals a generated one, and an invalid file is rejected."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lamplighter.contract.recipe import CorpusRecipe
from lamplighter.corpora import build as corpus_building
from lamplighter.corpora.build import build_cached, build_corpus
from lamplighter.corpora.corpus import Corpus

RECIPE = CorpusRecipe()


@pytest.fixture(scope="module")
def town() -> Corpus:
    return build_corpus(RECIPE, 0)


@pytest.fixture
def built(town: Corpus, monkeypatch: pytest.MonkeyPatch) -> list[tuple[CorpusRecipe, int]]:
    """Return the list of built, not cached, towns; each is the town of seed 0."""
    seen: list[tuple[CorpusRecipe, int]] = []

    def build(recipe: CorpusRecipe, seed: int, progress: object = None) -> Corpus:
        seen.append((recipe, seed))
        return town

    monkeypatch.setattr(corpus_building, "build_corpus", build)
    return seen


def same(one: Corpus, other: Corpus) -> bool:
    assert one.held_out is not None
    assert other.held_out is not None
    return (
        np.array_equal(one.token_ids, other.token_ids)
        and np.array_equal(one.held_out, other.held_out)
        and one.vocabulary.to_json() == other.vocabulary.to_json()
        and one.tokeniser == other.tokeniser
    )


def test_reads_the_same_town_from_the_cache(
    town: Corpus, built: list[tuple[CorpusRecipe, int]], tmp_path: Path
) -> None:
    first, second = (build_cached(RECIPE, 0, folder=tmp_path) for _ in range(2))
    assert same(first, town)
    assert same(second, town)
    assert len(built) == 1
    assert [file.suffix for file in tmp_path.iterdir()] == [".npz"]


def test_seed_recipe_and_libraries_are_part_of_the_key(
    built: list[tuple[CorpusRecipe, int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_cached(RECIPE, 0, folder=tmp_path)
    build_cached(RECIPE, 1, folder=tmp_path)
    build_cached(RECIPE.model_copy(update={"shuffle_words": True}), 0, folder=tmp_path)

    def version(_library: str) -> str:
        return "0"

    monkeypatch.setattr("importlib.metadata.version", version)
    build_cached(RECIPE, 0, folder=tmp_path)
    assert len(built) == 4


@pytest.mark.parametrize("harm", ["cut", "flipped", "empty", "other"])
def test_rebuilds_a_damaged_town(
    town: Corpus, built: list[tuple[CorpusRecipe, int]], tmp_path: Path, harm: str
) -> None:
    build_cached(RECIPE, 0, folder=tmp_path)
    (file,) = tmp_path.iterdir()
    content = bytearray(file.read_bytes())
    if harm == "cut":
        del content[len(content) // 2 :]
    elif harm == "flipped":
        content[len(content) // 2] ^= 1
    elif harm == "empty":
        content.clear()
    if harm == "other":
        np.savez(file, token_ids=np.array([2**31], np.uint32))
    else:
        file.write_bytes(content)
    assert same(build_cached(RECIPE, 0, folder=tmp_path), town)
    assert len(built) == 2


def test_drops_the_oldest_towns(
    built: list[tuple[CorpusRecipe, int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus_building, "MAX_TOWNS", 2)
    for seed in range(4):
        build_cached(RECIPE, seed, folder=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_works_without_a_writable_folder(
    town: Corpus, built: list[tuple[CorpusRecipe, int]], tmp_path: Path
) -> None:
    taken = tmp_path / "file"
    taken.write_text("")
    assert same(build_cached(RECIPE, 0, folder=taken), town)
