"""The command `lamplighter claims`, and what claims wait for: the measures and the map of a run, and answers."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from lamplighter.claims.board import (
    BoardQuestion,
    ClaimRow,
    SetClaim,
    count_states,
    list_board_questions,
    make_board,
    make_set_board,
)
from lamplighter.claims.claim import ClaimRole, ClaimState, Figure
from lamplighter.claims.control import (
    ControlRun,
    find_other_seed,
    gather_with_control,
    has_control,
    read_control,
)
from lamplighter.claims.english import claim_text, figure_text, reason_text
from lamplighter.claims.evidence import Evidence
from lamplighter.claims.gathering import read_moment
from lamplighter.cli.common import common_options
from lamplighter.cli.named_run import RUN_ID, confirm_imported, find_members, find_named_run
from lamplighter.cli.terminal import print_line, print_lines, run_worker_process, show_progress
from lamplighter.contract.questions import Question, QuestionError
from lamplighter.contract.sentences import percent
from lamplighter.processes.asked_question import ExaminationRefusedError, check_question
from lamplighter.processes.desired_state import DesiredState
from lamplighter.processes.local_examiner import ExaminationFailedError, LocalExaminer
from lamplighter.processes.supervised_worker import worker_command
from lamplighter.processes.worker import ExitCode
from lamplighter.runfolder.reading.lru_cache import LruCache
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_set import Setting, describe_settings, group_by_setting

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


SIGNS = {
    ClaimState.HOLDS: "[+] holds",
    ClaimState.CONDITIONAL: "[~] with conditions",
    ClaimState.FAILING: "[x] fails here",
    ClaimState.UNMEASURED: "[ ] not measured yet",
}
_ROLES = {
    ClaimRole.CLAIM: "",
    ClaimRole.CHECK: " (a check of this program)",
    ClaimRole.RECIPE: " (follows from the recipe)",
    ClaimRole.DEFINITION: " (by definition)",
}
"""The words behind the name of a statement, by its role."""
_WHOLE = 1_000
"""Numbers from here on are told without a fraction."""
_INDENT = " " * 8


@click.command("claims")
@click.argument("run_id", metavar="RUN", type=RUN_ID)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else.")
@common_options()
def claims_command(runs_dir: Path, run_id: str, as_json: bool) -> None:
    """Show which of 28 statements about learning hold on a run, with their numbers, or on how many members of a set. Nothing is computed that an examiner would
    have to answer: `lamplighter examine RUN --prepare claims` does that."""
    if (members := find_members(runs_dir, run_id)) is not None:
        _print_set(members, as_json=as_json)
        return
    run = find_prepared(runs_dir, run_id)
    control = read_control(run)
    with show_progress("reading what was measured", quiet=as_json):
        evidence, questions = _read_board(run, control)
        rows = make_board(evidence)
    if as_json:
        print_line(json.dumps(_as_json(evidence, rows, control)))
        return
    width = min(100, shutil.get_terminal_size().columns)
    if control is not None:
        print_line(
            f"beside each state that of the control {control.run.id}, whose words are shuffled, as of step"
            f" {control.moment.step:,}"
        )
    for row in rows:
        print_lines(_describe(row, width))
    if any(not one.answered and not one.by_button for one in questions):
        print_line(f"more can be measured: lamplighter examine {run.id} --prepare claims")
    if control is not None:
        if any(row.control is not None and row.control.state is ClaimState.UNMEASURED for row in rows):
            print_line(f"of the control too: lamplighter examine {control.run.id} --prepare claims")
    elif has_control(run):
        print_line(
            f"what shuffled words would show, its control says: lamplighter train --control-of {run.id}"
        )
    print_line(_sum_up(rows))


def _print_set(members: list[tuple[Mapping[str, Setting], RunFolder]], *, as_json: bool) -> None:
    """Print for how many members of a set each claim holds: of each setting apart, whose members differ in their seed alone."""
    with show_progress(f"reading {len(members)} runs", quiet=as_json):
        boards = [
            (settings, make_set_board([(run.id, run) for _, run in found], LruCache()))
            for settings, found in group_by_setting(members, lambda one: one[0])
        ]
    unanswered = [one for _, board in boards for one in board.unanswered]
    if as_json:
        items = [
            {**asdict(one), "name": claim_text(one.number, "name"), "settings": settings}
            for settings, board in boards
            for one in board.claims
        ]
        print_line(json.dumps({"items": items, "unanswered": [asdict(one) for one in unanswered]}))
        return
    for settings, board in boards:
        if len(boards) > 1:
            print_line(f"{describe_settings(settings)}:")
        for one in board.claims:
            print_line(_tell_in_set(one))
    for one in unanswered:
        print_line(f"{one.run}: {one.reason.replace('_', ' ')}")


def _tell_in_set(one: SetClaim) -> str:
    name = f"{claim_text(one.number, 'name')}{_ROLES[one.role]}"
    if one.low is None or one.high is None:
        return f"{one.number:>2}  not measured yet  {name}"
    told = ", ".join(
        f"{SIGNS[state][4:]} in {one.states[state]}" for state in ClaimState if one.states[state]
    )
    held = f"holds in {one.states[ClaimState.HOLDS]} of {one.measured} ({one.low:.2f} to {one.high:.2f})"
    return f"{one.number:>2}  {held}  {name}: {told}"


def prepare_claims(runs_dir: Path, run_id: str, *, yes: bool) -> None:
    """Make the measures and the map that claims wait for, and ask all that they wait for and that has no
    answer yet, one after the other. What is there stays, so that it can be stopped and begun again."""
    run = find_prepared(runs_dir, run_id)
    problems = [*finish_run(run), *ask_all(run, wanted_by_claims(run), yes=yes)]
    evidence, _ = _read_board(run)
    rows = make_board(evidence)
    measured = sum(row.state is not ClaimState.UNMEASURED for row in rows)
    print_line(f"{measured} of {len(rows)} statements have a number: lamplighter claims {run.id}")
    if evidence.recorded_elsewhere:
        raise click.ClickException(
            f"{run.id} is recorded from a training loop of its own, so its model is not here: there is nothing to ask"
        )
    if problems:
        raise click.ClickException("; ".join(problems))


def wanted_by_claims(run: RunFolder) -> list[WantedAnswer]:
    """Return what the claims wait for and has no answer yet, also what starts further processes: a person who types the command
    has said that they may be started."""
    _, questions = _read_board(run)
    return [
        WantedAnswer(one.question, f"claim {', '.join(map(str, one.claims))}")
        for one in questions
        if not one.answered
    ]


def find_prepared(runs_dir: Path, run_id: str) -> RunFolder:
    run = find_named_run(runs_dir, run_id)
    if not run.is_prepared:
        raise click.ClickException(f"{run.id} has not read its corpus yet: there is nothing to claim")
    return run


def _read_board(run: RunFolder, control: ControlRun | None = None) -> tuple[Evidence, list[BoardQuestion]]:
    moment = read_moment(run)
    evidence = gather_with_control(run, LruCache(), moment, control, find_other_seed(run, moment.step))
    return evidence, list_board_questions(evidence, moment.lineage)


def _describe(row: ClaimRow, width: int) -> list[str]:
    control = row.control
    signs = f"{SIGNS[row.state]:<22}" + ("" if control is None else f" {SIGNS[control.state]:<22}")
    lines = [f"{row.number:>2}  {signs} {claim_text(row.number, 'name')}{_ROLES[row.role]}"]
    lines += _wrap(claim_text(row.number, "statement"), width)
    lines += _wrap(reason_text(row), width)
    if row.null is not None:
        lines += _wrap(f"baseline: {tell_figure(row.null)}", width)
    if control is not None and control.state is not row.state:
        lines += _wrap(f"on shuffled words: {reason_text(control)}", width)
    if row.imported:
        lines += _wrap("as told by the person who gave this run", width)
    return [*lines, ""]


def _wrap(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, initial_indent=_INDENT, subsequent_indent=_INDENT)


def tell_figure(figure: Figure) -> str:
    """Return a figure of a claim in words, with its interval if it has one."""
    if figure.value is None:
        return f"{figure_text(figure)}: unknown"
    told = f"{figure_text(figure)}: {_tell_value(figure.value, figure.unit)}"
    if figure.low is None or figure.high is None:
        return told
    ends = f"{_tell_value(figure.low, figure.unit)} to {_tell_value(figure.high, figure.unit)}"
    return f"{told} ({ends}, n = {figure.draws:,})" if figure.draws else f"{told} ({ends})"


def _tell_value(value: float, unit: str) -> str:
    if unit == "share":
        return percent(value)
    digits = ".0f" if abs(value) >= _WHOLE else ".4g"
    return f"{value:,{digits}} {unit}".strip()


def _sum_up(rows: list[ClaimRow]) -> str:
    """Return how many claims hold, on the control too if there is one. What follows from the recipe is counted apart."""
    of_role = count_states(rows)
    states = of_role[ClaimRole.CLAIM]
    held = f"{states[ClaimState.HOLDS]} of {states.total()} claims hold"
    on_control = [row.control.state for row in rows if row.control and row.role is ClaimRole.CLAIM]
    if on_control:
        held += f" ({on_control.count(ClaimState.HOLDS)} on shuffled words)"
    others = [f"{states[state]} {sign}" for state, sign in SIGNS.items() if state is not ClaimState.HOLDS]
    follows = of_role[ClaimRole.RECIPE]
    others.append(f"{follows[ClaimState.HOLDS]} of {follows.total()} that follow from the recipe hold")
    others.append(f"{len(rows) - states.total() - follows.total()} checks and definitions")
    return ", ".join((held, *others))


def _as_json(evidence: Evidence, rows: list[ClaimRow], control: ControlRun | None) -> dict[str, Any]:
    items = [{**asdict(row), "english": _in_english(row)} for row in rows]
    beside = None if control is None else {"run": control.run.id, "step": control.moment.step}
    return {"step": evidence.step, "training": evidence.training, "control": beside, "items": items}


def _in_english(row: ClaimRow) -> dict[str, str]:
    parts = {part: claim_text(row.number, part) for part in ("name", "statement", "condition", "method")}
    return {**parts, "reason": reason_text(row)}
