"""A course packed with a run."""

from __future__ import annotations

from pathlib import Path

LAST = 1_000
WORDS = ("the", "cat", "dog", "horse", "rabbit", "queen", "barked", "meowed", "sea", "salt", "road", "lamp")
LIE = {"kind": "what_if", "sentence": "the cat barked", "steps": 5, "after": 50, "step": LAST}
STATES = [("before", 0), *(("sentence", turn) for turn in range(1, 6)), ("town", 50)]
ANSWER = {
    "kind": "what_if",
    "step": LAST,
    "attempt": 1,
    "sentence": [0, 1],
    "told": 6,
    "learning_rate": 0.003,
    "text": "held_out",
    "states": [{"phase": phase, "number": number, "loss": 2.0, "text_loss": 1.5} for phase, number in STATES],
    "own": {
        "ids": [0, 1],
        "p": [0.01, 0.2, 0.5, 0.75, 0.9, 0.95, 0.5],
        "said": 6,
        "said_p": [0.1, 0.2, 0.5, 0.75, 0.9, 0.95, 0.5],
    },
    "also_changed": [],
    "watched": 0,
    "candidates": {phase: [[6, 0.5]] for phase in ("before", "sentence", "town")},
    "parameters_moved": 1.0,
    "replayed": {"from": LAST, "steps": 0, "equal": None, "difference": None},
}
"""An examiner's answer to the question of part 10."""
BREAKOUT = "</script><img src=x onerror=alert(1)>"


def write_part(folder: Path, text: str, number: int = 77) -> Path:
    """Write a part of one stage into a folder of texts. Returns the folder."""
    folder.mkdir(exist_ok=True)
    head = f"title: Own\nminutes: 1\n\n# look: {BREAKOUT}\n\n"
    (folder / f"{number}-own.md").write_text(head + text, encoding="utf-8")
    return folder
