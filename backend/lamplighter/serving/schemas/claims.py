"""Schemas of the board of claims."""

from __future__ import annotations

import math
from typing import Any

from lamplighter.claims.board import GROUP_OF, BoardQuestion, BoardRow, count_states
from lamplighter.claims.claim import ClaimRole, ClaimState, Figure, Finding, Link
from lamplighter.claims.control import ControlRun
from lamplighter.claims.evidence import Evidence
from lamplighter.serving.schemas.base import ApiModel, Items


class ClaimFigure(ApiModel):
    """A number with what it is of."""

    name: str
    value: float | None
    """Null where it is unknown."""
    unit: str
    """A word; empty for a plain number, `share` for a part of one."""
    step: int | None
    """The step that it is of; null: of the run, or of none."""
    low: float | None
    """The lower end of its interval; null where it has none."""
    high: float | None
    """The upper end of its interval."""
    draws: int
    """The number of draws, steps or sentences that the interval comes from; 0 where it has none."""


class ClaimLink(ApiModel):
    """A button: it opens a view of the page, and may ask the model first."""

    label: str
    view: str
    """The query string of the view."""
    question: dict[str, Any] | None
    """The question to post to `examinations` before; null where there is none."""
    breaks: bool
    """True where the view shows the claim failing, false where it shows how far the claim reaches."""


class ClaimControlFinding(ApiModel):
    """The finding of a claim's rule on the control."""

    state: ClaimState
    reason: str
    """One sentence that says why, with the numbers of the control."""
    figure: ClaimFigure | None
    """The first figure of the control; null where it has none."""
    null: ClaimFigure | None
    """The value expected there if the claim were false; null where it is unknown."""
    imported: bool
    """True where a number came with the control, an imported run."""


class ClaimRow(ApiModel):
    """A claim about learning, with what was found on this run."""

    number: int
    """From 1 to 28."""
    role: ClaimRole
    """A claim, which a run may show to be false; a check of this program; or a definition, which no run can."""
    group: str
    """The subject that it shares with some others."""
    name: str
    """Two or three words."""
    statement: str
    condition: str
    """When it holds, and when it stops."""
    method: str
    """How it is measured."""
    state: ClaimState
    """Derived from the figures by a rule (`docs/claims.md`)."""
    reason: str
    """One sentence that says why, with the numbers."""
    figures: list[ClaimFigure]
    null: ClaimFigure | None
    """The value expected if the claim were false, with the interval that several draws of it fall into; null where it is
    unknown."""
    waits_for: str | None
    """The thing that a number is missing for; null where none is."""
    imported: bool
    """True where a number came with an imported run."""
    view: str
    """The query string of the view that shows it."""
    answer_id: str | None
    """The id of the examination whose answer the view shows; null where it shows none, or there is none yet."""
    show_question: dict[str, Any] | None
    """The question to post to `examinations` before the view is opened; null where there is none."""
    break_by: ClaimLink
    """The button that shows where it ends."""
    control: ClaimControlFinding | None
    """The finding of the same rule on the control; null where there is no control."""


class ClaimControl(ApiModel):
    """The control of a run: a run of the same recipe on the same text, whose words are shuffled."""

    run: str
    """The id of the run."""
    step: int
    """The step that its column is of."""
    training: bool
    """True until it has ended."""


class ClaimStates(ApiModel):
    """The numbers of statements in each state."""

    holds: int
    conditional: int
    failing: int
    unmeasured: int


class ClaimCounts(ApiModel):
    """The numbers of statements in each state, by role."""

    claim: ClaimStates
    check: ClaimStates
    definition: ClaimStates


class ClaimQuestion(ApiModel):
    """A question for the model whose answer claims take."""

    id: str
    """The id of the examination."""
    question: dict[str, Any]
    claims: list[int]
    """The numbers of the claims that take its answer."""
    answered: bool
    """True where a stored answer serves, whoever asked for it."""
    by_button: bool
    """True for one that only a person may start."""


class ClaimBoard(Items[ClaimRow]):
    """All claims, by number, with what was found on a run."""

    step: int
    """The step that the board is of: the newest, or a little before it while the run trains."""
    training: bool
    """True until the run has ended."""
    control: ClaimControl | None
    """The newest control among the other runs; null where there is none."""
    counts: ClaimCounts
    questions: list[ClaimQuestion]
    """In the order in which they are to be asked."""


def describe_board(
    evidence: Evidence,
    rows: list[BoardRow],
    questions: list[BoardQuestion],
    control: ControlRun | None = None,
) -> ClaimBoard:
    """Return a board as the interface has it; `control`: the run that the evidence of the control is of."""
    beside = evidence.control
    return ClaimBoard(
        step=evidence.step,
        training=evidence.training,
        control=None
        if control is None or beside is None
        else ClaimControl(run=control.run.id, step=beside.step, training=beside.training),
        counts=ClaimCounts(
            **{
                role: ClaimStates(**{state: counts[state] for state in ClaimState})
                for role, counts in count_states(rows).items()
            }
        ),
        items=[_describe_row(row) for row in rows],
        questions=[
            ClaimQuestion(
                id=one.id,
                question=one.question.model_dump(mode="json"),
                claims=list(one.claims),
                answered=one.answered,
                by_button=one.by_button,
            )
            for one in questions
        ],
    )


def _describe_row(row: BoardRow) -> ClaimRow:
    claim, finding = row.claim, row.finding
    return ClaimRow(
        number=claim.number,
        role=claim.role,
        group=GROUP_OF[claim.number],
        name=claim.name,
        statement=claim.statement,
        condition=claim.condition,
        method=claim.method,
        state=finding.state,
        reason=finding.reason,
        figures=[_describe_figure(figure) for figure in finding.figures],
        null=None if finding.null is None else _describe_figure(finding.null),
        waits_for=finding.waits_for,
        imported=finding.imported,
        view=row.view,
        answer_id=row.answer_id,
        show_question=row.show_question,
        break_by=_describe_link(row.break_by),
        control=None if row.control is None else _describe_control(row.control),
    )


def _describe_control(finding: Finding) -> ClaimControlFinding:
    return ClaimControlFinding(
        state=finding.state,
        reason=finding.reason,
        figure=_describe_figure(finding.figures[0]) if finding.figures else None,
        null=None if finding.null is None else _describe_figure(finding.null),
        imported=finding.imported,
    )


def _describe_figure(figure: Figure) -> ClaimFigure:
    return ClaimFigure(
        name=figure.name,
        value=_finite(figure.value),
        unit=figure.unit,
        step=figure.step,
        low=_finite(figure.low),
        high=_finite(figure.high),
        draws=figure.draws,
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _describe_link(link: Link) -> ClaimLink:
    return ClaimLink(label=link.label, view=link.view, question=link.question, breaks=link.breaks)
