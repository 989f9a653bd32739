"""A claim: its statement, the rule for when it holds, the finding on a run, and buttons that lead to views."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Literal
from urllib.parse import urlencode

from lamplighter.claims.codes import FigureCode, LinkCode, SentenceCode, WaitCode
from lamplighter.claims.evidence import Evidence
from lamplighter.claims.intervals import Spread
from lamplighter.claims.questions_asked import parse_known
from lamplighter.contract.documented_model import DocumentedRecord
from lamplighter.contract.questions import WHOLE_SOFTMAX

MAX_MAGNITUDE = 1e18
"""Largest magnitude accepted from an answer."""


class ClaimRole(StrEnum):
    """Whether a run could refute a statement, and what a failure means."""

    CLAIM = "claim"
    """A statement about learning that is false for some runs."""
    CHECK = "check"
    """A statement that this program computes or records correctly; a failure is a bug."""
    RECIPE = "recipe"
    """A recipe statement: the sampler, the update rule or the first draw decides it, whatever is learned."""
    DEFINITION = "definition"
    """A statement of what a word means; no run can refute it."""


class ClaimState(StrEnum):
    """A state that a rule derives from a run's numbers."""

    HOLDS = "holds"
    CONDITIONAL = "conditional"
    """Holds in part, or under a condition that the reason names."""
    FAILING = "failing"
    """Does not hold on this run."""
    UNMEASURED = "unmeasured"
    """A number is missing; `waits_for` says which."""


Unit = Literal["", "share", "nats", "bits", "degrees", "bytes", "FLOP", "J", "ms"]
"""The unit of a figure; empty for a plain number, `share` for a part of one."""
Values = dict[str, int | float | str]
"""Numbers and names to fill in, by their names in the sentence's text."""


@dataclass(frozen=True)
class Sentence(DocumentedRecord):
    """A sentence as its code with the values in it; its words are in `texts/`, in each language of the page."""

    code: SentenceCode
    values: Values = field(default_factory=Values)


@dataclass(frozen=True)
class Figure(DocumentedRecord):
    """A number, with the code of what it measures."""

    code: FigureCode
    value: float | None
    """Null where it is unknown."""
    unit: Unit = ""
    """Empty for a plain number, `share` for a part of one."""
    step: int | None = None
    """The step it belongs to; null for the run as a whole, or for none."""
    low: float | None = None
    """The lower end of its interval; null where it has none."""
    high: float | None = None
    """The upper end of its interval."""
    draws: int = 0
    """The number of draws, steps or sentences that the interval comes from; 0 where it has none."""
    values: Values = field(default_factory=Values)
    """Numbers and names for its text, such as the relation or the update rule."""


@dataclass(frozen=True)
class Finding(DocumentedRecord):
    """The finding on a claim: its state and the numbers behind it."""

    state: ClaimState
    """Derived from the figures by a rule (`docs/claims.md`)."""
    reason: tuple[Sentence, ...]
    """The sentences that say why, with the numbers."""
    figures: tuple[Figure, ...] = ()
    null: Figure | None = None
    """The baseline: the mean and the interval of the measure where the claim is false. Null if unknown."""
    waits_for: WaitCode | None = None
    """The code of what the missing number waits for; null if none is missing."""
    imported: bool = False
    """True if a number came with an imported run."""


@dataclass(frozen=True)
class Reading:
    """A part of a finding."""

    holds: bool | None
    """None if not measured."""
    reason: tuple[Sentence, ...]
    figures: tuple[Figure, ...] = ()
    null: Figure | None = None


@dataclass(frozen=True)
class Link(DocumentedRecord):
    """A button that opens a view, and may first ask the model."""

    code: LinkCode
    """The code of its label."""
    view: str
    """The query string of the view."""
    question: dict[str, Any] | None = None
    """The question to post to `examinations` first; null for none."""
    breaks: bool = False
    """True if the view shows the claim failing, false if it shows how far the claim reaches."""
    values: dict[str, str] = field(default_factory=dict[str, str])
    """The words that its label names."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A statement about learning, the same for every run, and its rule. Its words are in `texts/`."""

    number: int
    find: Callable[[Evidence], Finding]
    show: Callable[[Evidence], str]
    """Returns the query string of the view that shows it."""
    break_by: Callable[[Evidence], Link]
    """Returns the link that shows the claim's limits."""
    kinds: tuple[str, ...] = ()
    """The kinds of questions whose answers it uses."""
    role: ClaimRole = ClaimRole.CLAIM


def tell(code: SentenceCode, **values: float | str) -> Sentence:
    return Sentence(code, values)


def waiting(code: WaitCode, *figures: Figure, null: Figure | None = None) -> Finding:
    return Finding(ClaimState.UNMEASURED, (), figures, null, code)


def waiting_for_answer(
    evidence: Evidence, code: WaitCode, *figures: Figure, null: Figure | None = None
) -> Finding:
    """Return the finding of a claim that lacks an examiner's answer; for a recorded run, that none can come."""
    return replace(waiting(code, *figures, null=null), reason=say_unaskable(evidence))


def say_unaskable(evidence: Evidence) -> tuple[Sentence, ...]:
    """Return the sentence that a recorded run's model cannot be asked; an empty tuple for any other run."""
    return (tell("recorded_elsewhere"),) if evidence.recorded_elsewhere else ()


def spread_figure(
    code: FigureCode, spread: Spread, unit: Unit = "", step: int | None = None, **values: float | str
) -> Figure:
    """Return the mean of several draws, with the interval that contains 95 % of them."""
    low = max(0.0, spread.low) if unit == "share" else spread.low
    high = min(1.0, spread.high) if unit == "share" and spread.mean <= 1 else spread.high
    return Figure(code, spread.mean, unit, step, low, high, spread.draws, values)


def choose_state(holds: bool, in_part: bool) -> ClaimState:
    return ClaimState.HOLDS if holds else ClaimState.CONDITIONAL if in_part else ClaimState.FAILING


def as_number(value: object) -> float | None:
    """Return a finite number; None for anything else, or beyond `MAX_MAGNITUDE` (imports are untrusted)."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not -MAX_MAGNITUDE <= value <= MAX_MAGNITUDE
    ):
        return None
    return float(value)


def view(**words: str | int | None) -> str:
    """Return a query string of the arguments that are not None, in order; `from_` stands for `from`."""
    known = {name.rstrip("_"): word for name, word in words.items() if word is not None}
    return f"?{urlencode(known, safe=',:')}"


def ask(
    code: LinkCode, question: dict[str, Any], evidence: Evidence, otherwise: str, *, breaks: bool = False
) -> Link:
    """Return the button that asks a question and opens the view `otherwise`, where its answer is shown. The
    view alone if this run or this version has no such question.
    """
    refused = evidence.recorded_elsewhere or (evidence.sampled and question["kind"] in WHOLE_SOFTMAX)
    askable = not refused and parse_known(question) is not None
    return Link(code, otherwise, question if askable else None, breaks)


def microscope(evidence: Evidence, section: str) -> str:
    return view(panel="microscope", section=section, at=evidence.answered_step("microscope"))


def first_microscope(evidence: Evidence, section: str | None = None) -> str:
    return view(panel="microscope", section=section, at=min(1, evidence.step))


def word_card(evidence: Evidence, **words: str | int | None) -> str:
    """Return the view of the chosen word's card; without a word, the view of the measures."""
    if evidence.word is None:
        return view(panel="measures", **words)
    return view(panel="token", word=evidence.word, **words)
