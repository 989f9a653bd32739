"""The questions that the board asks of a run's model, and which stored answers serve it as well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lamplighter.claims.evidence import Evidence
from lamplighter.questions import Question, QuestionError, parse_question

BY_BUTTON: tuple[str, ...] = ("devices",)
"""Kinds that start further processes: they are asked only by whoever presses their button."""
_TRANSPLANTED_SHARE = 10
"""The matrix that is transplanted is of a step that many times earlier."""
_LEAST_STEPS = 20
"""Steps from which on a comparison serves the board."""
_FOREIGN_STEPS, _BACK_STEPS = 600, 100
"""Steps in another town, and back, as the page asks for them too: some fifteen seconds of a core."""


def parse_known(fields: Mapping[str, Any]) -> Question | None:
    """Return the question in its fields; None for one that this version does not know, or that has no meaning."""
    try:
        return parse_question(dict(fields))
    except QuestionError:
        return None


def list_questions(evidence: Evidence, *, by_button: bool = False) -> list[Question]:
    """Return the questions of the board in the order in which they are asked, the cheap ones first; with `by_button`, those
    too that only a person may start."""
    step = evidence.examined_step
    if evidence.recorded_elsewhere or step < 1:
        return []
    asked: list[dict[str, Any]] = [{"kind": "microscope", "step": step}]
    if evidence.sentences is not None:
        one, other = evidence.sentences
        asked.append(
            {"kind": "probe", "step": step, "sentence": one, "other_sentence": other, "other_step": 0}
        )
        asked.append(
            {
                "kind": "transplant",
                "step": step,
                "prompt": one,
                "source_step": earlier_step(step),
            }
        )
    asked += [
        {"kind": "batch_sizes", "step": step},
        {"kind": "better", "step": step},
        {"kind": "bench", "step": step},
        {"kind": "environment", "step": step, "steps": _FOREIGN_STEPS, "back": _BACK_STEPS},
    ]
    if by_button:
        asked.append({"kind": "devices", "step": step})
    known = (parse_known(fields) for fields in asked)
    return [question for question in known if question is not None]


def rotation_question(evidence: Evidence) -> dict[str, Any] | None:
    """Return the fields of the question that turns the space; None where this run has no model to ask. The board turns it
    by itself, so it never waits for the answer."""
    question = {"kind": "rotation", "step": evidence.examined_step}
    return None if evidence.recorded_elsewhere or parse_known(question) is None else question


def earlier_step(step: int) -> int:
    """Return the step whose matrix is put into the model of `step`."""
    return step // _TRANSPLANTED_SHARE


def serves(kind: str, fields: Mapping[str, Any]) -> bool:
    """Return whether the answer to a question serves the board, whoever asked it."""
    match kind:
        case "probe":
            return fields.get("other_sentence") is not None and fields.get("other_step") is not None
        case "transplant":
            older, step = fields.get("source_step"), fields.get("step")
            return (
                fields.get("into") is None
                and isinstance(older, int)
                and isinstance(step, int)
                and older <= step // 2
            )
        case "bench" | "environment":
            # Shorter ones are asked to see where a claim ends.
            return fields.get("steps", _LEAST_STEPS) >= _LEAST_STEPS
        case "speak" | "what_if" | "rotation":
            return False
        case _:
            return True
