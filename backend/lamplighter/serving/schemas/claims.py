"""Schemas of the board of claims."""

from __future__ import annotations

from typing import Any

from lamplighter.claims.board import BoardQuestion, ClaimRow, count_states
from lamplighter.claims.claim import ClaimState
from lamplighter.claims.control import ControlRun
from lamplighter.claims.evidence import Evidence
from lamplighter.serving.schemas.base import ApiModel, Items


class ClaimControl(ApiModel):
    """The control of a run: a run with the same recipe on the same text with shuffled words."""

    run: str
    """The id of the run."""
    step: int
    """The step of its column."""
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
    recipe: ClaimStates
    definition: ClaimStates


class ClaimQuestion(ApiModel):
    """A question for the model whose answer claims use."""

    id: str
    """The id of the examination."""
    question: dict[str, Any]
    claims: list[int]
    """The numbers of the claims that use its answer."""
    answered: bool
    """True if any stored answer suffices."""
    by_button: bool
    """True if only a person may start it."""


class ClaimBoard(Items[ClaimRow]):
    """All claims, by number, with the findings on a run."""

    step: int
    """The step of the board: the newest, or shortly before it while the run trains."""
    training: bool
    """True until the run has ended."""
    control: ClaimControl | None
    """The newest control among the other runs; null if there is none."""
    counts: ClaimCounts
    questions: list[ClaimQuestion]
    """In the order in which to ask them."""


def describe_board(
    evidence: Evidence,
    rows: list[ClaimRow],
    questions: list[BoardQuestion],
    control: ControlRun | None = None,
) -> ClaimBoard:
    """Return a board as a schema; `control`: the run of the control's evidence."""
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
        items=rows,
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
