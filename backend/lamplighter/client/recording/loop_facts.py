"""The facts of a loop that are known before its first step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from lamplighter.client.errors import InputError
from lamplighter.contract.recipe import Recipe
from lamplighter.contract.strict_input import explain_validation_error
from lamplighter.runfolder.loop_facts import CONFIG_FACT, PROBES_FACT, ProbedRun
from lamplighter.runfolder.step_numbers import MAX_NUMBER, NUMBERS_FACT, StepNumbers


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

    def __post_init__(self) -> None:
        if self.first_step > MAX_NUMBER:
            raise InputError(f"first_step: {self.first_step} is too large: at most {MAX_NUMBER}")
        if self.steps is not None and self.planned_steps() < 1:
            raise InputError(
                f"steps: a loop from step {self.first_step} to {self.steps} has no recorded step"
                f" (every={self.every})"
            )

    def planned_steps(self) -> int:
        """Return the number of steps that will be recorded; 0: unknown."""
        return 0 if self.steps is None else self.steps // self.every - self.first_step // self.every

    def numbers(self) -> StepNumbers:
        return StepNumbers([(0, self.first_step, self.every)])

    def as_facts(self) -> dict[str, Any]:
        """Return the initial facts of a run about its loop."""
        facts: dict[str, Any] = {"steps": self.planned_steps() or 1, "layers": []}
        if not self.numbers().are_steps:
            facts[NUMBERS_FACT] = self.numbers().stretches
        given = {CONFIG_FACT: self.config, PROBES_FACT: self.probes}
        return facts | {name: fact for name, fact in given.items() if fact is not None}


def displayed_end(step: int) -> int:
    """Return the next of 100, 200, 500, 1000, ...: the end shown for a loop whose length is unknown."""
    scale = 100
    while True:
        for factor in (1, 2, 5):
            if step <= factor * scale:
                return factor * scale
        scale *= 10


def make_recorded_recipe(plan: dict[str, Any], dim: int) -> Recipe:
    """Return the recipe of a recorded run.

    Raises:
        InputError: a value in `plan` is out of range.
    """
    try:
        return Recipe.model_validate({**plan, "model": {"dim": dim, "heads": 1}})
    except ValidationError as error:
        raise InputError(explain_validation_error(error)) from error
