"""The command `lamplighter claims`, and the preparation of the answers that claims wait for."""

from __future__ import annotations

import json
import shutil
import textwrap
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from lamplighter.claims.board import BoardQuestion, BoardRow, list_board_questions, make_board
from lamplighter.claims.claim import ClaimState, Figure, percent
from lamplighter.claims.evidence import Evidence
from lamplighter.claims.figure_cache import FigureCache
from lamplighter.claims.gathering import gather_evidence, read_moment
from lamplighter.cli.common import common_options
from lamplighter.cli.named_run import find_named_run
from lamplighter.cli.preparation import WantedAnswer, ask_all
from lamplighter.cli.terminal import print_line
from lamplighter.runfolder.run_folder import RunFolder

SIGNS = {
    ClaimState.HOLDS: "[+] holds",
    ClaimState.CONDITIONAL: "[~] under a condition",
    ClaimState.FAILING: "[x] shown failing",
    ClaimState.UNMEASURED: "[ ] not measured yet",
}
_WHOLE = 1_000
"""Numbers from here on are told without a fraction."""
_INDENT = " " * 8


@click.command("claims")
@click.argument("run_id", metavar="RUN")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else.")
@common_options()
def claims_command(runs_dir: Path, run_id: str, as_json: bool) -> None:
    """Show which of 28 claims about learning hold on a run, with their numbers. Nothing is computed that an examiner would
    have to answer: `lamplighter examine RUN --prepare claims` does that.
    """
    run = find_prepared(runs_dir, run_id)
    evidence, questions = _read_board(run)
    rows = make_board(evidence)
    if as_json:
        print_line(json.dumps(_as_json(evidence, rows)))
        return
    width = min(100, shutil.get_terminal_size().columns)
    for row in rows:
        for line in _describe(row, width):
            print_line(line)
    states = [row.finding.state for row in rows]
    print_line(", ".join(f"{states.count(state)} {sign}" for state, sign in SIGNS.items()))
    if any(not one.answered and not one.by_button for one in questions):
        print_line(f"more can be measured: lamplighter examine {run.id} --prepare claims")


def prepare_claims(runs_dir: Path, run_id: str, *, yes: bool) -> None:
    """Ask all that the claims wait for and nobody has answered yet, one after the other. What is answered stays, so that it
    can be stopped and begun again.

    Raises:
        ClickException: a question was not answered; the others are.
    """
    run = find_prepared(runs_dir, run_id)
    problems = ask_all(run, wanted_by_claims(run), yes=yes)
    evidence, questions = _read_board(run)
    rows = make_board(evidence)
    measured = sum(row.finding.state is not ClaimState.UNMEASURED for row in rows)
    print_line(f"{measured} of {len(rows)} claims have a number: lamplighter claims {run.id}")
    for one in questions:
        if one.by_button and not one.answered:
            numbers = ", ".join(map(str, one.claims))
            print_line(
                f"claim {numbers} is asked by itself: lamplighter examine {run.id} {one.question.kind}"
            )
    if evidence.recorded_elsewhere:
        raise click.ClickException(
            f"{run.id} is recorded from a training loop of its own, so its model is not here: there is nothing to ask"
        )
    if problems:
        raise click.ClickException("; ".join(problems))


def wanted_by_claims(run: RunFolder, *, by_button: bool = False) -> list[WantedAnswer]:
    """Return what the claims wait for and nobody has answered yet, with `by_button` what only a person may start, too."""
    _, questions = _read_board(run)
    return [
        WantedAnswer(one.question, f"claim {', '.join(map(str, one.claims))}")
        for one in questions
        if not one.answered and (by_button or not one.by_button)
    ]


def find_prepared(runs_dir: Path, run_id: str) -> RunFolder:
    """Return a run that has read its corpus.

    Raises:
        ClickException: it has not.
    """
    run = find_named_run(runs_dir, run_id)
    if not run.is_prepared:
        raise click.ClickException(f"{run.id} has not read its corpus yet: there is nothing to claim")
    return run


def _read_board(run: RunFolder) -> tuple[Evidence, list[BoardQuestion]]:
    moment = read_moment(run)
    evidence = gather_evidence(run, FigureCache(), moment=moment)
    return evidence, list_board_questions(evidence, moment.lineage)


def _describe(row: BoardRow, width: int) -> list[str]:
    claim, finding = row.claim, row.finding
    lines = [f"{claim.number:>2}  {SIGNS[finding.state]:<22} {claim.name}"]
    lines += _wrap(claim.statement, width)
    lines += _wrap(finding.reason, width)
    if finding.null is not None:
        lines += _wrap(f"to compare: {_tell(finding.null)}", width)
    if finding.imported:
        lines += _wrap("as told by whoever gave this run", width)
    return [*lines, ""]


def _wrap(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, initial_indent=_INDENT, subsequent_indent=_INDENT)


def _tell(figure: Figure) -> str:
    if figure.value is None:
        return f"{figure.name}: unknown"
    if figure.unit == "share":
        return f"{figure.name}: {percent(figure.value)}"
    digits = ".0f" if abs(figure.value) >= _WHOLE else ".4g"
    value = f"{figure.value:,{digits}} {figure.unit}".strip()
    return f"{figure.name}: {value}"


def _as_json(evidence: Evidence, rows: list[BoardRow]) -> dict[str, Any]:
    items = [
        {
            "number": row.claim.number,
            "name": row.claim.name,
            "statement": row.claim.statement,
            "condition": row.claim.condition,
            "method": row.claim.method,
            **asdict(row.finding),
            "view": row.view,
            "break_by": asdict(row.break_by),
        }
        for row in rows
    ]
    return {"step": evidence.step, "training": evidence.training, "items": items}
