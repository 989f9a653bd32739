"""The price of a question: what would take too long is refused before it is computed, with a way out."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from lamplighter.contract import questions
from lamplighter.contract.questions import BENCH_RULES, DECILE_RUNS, Question, QuestionError, parse_question
from lamplighter.contract.recipe import Recipe
from lamplighter.examination.kinds.bench.examination import RULES
from lamplighter.examination.kinds.deciles.examination import RATES
from lamplighter.examination.kinds.environment import chosen_steps
from lamplighter.model.batches import SAMPLE_TOKENS
from lamplighter.model.flops import count_step_flops
from lamplighter.processes import asked_question
from lamplighter.processes.asked_question import require_affordable

LARGEST = (
    {"kind": "bench", "steps": 60},
    {"kind": "environment", "steps": 2_000, "back": 500},
    {"kind": "deciles", "steps": 200},
    {"kind": "better", "steps": 40},
    {"kind": "substitution", "words": 500},
)
WIDE = Recipe.model_validate(
    {"model": {"dim": 1_024, "layers": 12, "heads": 16, "context": 512}, "sequences": 32}
)


def question(fields: Mapping[str, object]) -> Question:
    return parse_question({"step": 0, **fields})


@pytest.mark.parametrize("fields", LARGEST)
def test_a_default_run_may_be_asked_everything_and_a_large_model_is_refused(
    fields: Mapping[str, object],
) -> None:
    require_affordable(Recipe(), 2_382, question(fields), "cpu")
    with pytest.raises(QuestionError, match=r"^(steps|words): .*ask for fewer \1"):
        require_affordable(WIDE, 50_000, question(fields), "cpu")


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return where the driver of a graphics card would be."""
    driver = tmp_path / "driver"
    monkeypatch.setattr("lamplighter.platform.worker_limits._GRAPHICS_DRIVERS", (str(driver),))
    return driver


def test_a_graphics_card_computes_more_but_the_bench_is_timed_on_a_processor(card: Path) -> None:
    card.touch()
    few = {"kind": "deciles", "steps": 2}
    with pytest.raises(QuestionError):
        require_affordable(WIDE, 50_000, question(few), "cpu")
    require_affordable(WIDE, 50_000, question(few), "cuda")
    with pytest.raises(QuestionError):
        require_affordable(WIDE, 50_000, question({"kind": "bench", "steps": 10}), "cuda")


def test_an_imported_run_that_names_a_card_is_priced_by_this_machine(card: Path) -> None:
    with pytest.raises(QuestionError, match="4e\\+12"):
        require_affordable(WIDE, 50_000, question({"kind": "environment", "steps": 10, "back": 0}), "cuda")


def test_questions_without_training_are_free() -> None:
    require_affordable(WIDE, 50_000, question({"kind": "batch_sizes"}), "cpu")
    require_affordable(WIDE, 50_000, question({"kind": "deciles", "steps": 0}), "cpu")


def test_a_text_sample_is_many_batches_for_few_tokens() -> None:
    small, better = Recipe(sequences=1, passages=1), question({"kind": "better", "steps": 20})
    large = Recipe(sequences=128)
    flops = [count_step_flops(recipe, 2_382, 2_382) for recipe in (small, large)]
    # Each step reads the text once, and each of four places does so before its first.
    reads = [3 + 1.2 * SAMPLE_TOKENS / recipe.batch_tokens for recipe in (small, large)]
    assert reads[0] > 100
    assert reads[1] == pytest.approx(4.2)
    for recipe, step, read in zip((small, large), flops, reads, strict=True):
        cost = 20 * ((1 + read) * step.forward + step.backward + step.update)
        for limit, refused in ((1.01 * cost, False), (0.99 * cost, True)):
            with pytest.MonkeyPatch.context() as patch, raising(refused):
                patch.setattr(asked_question, "MAX_FLOPS", limit)
                require_affordable(recipe, 2_382, better, "cpu")


def test_steps_at_home_are_paid_for_beside_those_in_the_other_town() -> None:
    recipe, flops = Recipe(), count_step_flops(Recipe(), 2_382, 2_382)
    sample = SAMPLE_TOKENS / recipe.batch_tokens
    for steps, home in ((30, 30), (600, 100)):
        cost = (steps + 20 + home) * (flops.forward + flops.backward + flops.update)
        cost += (2 * questions.ENVIRONMENT_POINTS + questions.HOME_POINTS) * sample * flops.forward
        moving = question({"kind": "environment", "steps": steps, "back": 20})
        for limit, refused in ((1.001 * cost, False), (0.999 * cost, True)):
            with pytest.MonkeyPatch.context() as patch, raising(refused):
                patch.setattr(asked_question, "MAX_FLOPS", limit)
                require_affordable(recipe, 2_382, moving, "cpu")


def test_the_points_that_are_paid_for_are_as_many_as_are_read() -> None:
    assert len(chosen_steps(2_000, 500)) <= questions.ENVIRONMENT_POINTS


def raising(refused: bool) -> AbstractContextManager[object]:
    return pytest.raises(QuestionError) if refused else nullcontext()


def test_the_trainings_that_are_paid_for_are_those_that_are_made() -> None:
    assert len(RULES) == BENCH_RULES
    assert sum(map(len, RATES.values())) == DECILE_RUNS
