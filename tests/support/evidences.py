"""Evidence for the tests of claims: that of small recorded runs, and answers as the examiner stores them."""

from __future__ import annotations

import json
from typing import Any

from lamplighter.claims.board import CLAIMS
from lamplighter.claims.claim import ClaimState, Finding, Values
from lamplighter.claims.evidence import Evidence
from lamplighter.claims.gathering import gather_evidence
from lamplighter.questions import canonical_question, parse_question, question_id
from lamplighter.runfolder.reading.lru_cache import LruCache
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.examinations import ExaminationsWriter

HOLDS, CONDITIONAL, FAILING, UNMEASURED = ClaimState


def gather(run: RunFolder) -> Evidence:
    """Return the evidence about a run, read without a cache."""
    return gather_evidence(run, LruCache())


def find(number: int, evidence: Evidence) -> Finding:
    """Return what is found about a claim."""
    return CLAIMS[number - 1].find(evidence)


def said(finding: Finding) -> dict[str, Values]:
    """Return the values of each sentence that says why a claim has its state, by code."""
    return {sentence.code: sentence.values for sentence in finding.reason}


def judge(number: int, *several: Evidence) -> list[ClaimState]:
    """Return the state of a claim on each piece of evidence."""
    return [find(number, evidence).state for evidence in several]


def store_answer(run: RunFolder, question: dict[str, Any], answer: object, attempt: int = 1) -> None:
    """Store the answer to a question in a run's folder, as the examiner does."""
    asked = parse_question(question)
    name = question_id(attempt, asked)
    writer = ExaminationsWriter(run.examinations_path)
    writer.add_question(
        name, attempt=attempt, step=asked.step, kind=asked.kind, question=canonical_question(asked)
    )
    writer.finish(name, json.dumps(answer))
    writer.close()


def microscope() -> dict[str, Any]:
    """Return the fields of a step under the microscope on which all claims that need it alone hold."""
    return {
        "text": {
            "share_risen": 0.6,
            "losses": {
                "same": {"before": 1.2, "after": 1.1, "predictions": 512},
                "other": {"before": 1.3, "after": 1.31, "predictions": 512},
            },
        },
        "operations": {
            "totals": {
                "forward": 4e6,
                "backward": 8e6,
                "update": 1e6,
                "forward_products": 3.9e6,
                "backward_products": 7.9e6,
            }
        },
        "row": {"difference": 0.0, "row": {"numbers": 64, "numbers_equal": 64, "largest_difference": 0.0}},
        "whole": {
            "share": 0.62,
            "cosine": 0.21,
            "degrees": 78.0,
            "rows_moved": 165,
            "rows": 2_382,
            "right_guesses": {"positions": 300, "of": 512, "gradient_share": 0.2},
            "random": {
                "before": 1.2,
                "after": 1.1,
                "losses": [1.2, 1.202, 1.198, 1.201, 1.199],
                "cosine_spread": 0.0016,
            },
        },
        "check": {"equal": True, "largest_difference": 0.0, "largest_update": 0.02, "rows_compared": 2_382},
    }
