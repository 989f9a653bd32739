"""Evidence for the tests of claims: from small recorded runs, and from answers stored like the examiner's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import NoneType
from typing import Any, Literal, cast, get_args, get_origin

from pydantic import BaseModel

from lamplighter.claims.board import CLAIMS
from lamplighter.claims.claim import ClaimState, Finding, Values
from lamplighter.claims.evidence import Evidence
from lamplighter.claims.gathering import gather_evidence
from lamplighter.contract.answers import Answer
from lamplighter.contract.answers.parts import AnswerBase
from lamplighter.contract.questions import canonical_question, parse_question, question_id
from lamplighter.runfolder.reading.lru_cache import LruCache
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.examinations import ExaminationsWriter

HOLDS, CONDITIONAL, FAILING, UNMEASURED = ClaimState
_MISSING = object()


def gather(run: RunFolder) -> Evidence:
    """Return the evidence about a run, read without a cache."""
    return gather_evidence(run, LruCache())


def find(number: int, evidence: Evidence) -> Finding:
    """Return the finding on a claim."""
    return CLAIMS[number - 1].find(evidence)


def said(finding: Finding) -> dict[str, Values]:
    """Return the values of each sentence that explains a claim's state, by code."""
    return {sentence.code: sentence.values for sentence in finding.reason}


def judge(number: int, *several: Evidence) -> list[ClaimState]:
    """Return the state of a claim for each piece of evidence."""
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


def whole_answer(kind: str, step: int, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer's fields: the given ones, and minimal values for all others."""
    models: tuple[type[AnswerBase], ...] = get_args(get_args(Answer)[0])
    [model] = (model for model in models if get_args(model.model_fields["kind"].annotation) == (kind,))
    return _fill(model, fields) | {"kind": kind, "step": step}


def _fill(model: type[BaseModel], fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _complete(field.annotation, fields.get(name, _MISSING))
        for name, field in ((field.alias or name, field) for name, field in model.model_fields.items())
        if name in fields or field.is_required()
    }


def _complete(kind: Any, value: Any) -> Any:
    """Return a value of a type, completed with minimal values: null if allowed, else empty, 0 or the first
    choice.
    """
    choices = get_args(kind)
    if NoneType in choices:
        return None if value is _MISSING or value is None else _complete(choices[0], value)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        given = cast("Mapping[str, Any]", {} if value is _MISSING else value)
        return _fill(kind, given) if isinstance(given, dict) else given
    if get_origin(kind) is list:
        given: Any = [] if value is _MISSING else value
        return [_complete(choices[0], one) for one in given] if isinstance(given, list) else given
    if value is not _MISSING:
        # Operation counts are checked by formula, so they need real values.
        return round(value) if kind is int and isinstance(value, float) else value
    if get_origin(kind) is tuple:
        return [_complete(choice, _MISSING) for choice in choices]
    return choices[0] if get_origin(kind) is Literal else kind()


def microscope() -> dict[str, Any]:
    """Return microscope fields for which all claims that need only the microscope hold."""
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
