"""Schemas of the board of claims."""

from __future__ import annotations

from typing import Any

from lamplighter.claims.board import GROUP_OF, BoardQuestion, BoardRow, count_states
from lamplighter.claims.claim import ClaimRole, ClaimState, Figure, Link
from lamplighter.claims.control import ControlRun
from lamplighter.claims.evidence import Evidence
from lamplighter.serving.schemas.base import ApiModel, Items


class ClaimControlFinding(ApiModel):
    """The finding of a claim's rule on the control."""

    state: ClaimState
    reason: str
    """One sentence that says why, with the numbers of the control."""
    figure: Figure | None
    """The first figure of the control; null where it has none."""
    null: Figure | None
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
    figures: list[Figure]
    null: Figure | None
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
    break_by: Link
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
    control = row.control
    beside = None
    if control is not None:
        first = control.figures[0] if control.figures else None
        beside = ClaimControlFinding.model_validate({**vars(control), "figure": first})
    own = {"group": GROUP_OF[row.claim.number], "control": beside}
    return ClaimRow.model_validate({**vars(row.claim), **vars(row.finding), **vars(row), **own})
