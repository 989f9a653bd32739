"""Query strings of views, and the buttons that lead to them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from lamplighter.claims.claim import Link
from lamplighter.claims.codes import LinkCode
from lamplighter.claims.evidence import Evidence
from lamplighter.claims.questions_asked import parse_known
from lamplighter.contract.questions import WHOLE_SOFTMAX


def view(**words: str | int | None) -> str:
    """Return a query string of the arguments that are not None, in order; `from_` stands for `from`."""
    known = {name.rstrip("_"): word for name, word in words.items() if word is not None}
    return f"?{urlencode(known, safe=',:')}"


def ask(
    code: LinkCode, question: dict[str, Any], evidence: Evidence, otherwise: str, *, breaks: bool = False
) -> Link:
    """Return the button that asks a question and opens the view `otherwise`, where its answer is shown.

    The view alone if this run or this version has no such question.
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
