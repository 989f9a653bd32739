"""The parent of a fork, as it is read when the fork is made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from lamplighter.contract.reason import give_reason
from lamplighter.contract.recipe import Recipe
from lamplighter.contract.sentences import say
from lamplighter.forks.errors import ForkError, ParentNotReadyError
from lamplighter.processes.kept_states import list_kept_states
from lamplighter.runfolder.reading.current_map import (
    layouts_on_lineage,
    newest_layout_entry,
    read_map_settings,
)
from lamplighter.runfolder.reading.learning_rates import rates_of_steps
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import PLACED_FACT, LayoutsReader
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import decode_as
from lamplighter.wire.layout_frames import Layout, Method
from lamplighter.wire.pulse_frames import Pulse

MAX_REPLAYED_STEPS = 100_000
"""Maximum steps that a fork computes again; a run with waypoints needs a few hundred."""
_TIMED_STEPS = 50


@dataclass(frozen=True)
class KeptState:
    """A state of the parent's model."""

    step: int
    path: Path | None
    """Its file; None for the recipe's initial state."""


class Parent:
    """A run at the step at which it is forked."""

    def __init__(self, run: RunFolder, step: int) -> None:
        """Open the record of the run, or raise ForkError if it cannot be forked at this step."""
        if run.recipe.corpus.kind == "recorded":
            raise ForkError(
                f"{run.id} was recorded from a client's training loop: it cannot be trained here",
                reason=give_reason("recorded_elsewhere"),
            )
        not_begun = ParentNotReadyError(
            f"{run.id} has not begun: it can be forked once it has", reason=give_reason("run_not_begun")
        )
        if not run.is_prepared or run.start_path.exists():
            raise not_begun
        self.run, self.step = run, step
        try:
            self._reader = StepsReader(run.steps_path)
        except FileNotFoundError:
            raise not_begun from None
        try:
            self._lineage = self._reader.lineage()
            _, newest = self._reader.newest_step()
            if not self._lineage:
                raise not_begun
            if not 0 <= step <= newest:
                raise ForkError(
                    f"{run.id} has the steps 0 to {newest:,}, not {step:,}",
                    "step",
                    give_reason("step_not_reached", step=step, newest=newest),
                )
            self._end: int = self._reader.facts().get("steps", run.recipe.steps)
        except BaseException:
            self._reader.close()
            raise

    def __enter__(self) -> Parent:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reader.close()

    @property
    def vocabulary_size(self) -> int:
        return len(self.run.vocabulary)

    def default_steps(self, least: int) -> int:
        return max(least, self._end - self.step)

    def learning_rate(self) -> float:
        """Return the learning rate in force after the step."""
        initial = self.run.recipe.optimiser.learning_rate
        return rates_of_steps(self._reader, initial, self.step + 1, self.step + 1)[0]

    def recipe_in_force(self) -> Recipe:
        """Return the recipe with the learning rate and the settings of the map as they are at the step."""
        recipe = self.run.recipe
        optimiser = recipe.optimiser.model_copy(update={"learning_rate": self.learning_rate()})
        settings = read_map_settings(self.run).current
        return recipe.model_copy(update={"optimiser": optimiser, "map": settings})

    def states(self) -> list[KeptState]:
        """Return the kept states at or before the step, nearest first, or raise ForkError if none is near."""
        kept = list_kept_states(self.run, self._lineage, self.step)
        found = [KeptState(file.step, file.path) for file in kept]
        if self.run.recipe.parent is None:
            found.append(KeptState(0, None))
        if not found:
            raise ForkError(say("fork_nothing_kept", run=self.run.id, step=self.step), "step")
        if self.step - found[0].step > MAX_REPLAYED_STEPS:
            facts = {
                "run": self.run.id,
                "nearest": found[0].step,
                "most": MAX_REPLAYED_STEPS,
                "step": self.step,
            }
            raise ForkError(say("fork_too_far", **facts), "step")
        return found

    def steps_after(self, state: KeptState) -> Iterator[tuple[int, float, bytes | None]]:
        """Yield each step after a state up to the fork: its number, learning rate and recorded digest."""
        first = state.step + 1
        if first > self.step:
            return
        digests = self._reader.digests(first, self.step)
        initial = self.run.recipe.optimiser.learning_rate
        rates = rates_of_steps(self._reader, initial, first, self.step)
        for step, rate in zip(range(first, self.step + 1), rates, strict=True):
            yield step, rate, digests.get(step)

    def seconds_per_step(self) -> float | None:
        """Return the mean duration of the last steps before the fork, with their observation; None if unknown."""
        pulses = self._reader.pulses_at(range(max(1, self.step - _TIMED_STEPS + 1), self.step + 1))
        times = [
            pulse.step_seconds + pulse.observe_seconds
            for _, data in pulses
            for pulse in [decode_as(data, Pulse)]
        ]
        return sum(times) / len(times) if times else None

    def layout(self) -> tuple[Layout, dict[str, Any]] | None:
        """Return the newest layout at or before the step, and the facts to begin the map with, if any."""
        try:
            with LayoutsReader(self.run.layouts_path) as reader:
                entry = newest_layout_entry(layouts_on_lineage(reader, self._lineage), Method.UMAP, self.step)
                if entry is None:
                    return None
                layout = decode_as(reader.layout_record(entry.id), Layout)
                settings = read_map_settings(self.run).current.model_dump()
                return layout, {"map": settings, PLACED_FACT: True}
        except FileNotFoundError:
            return None

    def require_unchanged(self) -> None:
        """Raise ForkError if another attempt has replaced the steps that were copied."""
        if self._reader.lineage().clip(0, self.step) != self._lineage.clip(0, self.step):
            raise ForkError(say("fork_attempt", run=self.run.id), "step")
