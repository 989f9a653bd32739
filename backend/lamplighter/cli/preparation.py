"""The preparation of a run for its claims and the course, with progress on the terminal: measures, a map, and answers."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from lamplighter.cli.named_run import confirm_imported
from lamplighter.cli.terminal import print_line, run_worker_process, show_progress
from lamplighter.contract.questions import Question, QuestionError
from lamplighter.processes.asked_question import ExaminationRefusedError, check_question
from lamplighter.processes.desired_state import DesiredState
from lamplighter.processes.local_examiner import ExaminationFailedError, LocalExaminer
from lamplighter.processes.supervised_worker import worker_command
from lamplighter.processes.worker import ExitCode
from lamplighter.runfolder.run_folder import RunFolder

_MADE_BY = {"analyst": "measures", "projector": "map"}
"""The part of a run that each role produces."""


@dataclass(frozen=True)
class WantedAnswer:
    """A question to ask, and the use of its answer."""

    question: Question
    use: str
    """A noun phrase: `claim 3`, `part 10`."""


def ask_all(run: RunFolder, wanted: Sequence[WantedAnswer], *, yes: bool) -> list[str]:
    """Ask questions and wait for their answers. Each answer is kept, so that this can be stopped and repeated. Return
    the problems of the unanswered questions."""
    if wanted and not yes:
        confirm_imported(run, "ask its model")
    problems: list[str] = []
    with closing(LocalExaminer(run, "cli")) as examiner:
        for number, one in enumerate(wanted, 1):
            told = f"{number} of {len(wanted)}: {one.question.kind} at step {one.question.step:,}"
            try:
                _ask(run, examiner, one.question, told)
                print_line(f"{told}, for {one.use}")
            except (QuestionError, ExaminationRefusedError, ExaminationFailedError) as error:
                print_line(f"{told}: {error}", err=True)
                problems.append(f"{one.question.kind}: {error}")
    return problems


def _ask(run: RunFolder, examiner: LocalExaminer, question: Question, told: str) -> None:
    # A person at a page waits for an answer; this command can wait.
    asked = check_question(run, question.model_copy(update={"background": True}))
    with show_progress(told) as show:
        examiner.examine(asked, lambda entry: show(entry.share))


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
        with show_progress(f"making the {made}"):
            code = run_worker_process(worker_command(role, run.path))
        match code:
            case ExitCode.DONE:
                print_line(f"the {made} of {run.id}: made")
            case ExitCode.ROLE_TAKEN:
                print_line(f"the {made} of {run.id}: another process is making it")
            case _:
                problems.append(f"the {made} could not be made")
    return problems
