"""The price of a question in floating-point operations, computed by formula before any work."""

from __future__ import annotations

from lamplighter.contract.questions import Question, QuestionError
from lamplighter.contract.reason import give_reason
from lamplighter.contract.recipe import Recipe
from lamplighter.model.batches import SAMPLE_TOKENS
from lamplighter.model.flops import count_step_flops
from lamplighter.platform.worker_limits import has_graphics_driver

MAX_FLOPS = 4e12
"""Maximum floating-point operations of a question: about two minutes on one core."""
MAX_CARD_FLOPS = 4e14
"""Maximum floating-point operations of a question to a run trained on a graphics card whose driver is found."""


def require_affordable(recipe: Recipe, vocabulary: int, question: Question, device: str) -> None:
    """Check that a question does not take too long.

    Args:
        recipe: the run's recipe.
        vocabulary: V, the number of tokens.
        question: the question.
        device: the kind of device that the run was trained on; untrusted for an imported run.

    Raises:
        QuestionError: it takes too long; the message says what to do.
    """
    # A text sample is some batches long, and is read forward only.
    work = question.work(recipe, SAMPLE_TOKENS / recipe.batch_tokens)
    # A model that is read has its whole softmax.
    whole = recipe.model_copy(update={"model": recipe.model.model_copy(update={"negatives": None})})
    flops = count_step_flops(whole, vocabulary, vocabulary)
    total = work.steps * (flops.forward + flops.backward + flops.update) + work.read * flops.forward
    # Without a card here everything is computed on the CPU, wherever the run was trained.
    on_card = device != "cpu" and has_graphics_driver() and not question.on_processor
    most = MAX_CARD_FLOPS if on_card else MAX_FLOPS
    if total > most:
        counted = question.counted
        told = (
            f"compute {work.steps:,} steps of this model" if work.steps else f"read {work.read:,.0f} batches"
        )
        raise QuestionError(
            f"{counted}: it would {told}, {total:.1g} floating-point operations, and"
            f" at most {most:.0g} are spent on one question: ask for fewer {counted}, or ask a smaller run",
            give_reason("question_too_long", operations=total, most=most),
        )
