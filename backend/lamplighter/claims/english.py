"""The board's English text for the command line; the page has it in each of its languages."""

from __future__ import annotations

from lamplighter.claims.claim import ClaimState, Figure, Finding
from lamplighter.claims.codes import TEXTS
from lamplighter.contract.sentences import fill


def claim_text(number: int, part: str) -> str:
    return TEXTS["claims"][str(number)][part]


def figure_text(figure: Figure) -> str:
    return fill(TEXTS["figures"][figure.code], figure.values)


def reason_text(finding: Finding) -> str:
    told = [fill(TEXTS["sentences"][one.code], one.values) for one in finding.reason]
    if finding.state is ClaimState.UNMEASURED and finding.waits_for is not None:
        told.insert(0, f"Not measured yet: waiting for {TEXTS['waits'][finding.waits_for]}.")
    return " ".join(told)
