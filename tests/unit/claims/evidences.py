"""Evidence for the tests of claims: small recorded runs, and answers as the examiner would store them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from lamplighter.claims.board import CLAIMS
from lamplighter.claims.claim import Finding
from lamplighter.claims.evidence import Evidence, StoredAnswer
from lamplighter.claims.figure_cache import FigureCache
from lamplighter.claims.gathering import gather_evidence
from lamplighter.questions import canonical_question, parse_question, question_id
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.examinations import ExaminationsWriter


def gather(run: RunFolder) -> Evidence:
    """Return the evidence about a run, read anew."""
    return gather_evidence(run, FigureCache())


def find(number: int, evidence: Evidence) -> Finding:
    """Return what is found about a claim."""
    return CLAIMS[number - 1].find(evidence)


def with_answer(evidence: Evidence, kind: str, **fields: Any) -> Evidence:
    """Return evidence with one more answer, to a question about its newest step."""
    answer = StoredAnswer(
        evidence.examined_step, {"kind": kind, "step": evidence.examined_step, **fields}, "0" * 16
    )
    return replace(evidence, answers={**evidence.answers, kind: answer})


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


def microscope(**changes: Any) -> dict[str, Any]:
    """Return the fields of a step under the microscope; keyword arguments replace parts of `whole`."""
    return {
        "text": {
            "share_risen": 0.6,
            "losses": {
                "same": {"before": 1.2, "after": 1.1, "predictions": 96},
                "other": {"before": 1.3, "after": 1.31, "predictions": 48},
            },
        },
        "operations": {
            "totals": {
                "forward": 100.0,
                "backward": 200.0,
                "update": 5.0,
                "forward_products": 98.0,
                "backward_products": 197.0,
            }
        },
        "row": {"difference": 0.0, "row": {"numbers": 8, "numbers_equal": 8}},
        "whole": {
            "share": 0.65,
            "cosine": 0.2,
            "degrees": 78.0,
            "rows_moved": 5,
            "rows": 100,
            "right_guesses": {"positions": 60, "of": 96, "gradient_share": 0.2},
            **changes,
        },
        "check": {"equal": True},
    }
