"""The lines of a model in training: when it speaks, its prompts, and reproducibility."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from lamplighter.contract.recipe import ModelRecipe, Recipe
from lamplighter.model.learner import Learner, build_learner
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.lines import SpokenLine
from lamplighter.training.corpus_setup import prepare_corpus
from lamplighter.training.lines import LINE_WORDS, LineSpeaker, resolve_prompts
from tests.support.runs import small_recipe, small_text

V = 20
RECIPE = Recipe(model=ModelRecipe(dim=8, heads=2, layers=1, context=6))
PROMPTS = [(1, 2), (3,), (4, 5, 6)]


@pytest.fixture(scope="module")
def learner() -> Learner:
    return build_learner(RECIPE, V, torch.device("cpu"))


def test_speaks_often_at_first_and_rarely_later(learner: Learner) -> None:
    speaker = LineSpeaker(RECIPE, PROMPTS[:1])
    spoken = [step for step in range(1_001) if speaker.speak(learner, step)]
    assert spoken == [0, 1, 2, 5, 10, 20, 50, 100, 250, 500, 750, 1_000]


@pytest.mark.parametrize(
    ("prompts", "expected"),
    [
        (PROMPTS, [((1, 2), False), ((3,), False), ((4, 5, 6), True), ((1, 2), True)]),
        (PROMPTS[:2], [((1, 2), False), ((3,), False), ((1, 2), True), ((3,), True)]),
        (PROMPTS[:1], [((1, 2), False), ((1, 2), True), ((1, 2), True)]),
        ([*PROMPTS, (7,)], [((1, 2), False), ((3,), False), ((4, 5, 6), True), ((7,), True)]),
        ([], []),
    ],
)
def test_every_prompt_is_continued(
    learner: Learner, prompts: list[tuple[int, ...]], expected: list[tuple[tuple[int, ...], bool]]
) -> None:
    lines = LineSpeaker(RECIPE, prompts).speak(learner, 0)
    assert [(line.prompt, line.sampled) for line in lines] == expected
    assert all(len(line.words) == len(line.probabilities) == LINE_WORDS for line in lines)


def said(learner: Learner, step: int, seed: int = 0) -> list[SpokenLine]:
    return LineSpeaker(RECIPE.model_copy(update={"seed": seed}), PROMPTS).speak(learner, step)


def test_lines_of_a_step_are_reproducible(learner: Learner) -> None:
    assert said(learner, 5) == said(learner, 5)
    later, other_seed = said(learner, 10), said(learner, 5, seed=1)
    for changed in (later, other_seed):
        # The model is the same; only the random numbers differ.
        assert changed[:2] == said(learner, 5)[:2]
        assert changed[2].words != said(learner, 5)[2].words
    sampled_alike = LineSpeaker(RECIPE, PROMPTS[:1]).speak(learner, 5)[1:]
    assert sampled_alike[0].words != sampled_alike[1].words, "two lines of one prompt share random numbers"


def test_a_model_that_is_not_finite_says_nothing() -> None:
    broken = build_learner(RECIPE, V, torch.device("cpu"))
    with torch.no_grad():
        broken.model.embedding.weight.fill_(float("nan"))
    assert said(broken, 5) == []


def test_prompts_are_chosen_once(tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(small_recipe(prompts=["no such words"]), small_text())
    prepare_corpus(run)
    chosen = resolve_prompts(run, {})
    assert len(chosen) == 1
    assert all(0 < token < len(run.vocabulary) for token in chosen[0])
    facts = json.loads(json.dumps({"prompts": [[5], [7, 8]]}))
    assert resolve_prompts(run, facts) == [(5,), (7, 8)]
    with pytest.raises(FormatError):
        resolve_prompts(run, {"prompts": [[len(run.vocabulary)]]})


@pytest.mark.parametrize("change", ["missing", "damaged"])
def test_speaks_without_a_tokeniser(tmp_path: Path, change: str) -> None:
    run = RunStore(tmp_path).create(small_recipe(), small_text())
    prepare_corpus(run)
    expected = resolve_prompts(run, {})
    file = run.path / "tokeniser.json"
    file.unlink()
    if change == "damaged":
        file.write_bytes(b"\xff{")
    del run.__dict__["tokeniser"]
    assert resolve_prompts(run, {}) == expected
    assert len(np.unique([prompt[0] for prompt in expected])) == 3
