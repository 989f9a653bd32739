"""The trainer process: `python -m lamplighter.training.worker RUN-FOLDER`.

Exit codes: 0 done for now, 3 another process is the trainer, 4 the run failed (its record says why) or cannot be
trained.
SIGTERM: write a checkpoint and exit; the run can be resumed. SIGINT: interrupt the run.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from lamplighter.contract.recipe_file import RecipeError
from lamplighter.contract.sentences import say
from lamplighter.forks.errors import StartLostError
from lamplighter.model.training_demands import estimate_demands
from lamplighter.platform.worker_limits import bounded_memory, is_out_of_memory
from lamplighter.processes.worker import (
    ExitCode,
    argument_parser,
    describe_memory_limit,
    exit_code_of,
    handle_stop_signals,
)
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.fragments.fragment_folder import FragmentWriter, wants_fragments
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.role_lock import DiskFullFlag, RoleLock
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.requests import RequestsReader
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.writing.free_space import retry_while_full
from lamplighter.training.control import RunControl, StopFlag
from lamplighter.training.corpus_setup import SetupStoppedError, prepare_stoppably

if TYPE_CHECKING:
    from lamplighter.training.processes.crew import Crew
    from lamplighter.training.trainer import Trainer

_STACK_BYTES = 16_000_000
"""Address space of a thread's stack and allocator."""


def train(
    run: RunFolder,
    *,
    on_prepare: Callable[[float, str], None] | None = None,
    on_progress: Callable[..., None] | None = None,
    crew: Crew | None = None,
) -> Phase:
    """Train a run from its current step, handling SIGINT and SIGTERM. Call it from the main thread.
    `on_prepare`: called with the share done and what is being done, before training. `on_progress`: called
    after each step. `crew`: the processes that train it; None for this one alone. Returns the phase of the
    run afterwards. Raises RoleTakenError if another process is training the run, RecipeError if the run is
    recorded by a client's own loop, and cannot be trained here, FormatError if this version cannot read
    the folder, ProcessLostError if another process of the crew has ended. What was committed is safe, as
    after a crash.
    """
    if run.recipe.corpus.kind == "recorded":
        raise RecipeError(f"{run.id} was recorded from a client's training loop: it cannot be trained here")
    stop = StopFlag()

    def on_signal(number: int) -> None:
        stop.reason = "interrupt" if number == signal.SIGINT else "terminate"

    restore_signals = handle_stop_signals(on_signal)
    try:
        with RoleLock(run.path, "trainer"):
            # On a full disk, continue as after a crash: committed steps are safe, the rest is recomputed.
            disk_full_flag = DiskFullFlag(run.path)

            def train_once() -> Phase:
                disk_full_flag.clear()
                return _train(run, stop, on_prepare, on_progress, crew)

            phase = retry_while_full(train_once, lambda: stop.reason, "training", on_wait=disk_full_flag.set)
            if phase is None:
                return Phase.INTERRUPTED if stop.reason == "interrupt" else Phase.RUNNING
            return phase
    finally:
        restore_signals()


def _train(
    run: RunFolder,
    stop: StopFlag,
    on_prepare: Callable[[float, str], None] | None,
    on_progress: Callable[..., None] | None,
    crew: Crew | None,
) -> Phase:
    writer = StepsWriter(run.steps_path)
    fragments = FragmentWriter(run) if wants_fragments(run.path) else None
    phase = Phase.RUNNING
    try:
        phase = _prepare_and_train(writer, run, stop, on_prepare, on_progress, crew)
    finally:
        if fragments is not None:
            fragments.close()
        writer.close(sealed=phase.has_ended)
    return phase


