"""The evidence about an ideal town: all 28 claims hold. Tests change one number of it at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from lamplighter.claims.evidence import (
    CityFigures,
    EarlierShare,
    EnergyFigures,
    Evidence,
    MatrixFigures,
    OrderFigures,
    PulseFigures,
    RelationFigures,
    StoredAnswer,
    TouchFigures,
    TrustFigures,
    TurnedFigures,
)
from lamplighter.claims.intervals import Spread
from lamplighter.contract.answers import parse_answer
from tests.support.evidences import microscope, whole_answer

ROWS, WIDTH, STEP = 2_382, 64, 5_000
PARAMETERS = 406_528
LENGTH = 2.0
"""Median length of a row at each step."""
PACE = {1: 0.04, 10: 0.03, 100: 0.02, 1_000: 0.015, 2_500: 0.01, 5_000: 0.009}
"""How far a row of the batch moves, relative to its length."""


def town(**changes: Any) -> Evidence:
    """Return the evidence; keyword arguments replace its fields."""
    fields: dict[str, Any] = {
        "step": STEP,
        "examined_step": STEP,
        "rows": ROWS,
        "width": WIDTH,
        "parameters": PARAMETERS,
        "batch_tokens": 512,
        "classes": True,
        "word": "dog",
        "partner": "cat",
        "measures": {
            step: {"neighbour_information": bits} for step, bits in ((0, 0.7), (2_000, 3.7), (5_000, 6.7))
        },
        "pulses": pulses(),
        "first": matrix(0, order(0.0085)),
        "newest": matrix(STEP, order(0.98)),
        "row_lengths": dict.fromkeys(PACE, LENGTH),
        "shifted": 1.2 * LENGTH,
        "relations": {"plural": relation(), "past": relation()},
        "first_turn": 4.0,
        "turned": TurnedFigures(STEP, 1.0, 1.0, 0.0),
        "touches": TouchFigures(STEP, 0.95, 1, 0, 0, 5_000, 185.0, Spread(0.0, 0.02, 20)),
        "trust": TrustFigures(STEP, 0.9, 0.5, 500),
        "energy": EnergyFigures("processor", {0: 0.0, 2_000: 1_000.0, STEP: 2_000.0}),
        "cities": cities(),
        "answers": {kind: stored(kind, fields) for kind, fields in _answers().items()},
    }
    return Evidence(**(fields | changes))


def told(kind: str, changes: Mapping[str, Any] | None = None, evidence: Evidence | None = None) -> Evidence:
    """Return evidence, by default the town's, with numbers of an answer replaced.

    Args:
        kind: the kind of the answer.
        changes: numbers by their dotted paths; None removes one.
        evidence: the evidence to change.
    """
    evidence = evidence or town()
    fields = evidence.answers[kind].answer.model_dump(by_alias=True)
    for path, value in (changes or {}).items():
        *way, last = path.split(".")
        at = fields
        for name in way:
            at = at[name]
        del at[last]
        if value is not None:
            at[last] = value
    return replace(evidence, answers={**evidence.answers, kind: stored(kind, fields)})


def stored(kind: str, fields: Mapping[str, Any]) -> StoredAnswer:
    """Return an answer with some fields given."""
    return StoredAnswer(parse_answer(kind, json.dumps(whole_answer(kind, STEP, fields))), "0" * 16)


def untold(*kinds: str, **changes: Any) -> Evidence:
    """Return the evidence about the town without some answers; keyword arguments replace its fields."""
    evidence = town(**changes)
    return replace(
        evidence, answers={kind: one for kind, one in evidence.answers.items() if kind not in kinds}
    )


def order(purity: float, error: float = 0.003, bits: float = 6.7) -> OrderFigures:
    """Return the order of a matrix: its purity, with the standard error, where chance gives 0.008 ± 0.001,
    and its information of at most 6.7 bits, where chance gives 0.7 ± 0.02.
    """
    return OrderFigures(
        Spread(purity, error, 117), Spread(0.008, 0.001, 20), bits, Spread(0.7, 0.02, 20), 6.7
    )


def matrix(step: int, found: OrderFigures | None, **changes: Any) -> MatrixFigures:
    """Return the figures of a matrix; keyword arguments replace fields."""
    known = MatrixFigures(step, found, 0.42, 0.3, 0.8, Spread(1.4, 0.2, 1_000))
    return replace(known, **changes)


def newest(found: OrderFigures | None = None, **changes: Any) -> Evidence:
    """Return the evidence about a town whose newest matrix has another order, or other figures."""
    return town(newest=matrix(STEP, found or order(0.98), **changes))


def relation(
    score: float = 0.8, pairs: int = 100, right_class: float = 0.05, nearest: float = 0.1
) -> RelationFigures:
    """Return the figures of a relation."""
    return RelationFigures(score, pairs, right_class, nearest)


def pulses(
    pace: Mapping[int, float] | None = None, *, between: float = np.nan, **changes: Any
) -> PulseFigures:
    """Return the figures of 5,000 steps.

    Args:
        pace: how far a batch row moves, relative to its length, in the steps around these.
        between: how far it moves in all others; unknown if not given.
        changes: fields to replace; a single number applies to every step.
    """
    steps = np.arange(1, STEP + 1)
    distance = np.full(STEP, between * LENGTH)
    for step, share in (PACE if pace is None else pace).items():
        distance[(steps >= 0.9 * step) & (steps <= 1.1 * step)] = share * LENGTH
    fields: dict[str, Any] = {
        "batch_rows": 165.0,
        "gradient_rows": 165.0,
        "moved_rows": 165.0,
        "moved_sleepers": 0.0,
        "lit_distance": distance,
        "least_norm": 0.1,
        "most_norm": 1.0,
        "seconds": 0.03,
    } | changes
    recorded, verified = fields.pop("recorded", STEP), fields.pop("verified", True)
    walk = fields.pop("walk", Spread(0.3 * LENGTH, 0.001 * LENGTH, 0))
    arrays = {name: np.broadcast_to(np.asarray(value, dtype=float), STEP) for name, value in fields.items()}
    return PulseFigures(steps=steps, verified=np.full(STEP, verified), recorded=recorded, walk=walk, **arrays)


def cities(**changes: Any) -> CityFigures:
    """Return the figures of both matrices; keyword arguments replace fields."""
    known = CityFigures(
        STEP,
        ("dog", "cat"),
        (1, 1),
        (1, 1),
        Spread(0.52, 0.01, 500),
        (EarlierShare("input", 100, 0.95), EarlierShare("output", 500, 0.84)),
        Spread(0.25, 0.007, 500),
        Spread(0.22, 0.007, 500),
    )
    return replace(known, **changes)


def curve(*points: tuple[int, float | None, float | None]) -> list[dict[str, float | None]]:
    """Return points of a curve in another town: steps there, loss on the first town, purity of
    its classes.
    """
    return [{"step": step, "loss_first": loss, "purity_in_first": purity} for step, loss, purity in points]


def bench(*recipes: tuple[str, int, int]) -> list[dict[str, Any]]:
    """Return bench readings: a name, the rows with a gradient, and the rows that moved, where 165
    were read.
    """
    return [
        {"name": name, "batch_rows": 165, "gradient_rows": gradient, "moved_rows": moved}
        for name, gradient, moved in recipes
    ]


def readings(now: tuple[float, float], untrained: float | None, step: int = STEP) -> list[dict[str, Any]]:
    """Return readings of one word in two sentences: its cosine before the first layer and after the last, and
    that of the untrained model after the last.
    """
    found = [{"step": step, "words": [{"cosines": [now[0], 0.9, now[1]]}]}]
    return found if untrained is None else [*found, {"step": 0, "words": [{"cosines": [0.99, untrained]}]}]


def _answers() -> dict[str, dict[str, Any]]:
    steps = [[1.2, 1.1]] * 40
    return {
        "microscope": microscope(),
        "better": {
            "same": steps,
            "other": steps,
            "unread": steps,
            "shares": {"same": 1.0, "other": 0.5, "unread": 0.5},
            "right_guesses": [0.19, 0.21] * 20,
        },
        "bench": {"recipes": bench(("lazy", 165, 165), ("decay", 165, 900), ("tied", 2_382, 2_382))},
        "batch_sizes": {"sizes": [{"tokens": 512, "share": 0.07}, {"tokens": 131_072, "share": 0.95}]},
        "substitution": {
            "sentences": 200,
            "draws": 8,
            "near": {"rise": 2.0, "error": 0.2},
            "chance": {"rise": 10.0, "error": 0.5, "spread": 0.5},
            "chance_less_near": {"mean": 8.0, "error": 0.3},
        },
        "environment": {
            "curve": curve((0, 1.8, 0.9), (100, 4.0, 0.7), (600, 6.0, 0.4), (700, 1.9, 0.9)),
            "turned_back_at": 600,
            "chance": 0.008,
            "home": {
                "curve": curve((0, 1.8, 0.9), (50, 1.81, 0.9), (100, 1.79, 0.9)),
                "loss": {"mean": 0.0, "spread": 0.01},
                "purity_in": {"mean": 0.0, "spread": 0.01},
            },
        },
        "probe": {"readings": readings((0.99, 0.6), 0.95), "change": [[0.2, 0.4]]},
        "transplant": {
            "first": [{}, {}],
            "loss": {"before": 1.0, "after": 3.0},
            "chance": 5.0,
            "source_step": 500,
            "rise": {"mean": 2.0, "error": 0.05},
            "previous": {
                "step": STEP - 1,
                "loss": 1.001,
                "error": 0.03,
                "rise": {"mean": 0.001, "error": 0.001},
            },
        },
        "devices": {
            "formula": {"dense_bytes": 1_000, "lazy_bytes": 400},
            "measured": {"dense_bytes": 1_000, "lazy_bytes": 400, "difference": 1e-7, "largest": 0.1},
        },
    }
