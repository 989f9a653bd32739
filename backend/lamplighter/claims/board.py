"""The board: what becomes of all 28 claims on a run."""

from __future__ import annotations

from dataclasses import dataclass

from lamplighter.claims import arithmetic, matrix, meaning, motion, rows, surroundings
from lamplighter.claims.claim import Claim, Finding, Link
from lamplighter.claims.evidence import Evidence

CLAIMS: tuple[Claim, ...] = tuple(
    sorted(
        (
            claim
            for group in (meaning, matrix, rows, arithmetic, motion, surroundings)
            for claim in group.CLAIMS
        ),
        key=lambda claim: claim.number,
    )
)
"""All claims, by number."""


@dataclass(frozen=True)
class BoardRow:
    """A claim with what was found on a run."""

    claim: Claim
    finding: Finding
    view: str
    """The query string of the view that shows it."""
    break_by: Link


def make_board(evidence: Evidence) -> list[BoardRow]:
    """Return the rows of the board, by number."""
    return [
        BoardRow(claim, claim.find(evidence), claim.show(evidence), claim.break_by(evidence)) for claim in CLAIMS
    ]
