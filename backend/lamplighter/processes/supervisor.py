"""A supervisor that watches the runs and starts the worker processes they need: trainers, projectors,
analysts.

It works without a server: `lamplighter train --watch` uses it alone. The run folders tell which workers are needed, and
their locks which are running, so the workers of a killed server keep training and the next server finds them. A worker
that crashes is restarted a few times; then it stays stopped, and `states` gives the cause. Exit codes of workers: 0
done for now, 3 another process has the role, 4 the run itself failed and its log says why.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass

from lamplighter.platform.child_process import interrupting_signal, kill
from lamplighter.processes.desired_state import DesiredState
from lamplighter.processes.supervised_worker import (
    SupervisedWorker,
    WorkerCommand,
    WorkerLimits,
    worker_command,
)
from lamplighter.runfolder.role_lock import RoleState, role_state
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.writing.finalise import seal_role_files

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SupervisorLimits(WorkerLimits):
    """A supervisor's limits on numbers of workers, restarts, times and log sizes."""

    max_trainers: int = 2
    """Maximum number of runs trained at the same time, by any process."""
    max_finishing: int = 1
    """Maximum number of finished runs whose map or measures are completed at the same time."""
    poll_seconds: float = 0.5
    stop_seconds: float = 8.0
    """Seconds between asking workers to end and killing them."""