def _prepare_and_train(
    writer: StepsWriter,
    run: RunFolder,
    stop: StopFlag,
    on_prepare: Callable[[float, str], None] | None,
    on_progress: Callable[..., None] | None,
    crew: Crew | None,
) -> Phase:
    def report_progress(share: float, what: str) -> None:
        writer.set_facts({"message": f"{what} ({share:.0%})"})
        if on_prepare is not None:
            on_prepare(share, what)

    try:
        if not run.is_prepared:
            writer.set_facts({"phase": Phase.PREPARING, "message": "reading the corpus"})
            try:
                prepare_stoppably(run, report_progress, _stop_watch(run, stop))
            except ValueError as error:
                if isinstance(error, FormatError):
                    raise
                return _record_failure(writer, 0, str(error))
        return _train_prepared(writer, run, stop, report_progress, on_progress, crew)
    except SetupStoppedError:
        phase = _stop_before_training(writer, run, stop)
        if phase.has_ended or stop.reason is not None:
            return phase
        return _prepare_and_train(writer, run, stop, on_prepare, on_progress, crew)


def _train_prepared(
    writer: StepsWriter,
    run: RunFolder,
    stop: StopFlag,
    on_prepare: Callable[[float, str], None],
    on_progress: Callable[..., None] | None,
    crew: Crew | None,
) -> Phase:
    # Import torch only now, since it takes seconds, so that a run with an unusable text fails at once. Import it before
    # setting the memory limit: a library that runs out of memory during import aborts the process.
    from lamplighter.training.trainer import Trainer

    def build() -> Trainer:
        if run.start_path.exists():
            from lamplighter.training.fork_start import begin_fork

            writer.set_facts({"phase": Phase.PREPARING, "message": "recomputing the steps before the fork"})
            begin_fork(run, on_prepare, _stop_watch(run, stop))
        return Trainer(run, writer, stop, on_progress, None if crew is None else crew.model_of(run))

    needed = estimate_demands(run.recipe, len(run.vocabulary)).memory_bytes
    with bounded_memory(needed + run.recipe.threads * _STACK_BYTES) as most:
        try:
            return _run_trainer(writer, build)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
    with StepsReader(run.steps_path) as reader:
        _, step = reader.newest_step()
    return _record_failure(
        writer, step, say("training_no_memory", limited=describe_memory_limit("training", most))
    )


def _stop_watch(run: RunFolder, stop: StopFlag) -> Callable[[], bool]:
    """Return a function that checks whether a signal or a request stops the run. It does not apply the request."""
    requests = RequestsReader(run.path)
    with StepsReader(run.steps_path) as reader:
        requests.skip_applied(reader.last_applied())
    return lambda: stop.reason is not None or any(new.kind == "stop" for new in requests.read_new())


def _stop_before_training(writer: StepsWriter, run: RunFolder, stop: StopFlag) -> Phase:
    if stop.reason == "terminate":
        return Phase.PREPARING
    with StepsReader(run.steps_path) as reader:
        control = RunControl(run, writer, reader)
        control.poll(0, now=True)
        # A later request to continue may have come.
        if stop.reason == "interrupt" or control.stop_requested:
            control.interrupt(0)
    return control.phase


def _run_trainer(writer: StepsWriter, build: Callable[[], Trainer]) -> Phase:
    try:
        trainer = build()
    except ValueError as error:
        if isinstance(error, FormatError):
            raise
        return _record_failure(writer, 0, str(error))
    try:
        return trainer.run()
    except StartLostError as error:
        return _record_failure(writer, 0, str(error))
    finally:
        trainer.close()


def _record_failure(writer: StepsWriter, step: int, message: str) -> Phase:
    writer.add_event(step, Phase.FAILED, message, {"phase": Phase.FAILED, "message": message})
    return Phase.FAILED


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = argument_parser("training.worker").parse_args(arguments)

    def work() -> ExitCode:
        return ExitCode.FAILED if train(RunFolder(chosen.run)) == Phase.FAILED else ExitCode.DONE

    return exit_code_of(work, RecipeError)


if __name__ == "__main__":
    sys.exit(main())
