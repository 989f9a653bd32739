"""A sweep: the training of the members of a set, as many at a time as asked for, and then their measures and maps.

It is a supervisor of the set's folder, in one role after the other. All state is in the folders, so that a sweep that
was stopped or killed is resumed by another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lamplighter.processes.log_file import last_line, log_path
from lamplighter.processes.supervised_worker import WorkerCommand, worker_command
from lamplighter.processes.supervisor import Supervisor, SupervisorLimits
from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.reading.run_status import RunStatus, read_status, wants_training
from lamplighter.runfolder.role_lock import RoleState, role_state
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_set import RunSet, SetMember
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.requests import RequestsWriter


@dataclass(frozen=True)
class SweptMember:
    """A member of a set during a sweep."""

    member: SetMember
    run: RunFolder
    status: RunStatus | None
    """None if the folder cannot be read."""
    over: bool
    """True if no trainer works on it or will."""
    problem: str | None = None
    """The reason why it has no last step."""

    @property
    def is_finished(self) -> bool:
        return self.status is not None and self.status.phase == Phase.FINISHED


class SweptMembers:
    """The members of a set that are there, each read again until it is over."""

    def __init__(self, run_set: RunSet) -> None:
        self._members = [(member, run) for member, run in run_set.members() if run is not None]
        self._over: dict[str, SweptMember] = {}

    def read_all(self, given_up: Sequence[str] = ()) -> list[SweptMember]:
        """Return all members as they are now. `given_up`: ids of those whose trainer is not started again."""
        found: list[SweptMember] = []
        for member, run in self._members:
            one = self._over.get(run.id) or _read_member(member, run, given_up=run.id in given_up)
            if one.over:
                self._over[run.id] = one
            found.append(one)
        return found

    def ask_to_continue(self) -> None:
        """Ask those that were stopped or have failed to go on; the others are unfinished anyway."""
        for _, run in self._members:
            try:
                status = read_status(run)
                if status.phase in (Phase.INTERRUPTED, Phase.FAILED) and not wants_training(
                    run, sweeping=True
                ):
                    RequestsWriter(run.path, "cli").add("continue", {"steps": 0})
            except READ_ERRORS:
                # It is told as a problem when it is read.
                continue


class Sweep:
    """The workers of one role, or of some, for the members of a set. Call `poll` until all are over, then `stop`."""

    def __init__(
        self,
        run_set: RunSet,
        roles: tuple[str, ...],
        jobs: int,
        command: WorkerCommand = worker_command,
    ) -> None:
        """Start nothing yet. `roles`: `trainer`, or the roles that finish what was trained. `jobs`: the
        number of members worked on at a time. Raises FormatError if `set.json` cannot be read.
        """
        limits = SupervisorLimits(max_trainers=jobs, max_finishing=jobs)
        self._supervisor = Supervisor(RunStore(run_set.path), roles, limits, command, sweeping=True)
        self._members = SweptMembers(run_set)
        self._ids = [member.run for member in run_set.facts.members]

    def poll(self) -> list[SweptMember]:
        """Note which workers have ended, start those that are needed, and return the members."""
        self._supervisor.poll()
        return self._members.read_all(
            [run for run in self._ids if self._supervisor.has_given_up(run, "trainer")]
        )

    def is_idle(self) -> bool:
        """Return whether no role has work left in any member, as of the last `poll`."""
        return self._supervisor.is_idle()

    def stop(self) -> None:
        """Interrupt the trainers: each stops after its step, and its run can be continued. Blocks until they have
        ended."""
        self._supervisor.interrupt()
        self._supervisor.stop()


def _read_member(member: SetMember, run: RunFolder, *, given_up: bool) -> SweptMember:
    try:
        status = read_status(run)
        wanted = wants_training(run, sweeping=True)
    except READ_ERRORS as error:
        return SweptMember(member, run, None, over=True, problem=str(error))
    over = given_up or (not wanted and role_state(run.path, "trainer") is RoleState.FREE)
    problem = None
    if over and status.phase == Phase.FAILED:
        problem = status.message
    elif over and status.phase != Phase.FINISHED:
        problem = last_line(log_path(run.path, "trainer")) if given_up else f"stopped at step {status.step:,}"
    return SweptMember(member, run, status, over=over, problem=problem)
