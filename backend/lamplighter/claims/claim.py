"""A claim: what is said, when it holds, and what was found on a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Literal

from lamplighter.claims.codes import FigureCode, LinkCode, SentenceCode, WaitCode
from lamplighter.claims.evidence import Evidence
from lamplighter.claims.intervals import Spread
from lamplighter.documented_model import DocumentedRecord

MOST = 1e18
"""Largest number that an answer is believed."""


class ClaimRole(StrEnum):
    """A kind of statement: whether a run could show it to be false."""

    CLAIM = "claim"
    """It says something about learning, and there are runs that it is false of."""
    CHECK = "check"
    """It says that this program computes or records what it should: a failure is a fault of the program."""
    DEFINITION = "definition"
    """It says what a word means, so no run can show it to be false."""


class ClaimState(StrEnum):
    """A state that a rule derives from the numbers of a run."""

    HOLDS = "holds"
    CONDITIONAL = "conditional"
    """It holds here under a condition that the reason names, or in part."""
    FAILING = "failing"
    """The run shows that it does not hold here."""
    UNMEASURED = "unmeasured"
    """A number is missing; `waits_for` says which."""


Unit = Literal["", "share", "nats", "bits", "degrees", "bytes", "FLOP", "J", "ms"]
"""The unit of a figure; empty for a plain number, `share` for a part of one."""
Values = dict[str, int | float | str]
"""The numbers and names in a sentence, by the names that its text has for them."""


@dataclass(frozen=True)
class Sentence(DocumentedRecord):
    """A sentence as its code with the values in it; its words are in `texts/`, in each language of the page."""

    code: SentenceCode
    values: Values = field(default_factory=Values)


@dataclass(frozen=True)
class Figure(DocumentedRecord):
    """A number with the code of what it measures."""

    code: FigureCode
    value: float | None
    """Null where it is unknown."""
    unit: Unit = ""
    """Empty for a plain number, `share` for a part of one."""
    step: int | None = None
    """The step that it is of; null: of the run, or of none."""
    low: float | None = None
    """The lower end of its interval; null where it has none."""
    high: float | None = None
    """The upper end of its interval."""
    draws: int = 0
    """The number of draws, steps or sentences that the interval comes from; 0 where it has none."""
    values: Values = field(default_factory=Values)
    """The numbers and names in the words for it: the relation or the rule that it is about."""


@dataclass(frozen=True)
class Finding(DocumentedRecord):
    """A finding about a claim: its state with the numbers it follows from."""

    state: ClaimState
    """Derived from the figures by a rule (`docs/claims.md`)."""
    reason: tuple[Sentence, ...]
    """The sentences that say why, with the numbers."""
    figures: tuple[Figure, ...] = ()
    null: Figure | None = None
    """The same measure where the claim is false: its mean and the interval that several draws of it fall into; null where that
    is unknown."""
    waits_for: WaitCode | None = None
    """The code of what a number is missing for; null where none is."""
    imported: bool = False
    """True where a number came with an imported run."""


@dataclass(frozen=True)
class Link(DocumentedRecord):
    """A button: it opens a view of the page, and may ask the model first."""

    code: LinkCode
    """The code of its label."""
    view: str
    """The query string of the view."""
    question: dict[str, Any] | None = None
    """The question to post to `examinations` before; null where there is none."""
    breaks: bool = False
    """True where the view shows the claim failing, false where it shows how far the claim reaches."""
    values: dict[str, str] = field(default_factory=dict[str, str])
    """The words that its label names."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A statement about learning, the same for every run, and the rule that finds its state. Its words are in `texts/`."""

    number: int
    find: Callable[[Evidence], Finding]
    show: Callable[[Evidence], str]
    """Returns the query string of the view that shows it."""
    break_by: Callable[[Evidence], Link]
    """Returns what shows where it ends."""
    kinds: tuple[str, ...] = ()
    """The kinds of questions whose answers it takes."""
    role: ClaimRole = ClaimRole.CLAIM


def tell(code: SentenceCode, **values: float | str) -> Sentence:
    """Return a sentence with its values."""
    return Sentence(code, values)


def waiting(code: WaitCode, *figures: Figure, null: Figure | None = None) -> Finding:
    """Return the finding of a claim that lacks a number; `code` says what it waits for."""
    return Finding(ClaimState.UNMEASURED, (), figures, null, code)


def waiting_for_answer(
    evidence: Evidence, code: WaitCode, *figures: Figure, null: Figure | None = None
) -> Finding:
    """Return the finding of a claim that lacks an answer of the examiner; of a recorded run it says that none can come."""
    return replace(waiting(code, *figures, null=null), reason=say_unaskable(evidence))


def say_unaskable(evidence: Evidence) -> tuple[Sentence, ...]:
    """Return the sentence that the model of a recorded run cannot be asked; nothing for any other run."""
    return (tell("recorded_elsewhere"),) if evidence.recorded_elsewhere else ()


def spread_figure(
    code: FigureCode, spread: Spread, unit: Unit = "", step: int | None = None, **values: float | str
) -> Figure:
    """Return the mean of several draws as a figure, with the interval that 95 of 100 of them fall into."""
    low = max(0.0, spread.low) if unit == "share" else spread.low
    high = min(1.0, spread.high) if unit == "share" and spread.mean <= 1 else spread.high
    return Figure(code, spread.mean, unit, step, low, high, spread.draws, values)


def choose_state(holds: bool, in_part: bool) -> ClaimState:
    """Return the state of a claim that holds, holds in part, or does neither."""
    return ClaimState.HOLDS if holds else ClaimState.CONDITIONAL if in_part else ClaimState.FAILING


def as_number(value: object) -> float | None:
    """Return a finite number as it is; None for anything else, and beyond `MOST`. What an imported run says may be anything."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not -MOST <= value <= MOST:
        return None
    return float(value)
