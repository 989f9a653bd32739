"""The measures and the map of a run that was trained without a server, made by the workers that a server would
start."""

from __future__ import annotations

from lamplighter.cli.terminal import make_progress_bar, print_line, run_worker_process
from lamplighter.processes.desired_state import DesiredState
from lamplighter.processes.supervised_worker import worker_command
from lamplighter.processes.worker import ExitCode
from lamplighter.runfolder.run_folder import RunFolder

_MADE_BY = {"analyst": "measures", "projector": "map"}
"""The part of a run that each role produces."""


def finish_run(run: RunFolder) -> list[str]:
    """Make the missing measures and map of a run, one after the other, with progress on the terminal. Return the
    problems. A run that still trains gets neither: its workers would follow it to its end."""
    state = DesiredState()
    state.refresh([run])
    if state.is_trained(run):
        print_line(
            f"{run.id} is being trained: its measures and its map need a server, or must wait for its end"
        )
        return []
    problems: list[str] = []
    for role, made in _MADE_BY.items():
        if state.needed_state(run, role) is None:
            continue
        with make_progress_bar() as bar:
            bar.add_task(f"making the {made}", total=None)
            code = run_worker_process(worker_command(role, run.path))
        match code:
            case ExitCode.DONE:
                print_line(f"the {made} of {run.id}: made")
            case ExitCode.ROLE_TAKEN:
                print_line(f"the {made} of {run.id}: another process is making it")
            case _:
                problems.append(f"the {made} could not be made")
    return problems