class Supervisor:
    """A thread that keeps the needed workers running."""

    def __init__(
        self,
        run_store: RunStore,
        roles: tuple[str, ...],
        limits: SupervisorLimits | None = None,
        command: WorkerCommand = worker_command,
        *,
        sweeping: bool = False,
    ) -> None:
        """Supervise the runs in `run_store`, in these roles only. `command` builds the command line of a
        worker. `sweeping`: train the members of sets, too, which wait for their sweep."""
        self._run_store = run_store
        self._roles = roles
        self._limits = limits or SupervisorLimits()
        self._command = command
        self._desired = DesiredState(sweeping=sweeping)
        self._workers: dict[tuple[str, str], SupervisedWorker] = {}
        self._lock = threading.Lock()
        self._interrupted = False
        self._told: str | None = None
        """The reason why the last poll failed, which is logged once."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    def start(self) -> None:
        """Start the thread if it is not running."""
        if self._thread.ident is None:
            self._thread.start()

    def interrupt(self) -> None:
        """Make `stop` interrupt the runs of our trainers, because the user pressed Ctrl-C.

        Interrupted runs can be continued, but do not resume by themselves when a supervisor next watches the folder.
        """
        self._interrupted = True

    def stop(self) -> None:
        """Stop supervising, ask the workers to end, and kill those that do not end in time. Blocks until they have
        ended.

        A trainer then writes a checkpoint, and its run resumes next time unless the user interrupted it. Workers of
        other processes keep running.
        """
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        with self._lock:
            workers = [worker for worker in self._workers.values() if worker.process is not None]
            ours = {worker.run.id for worker in workers if worker.role == "trainer"}
            for run in self._run_store.runs() if "trainer" in self._roles else []:
                if run.id not in ours and role_state(run.path, "trainer") is RoleState.HELD:
                    log.info(
                        "%s continues to train in a process that this server did not start; to stop it, open %s with"
                        " lamplighter serve, and stop the run there",
                        run.id,
                        self._run_store.path,
                    )
        at_work = [worker.process for worker in workers if worker.process is not None]
        for worker in workers:
            with suppress(ProcessLookupError):
                if worker.process is not None:
                    worker.process.send_signal(self._stop_signal(worker.role))
        deadline = time.monotonic() + self._limits.stop_seconds
        for process in at_work:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("a worker did not end within %.0f s; killing it", self._limits.stop_seconds)
                kill(process)
                process.wait()

    def _stop_signal(self, role: str) -> int:
        return interrupting_signal() if self._interrupted and role == "trainer" else signal.SIGTERM

    def states(self) -> dict[str, str]:
        """Return what the workers of each role are doing, in words for the page."""
        with self._lock:
            return {role: self._describe_role(role) for role in self._roles}

    def quiet_runs(self) -> list[RunFolder]:
        """Return the runs that need no worker, newest first; none while any worker runs or any process trains a run."""
        with self._lock:
            if any(worker.process is not None for worker in self._workers.values()):
                return []
            runs = self._desired.runs()
            if any(self._desired.is_trained(run) for run in runs):
                return []
            given_up = {key for key, worker in self._workers.items() if worker.stop_reason is not None}
            return [
                run
                for run in runs
                if all(
                    (run.id, role) in given_up or self._desired.needed_state(run, role) is None
                    for role in self._roles
                )
            ]

    def is_idle(self) -> bool:
        """Return whether no worker was at work, or about to start again, after the last poll."""
        with self._lock:
            workers = self._workers.values()
            return not any(one.at_work or one.restarting or one.shortage is not None for one in workers)

    def has_given_up(self, run_id: str, role: str) -> bool:
        """Return whether a role in a run stays stopped after crashes or a failure."""
        with self._lock:
            worker = self._workers.get((run_id, role))
            return worker is not None and worker.stop_reason is not None

    def poll(self) -> None:
        """Note which workers have ended, and start those that are needed. The thread repeats this."""
        with self._lock:
            for worker in self._workers.values():
                worker.check()
                worker.held_elsewhere = False
            runs = self._run_store.runs()
            self._drop_removed_runs({run.id for run in runs})
            self._desired.refresh(runs)
            at_work = {key for key, worker in self._workers.items() if worker.process is not None}
            # A trainer just started does not hold its lock yet.
            trained = sum(self._desired.is_trained(run) or (run.id, "trainer") in at_work for run in runs)
            finishing = {run_id for run_id, role in at_work if role != "trainer"}
            finishing -= {run.id for run in runs if self._desired.is_trained(run)}
            for run in runs:
                if self._stopping.is_set():
                    return
                self._finalise(run)
                if "trainer" in self._roles and trained < self._limits.max_trainers:
                    started = self._start_if_needed(run, "trainer")
                    trained += started
                    if started:
                        # The other workers start up while it prepares the first step.
                        self._desired.note_trainer_started(run)
                late = not self._desired.is_trained(run)
                if late and run.id not in finishing and len(finishing) >= self._limits.max_finishing:
                    continue
                for role in self._roles:
                    if role != "trainer" and self._start_if_needed(run, role) and late:
                        finishing.add(run.id)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.poll()
                self._told = None
            except Exception as error:
                # The runs folder may be gone, or too many files open: the next poll may succeed. For any other cause
                # too, a supervisor that ended here would end unnoticed.
                if repr(error) != self._told:
                    log.exception("could not check the runs; retrying")
                self._told = repr(error)
            self._stopping.wait(self._limits.poll_seconds)

    def _start_if_needed(self, run: RunFolder, role: str) -> bool:
        state = self._desired.needed_state(run, role)
        if state is None:
            if (run.id, role) in self._workers:
                self._workers[run.id, role].shortage = None
            return False
        worker = self._workers.setdefault(
            (run.id, role), SupervisedWorker(run, role, self._limits, self._command)
        )
        return worker.start_if_allowed(state)

    def _finalise(self, run: RunFolder) -> None:
        """Finalise the files that a killed writer left open: a finalised file opens read-only anywhere."""
        for role in self._desired.roles_to_finalise(run):
            worker = self._workers.get((run.id, role))
            if worker is not None and worker.process is not None:
                continue
            if os.access(run.path, os.W_OK) and seal_role_files(run, role):
                log.info("%s: finalised the file of the %s", run.id, role)

    def _describe_role(self, role: str) -> str:
        workers = [worker for worker in self._workers.values() if worker.role == role]
        at_work = sum(worker.at_work for worker in workers)
        stopped = [worker for worker in workers if worker.stop_reason is not None]
        short = [worker for worker in workers if worker.shortage is not None]
        words = [f"at work on {at_work} run{'s' if at_work > 1 else ''}"] if at_work else []
        words += ["restarting after a crash"] if any(worker.restarting for worker in workers) else []
        words += [f"waiting in {worker.run.id}: {worker.shortage}" for worker in short[-1:]]
        words += [f"stopped in {worker.run.id}: {worker.stop_reason}" for worker in stopped[-1:]]
        return "; ".join(words) or "idle"

    def _drop_removed_runs(self, run_ids: set[str]) -> None:
        for key, worker in list(self._workers.items()):
            if key[0] not in run_ids and worker.process is None:
                del self._workers[key]
