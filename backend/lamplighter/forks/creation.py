"""The creation of a fork, a new run folder that needs nothing of its parent later: its parent, as it is read when the
fork is made, its folder, and its price."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from pydantic import ValidationError

from lamplighter.contract.documented_model import DocumentedModel
from lamplighter.contract.fork_parent import ForkParent
from lamplighter.contract.reason import give_reason
from lamplighter.contract.recipe import BUILT_IN_TEXTS, Recipe
from lamplighter.contract.sentences import say
from lamplighter.contract.strict_input import explain_validation_error
from lamplighter.corpora.corpus import CorpusError
from lamplighter.forks.changes import change_recipe, reads_other_text
from lamplighter.forks.errors import ForkError, ParentNotReadyError
from lamplighter.forks.start import CORPUS_FILES, ReplayedStep, start_of, write_steps
from lamplighter.model.batches import require_enough_text
from lamplighter.platform import failpoint
from lamplighter.platform.folder_sync import sync_tree
from lamplighter.platform.private_modes import make_private_folder, restrict_like_folder
from lamplighter.processes.kept_states import list_kept_states
from lamplighter.runfolder.importing.imported_run import is_imported
from lamplighter.runfolder.reading.current_map import (
    layouts_on_lineage,
    newest_layout_entry,
    read_map_settings,
)
from lamplighter.runfolder.reading.learning_rates import rates_of_steps
from lamplighter.runfolder.run_folder import RunFolder, write_atomically
from lamplighter.runfolder.run_name import clean_run_name, derive_run_name, read_run_name, write_run_name
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.layouts import PLACED_FACT, LayoutsReader, LayoutsWriter
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


MIN_DEFAULT_STEPS = 500
"""Minimum steps of a fork that does not say how many."""


@dataclass(frozen=True)
class ForkRequest:
    """A fork that somebody asks for."""

    step: int
    changes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    steps: int | None = None
    """Steps of the fork; None: as many as its parent had left, and at least `MIN_DEFAULT_STEPS`."""
    name: str | None = None
    text: str | None = None
    """The text, if `corpus.kind` changes to `text`."""
    text_name: str = ""


def create_fork(
    store: RunStore, run: RunFolder, request: ForkRequest, prepare: Callable[[Path], object] | None = None
) -> RunFolder:
    """Create a fork of a run, live or finished, or raise ForkError. Its folder appears whole or not at all.
    `prepare` is called with the folder before it gets its final name.
    """
    with Parent(run, request.step) as parent:
        recipe = make_recipe(parent, request)
        text = request.text if recipe.corpus.kind == "text" else None

        def fill(folder: Path) -> None:
            _copy_start(parent, RunFolder(folder))
            if request.name is not None:
                write_run_name(folder, request.name)
            if prepare is not None:
                prepare(folder)
            failpoint.trigger("fork-copied")
            sync_tree(folder)

        try:
            return store.create(recipe, text, fill)
        except FileNotFoundError as error:
            if (run.path / "recipe.json").exists():
                raise
            raise ParentNotReadyError(f"{run.id} was removed while it was copied") from error


def make_recipe(parent: Parent, request: ForkRequest) -> Recipe:
    """Return the recipe of a fork, or raise ForkError."""
    before = parent.recipe_in_force()
    recipe, changes = change_recipe(before, request.changes, parent.vocabulary_size)
    if request.name is not None:
        try:
            clean_run_name(request.name)
        except ValueError as error:
            raise ForkError(str(error), "name") from error
    if (request.changes.get("corpus.kind") == "text") != (request.text is not None):
        raise ForkError(say("fork_without_text"), "upload")
    corpus = recipe.corpus
    if request.text is not None:
        corpus = corpus.model_copy(update={"name": request.text_name[:200]})
    private = before.corpus.kind not in BUILT_IN_TEXTS or is_imported(parent.run)
    chain = before.parent
    update: dict[str, Any] = {
        "corpus": corpus,
        "steps": parent.default_steps(MIN_DEFAULT_STEPS) if request.steps is None else request.steps,
        "parent": ForkParent(
            run=parent.run.id,
            step=request.step,
            name=(read_run_name(parent.run) or derive_run_name(parent.run))[:80],
            changes=changes,
            batch_offset=before.batch_offset + request.step,
            text_seed=before.text_seed,
            private_text=private or (chain is not None and chain.private_text),
        ),
    }
    try:
        recipe = Recipe.model_validate(recipe.model_copy(update=update).model_dump())
        if request.text is not None:
            require_enough_text(recipe, request.text)
    except CorpusError as error:
        raise ForkError(str(error), "upload") from error
    except ValidationError as error:
        raise ForkError(explain_validation_error(error), "steps") from error
    return recipe


def _copy_start(parent: Parent, fork: RunFolder) -> None:
    """Copy what the fork needs; raise FileNotFoundError if a file of the parent is gone."""
    start = start_of(fork)
    for folder in (start.path, start.checkpoints):
        make_private_folder(folder)
    write_atomically(start.path / "recipe.json", parent.run.recipe.model_dump_json(indent=2))
    state = _copy_state(parent.states(), start)
    write_steps(start, [ReplayedStep(*step) for step in parent.steps_after(state)])
    failpoint.trigger("fork-copying")
    for name in CORPUS_FILES:
        source = parent.run.path / name
        if source == parent.run.held_out_path and not source.exists():
            continue
        _copy(source, start.path / name)
    changes = fork.recipe.parent.changes if fork.recipe.parent is not None else ()
    if not reads_other_text(changes):
        with suppress(FileNotFoundError):
            _copy(parent.run.source_path, fork.source_path)
        for name in CORPUS_FILES:
            if (start.path / name).exists():
                _copy(start.path / name, fork.path / name)
    elif fork.recipe.corpus.kind == "text" and not fork.source_path.exists():
        if not parent.run.source_path.exists():
            raise ForkError(say("fork_text_not_kept", run=parent.run.id), "changes")
        _copy(parent.run.source_path, fork.source_path)
    found = parent.layout()
    if found is not None:
        layout, facts = found
        writer = LayoutsWriter(start.layouts_path)
        try:
            writer.set_facts(facts)
            writer.commit(replace(layout, attempt=1, step=0))
        finally:
            writer.close(sealed=True)
    parent.require_unchanged()


def _copy_state(states: list[KeptState], start: RunFolder) -> KeptState:
    for state in states:
        if state.path is None:
            return state
        # The parent's trainer may thin it out.
        with suppress(FileNotFoundError):
            _copy(state.path, start.checkpoints / state.path.name)
            return state
    raise ParentNotReadyError("the states of the run went away while they were copied: try again")


def _copy(source: Path, target: Path) -> None:
    """Give a file that is never changed a second name, or copy it where the file system has no hard links."""
    try:
        target.hardlink_to(source)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, target)
        restrict_like_folder(target)


class ForkPrice(DocumentedModel):
    """What a fork at a step would take before its first own step."""

    step: int
    state_step: int
    """The step of the kept state that the replay begins with."""
    replay_steps: int
    replay_seconds: float | None
    """The time that these steps took when they were trained; null if it is not recorded."""
    bytes: int
    """Bytes to copy; without what the file system can share."""
    learning_rate: float
    """The learning rate in force after the step."""
    steps: int
    """The number of steps of a fork that does not say how many."""


def price_fork(parent: Parent) -> ForkPrice:
    """Return what a fork of a run takes, or raise ForkError."""
    state = parent.states()[0]
    replayed = parent.step - state.step
    seconds = parent.seconds_per_step()
    paths = [parent.run.path / name for name in CORPUS_FILES] + ([state.path] if state.path else [])
    size = 0
    for path in paths:
        with suppress(FileNotFoundError):
            size += path.stat().st_size
    return ForkPrice(
        step=parent.step,
        state_step=state.step,
        replay_steps=replayed,
        replay_seconds=None if seconds is None else replayed * seconds,
        bytes=size,
        learning_rate=parent.learning_rate(),
        steps=parent.default_steps(MIN_DEFAULT_STEPS),
    )
