"""The price of a question that trains or reads a lot: floating-point operations, by formula, before anything is computed."""

from __future__ import annotations

from lamplighter.model.batches import SAMPLE_TOKENS
from lamplighter.model.flops import count_step_flops
from lamplighter.platform.worker_limits import has_graphics_driver
from lamplighter.questions import (
    BenchQuestion,
    BetterQuestion,
    DecilesQuestion,
    EnvironmentQuestion,
    Question,
    QuestionError,
    SubstitutionQuestion,
)
from lamplighter.recipe import Recipe

MAX_FLOPS = 4e12
"""Most floating-point operations of a question: about two minutes of one core."""
MAX_CARD_FLOPS = 4e14
"""Most of them on a graphics card, for a run that was trained on one, where a driver of one is found."""
BENCH_RULES = 4
"""Trainings of the kind `bench`."""
DECILE_RUNS = 6
"""Trainings of the kind `deciles`: three learning rates of two optimisers."""
_BATCHES_READ = 3
"""Batches that a step of the kind `better` reads besides: its own afterwards, and another one before and after."""
ENVIRONMENT_POINTS = 25
"""Most points at which the kind `environment` reads the text of both towns."""
HOME_STEPS, HOME_POINTS = 100, 10
"""Most steps for which a copy stays at home there, and the points at which it reads its text."""
SUBSTITUTES = 10
"""Words that the kind `substitution` puts in the place of each: the nearest, the tenth nearest, and random ones."""
MAX_POSITIONS = 64
"""Most predictions of a window that it reads: what follows much later says little of one word."""


def require_affordable(recipe: Recipe, vocabulary: int, question: Question, device: str) -> None:
    """Check that a question takes no longer than somebody waits.

    Args:
        recipe: the run's recipe.
        vocabulary: V, the number of tokens.
        question: the question.
        device: the kind of device that the run was trained on. An imported run may name any.

    Raises:
        QuestionError: it takes too much; the message says what to do.
    """
    # A sample of text is some batches long, and is read forward only.
    sample = SAMPLE_TOKENS / recipe.batch_tokens
    steps, read = 0, 0.0
    match question:
        case BenchQuestion():
            steps = BENCH_RULES * question.steps
        case EnvironmentQuestion():
            steps = question.steps + question.back + min(question.steps, HOME_STEPS)
            read = (2 * ENVIRONMENT_POINTS + HOME_POINTS) * sample
        case DecilesQuestion():
            steps = DECILE_RUNS * question.steps
        case BetterQuestion():
            steps = question.steps
            read = (_BATCHES_READ + sample) * steps + sample * question.places
        case SubstitutionQuestion():
            windows = (1 + SUBSTITUTES) * question.words
            read = windows * min(recipe.model.context, MAX_POSITIONS) / recipe.batch_tokens
        case _:
            return
    flops = count_step_flops(recipe, vocabulary, vocabulary)
    total = steps * (flops.forward + flops.backward + flops.update) + read * flops.forward
    # The rules of the bench are timed on a processor, wherever the run was trained; and so is all else without a card here.
    on_card = device != "cpu" and has_graphics_driver() and not isinstance(question, BenchQuestion)
    most = MAX_CARD_FLOPS if on_card else MAX_FLOPS
    if total > most:
        counted = "words" if isinstance(question, SubstitutionQuestion) else "steps"
        work = f"compute {steps:,} steps of this model" if steps else f"read {read:,.0f} batches"
        raise QuestionError(
            f"{counted}: it would {work}, {total:.1g} floating-point operations, and"
            f" at most {most:.0g} are spent on one question: ask for fewer {counted}, or ask a smaller run"
        )
