"""The facts of a loop that are known before its first step."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

from pydantic import ValidationError

from lamplighter.client.errors import InputError, whole_number
from lamplighter.contract.recipe import Recipe
from lamplighter.contract.strict_input import explain_validation_error
from lamplighter.runfolder.loop_facts import (
    CONFIG_FACT,
    KEPT_ROWS_FACT,
    MAX_KEPT_ROWS,
    PROBES_FACT,
    ProbedRun,
)
from lamplighter.runfolder.step_numbers import MAX_NUMBER, NUMBERS_FACT, StepNumbers
from lamplighter.wire.token_text import read_tokens
from lamplighter.wire.vocabulary import Vocabulary


@dataclass(frozen=True)
class LoopFacts:
    """The facts of a loop, in the loop's own step numbers."""

    every: int
    """Steps of the loop per recorded step."""
    first_step: int
    """The number of the last step before the record."""
    steps: int | None
    """The number of the last step; None: unknown."""
    config: dict[str, Any] | None
    probes: ProbedRun | None = None
    """The probes that the rows stand for, in a run of hidden states; None in any other run."""
    kept_rows: tuple[int, ...] = ()
    """The ids, ascending, of the rows that are kept of every recorded step."""

    def __post_init__(self) -> None:
        if self.first_step > MAX_NUMBER:
            raise InputError(f"first_step: {self.first_step} is too large: at most {MAX_NUMBER}")
        if self.steps is not None and self.planned_steps() < 1:
            raise InputError(
                f"steps: a loop from step {self.first_step} to {self.steps} has no recorded step"
                f" (every={self.every})"
            )

    def planned_steps(self) -> int:
        return 0 if self.steps is None else self.steps // self.every - self.first_step // self.every

    def numbers(self) -> StepNumbers:
        return StepNumbers([(0, self.first_step, self.every)])

    def as_facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = {"steps": self.planned_steps() or 1, "layers": []}
        if not self.numbers().are_steps:
            facts[NUMBERS_FACT] = self.numbers().stretches
        kept = list(self.kept_rows) or None
        given = {CONFIG_FACT: self.config, PROBES_FACT: self.probes, KEPT_ROWS_FACT: kept}
        return facts | {name: fact for name, fact in given.items() if fact is not None}


def choose_rows(chosen: object, vocabulary: Vocabulary) -> tuple[int, ...]:
    """Return the ids, ascending, of the rows that a loop wants kept at every step. `chosen`: tokens as they
    were given or as people read them, or ids; None: none. Raises InputError if one is unknown, or there are
    too many."""
    if chosen is None:
        return ()
    if isinstance(chosen, str | bytes) or not isinstance(chosen, Iterable):
        raise InputError(f"keep_rows: a list of tokens or ids, not {str(chosen)[:80]!r}")
    wanted: list[Any] = list(islice(cast(Iterable[Any], chosen), MAX_KEPT_ROWS + 1))
    if len(wanted) > MAX_KEPT_ROWS:
        raise InputError(f"keep_rows: at most {MAX_KEPT_ROWS:,} rows; keyframe_every=1 keeps all of them")
    names: dict[str, int] = {}
    if any(isinstance(one, str) for one in wanted):
        for texts in (vocabulary.tokens, read_tokens(vocabulary.tokens)):
            for number, text in enumerate(texts):
                names.setdefault(text, number)
    ids = [
        names.get(one, -1) if isinstance(one, str) else whole_number(one, "keep_rows", least=None)
        for one in wanted
    ]
    for one, number in zip(wanted, ids, strict=True):
        if not 0 <= number < len(vocabulary):
            raise InputError(
                f"keep_rows: {str(one)[:80]!r} is none of the {len(vocabulary):,} tokens, nor an id of one"
            )
    return tuple(sorted(set(ids)))


def displayed_end(step: int) -> int:
    """Return the next of 100, 200, 500, 1000, ...: the end shown for a loop whose length is unknown."""
    scale = 100
    while True:
        for factor in (1, 2, 5):
            if step <= factor * scale:
                return factor * scale
        scale *= 10


def make_recorded_recipe(plan: dict[str, Any], dim: int) -> Recipe:
    """Return the recipe of a recorded run. Raises InputError if a value in `plan` is out of range."""
    try:
        return Recipe.model_validate({**plan, "model": {"dim": dim, "heads": 1}})
    except ValidationError as error:
        raise InputError(explain_validation_error(error)) from error
