"""Writer of the golden frames: the bytes on which both decoders, Python's and the browser's, are tested.

`python tests/golden/make_golden.py` rewrites `*.bin` and `expected.json` beside this file. Run it only when
the wire format changes on purpose; the files are committed, and a difference is a change of the format.
Non-finite numbers are written as null, arrays as lists, and floats as float32 reads them back.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from lamplighter.serving.live.beat_picker import TouchTally
from lamplighter.wire.beat_frames import Beat, StepsBetween
from lamplighter.wire.district_frames import Districts
from lamplighter.wire.envelope import encode_envelope
from lamplighter.wire.frames import Frame, decode, encode
from lamplighter.wire.grid_frames import Grid, GridChange, GridLayout
from lamplighter.wire.layout_frames import Layout, Method
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import NEVER, Census, Rows

HERE = Path(__file__).parent
TIME = 1_790_000_042.25


def ids(*values: int) -> np.ndarray[Any, np.dtype[np.uint32]]:
    """Return an array of token ids."""
    return np.array(values, dtype=np.uint32)


def floats(*values: float) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return an array of norms, distances or vectors."""
    return np.array(values, dtype=np.float32)


def pulse(**changes: Any) -> Pulse:
    """Return a pulse of three rows out of six; `changes` replace fields."""
    given: dict[str, Any] = {
        "attempt": 1,
        "step": 812,
        "time": TIME,
        "vocabulary": 6,
        "loss": 3.21,
        "learning_rate": 0.003,
        "tokens_per_second": 9_500.0,
        "step_seconds": 0.0125,
        "observe_seconds": 0.0005,
        "batch_ids": ids(0, 2, 5),
        "batch_counts": ids(7, 1, 3),
        "gradient_ids": ids(0, 2, 5),
        "gradient_norms": floats(0.5, 0.25, 0.125),
        "moved_ids": ids(0, 2, 5),
        "moved_distances": floats(0.015, 0.0125, 0.01),
        "layer_norms": floats(0.75, 0.5, 0.375, 1.25),
        "verified": True,
    }
    return Pulse(**(given | changes))


def beat(**changes: Any) -> Beat:
    """Return a beat of three rows out of six, with four of the three steps before it; `changes` replace fields."""
    given: dict[str, Any] = {
        "attempt": 1,
        "step": 812,
        "time": TIME,
        "first_step": 809,
        "vocabulary": 6,
        "loss": 3.21,
        "learning_rate": 0.003,
        "tokens_per_second": 9_500.0,
        "step_seconds": 0.0125,
        "observe_seconds": 0.0005,
        "batch_ids": ids(0, 2, 5),
        "batch_counts": ids(7, 1, 300),
        "gradient_norms": floats(0.5, 0, 0.125),
        "layer_norms": floats(0.75, 0.5, 0.375, 1.25),
        "gradient_rows": 2,
        "moved_rows": 4,
        "drifting_rows": 1,
        "between": StepsBetween(
            ids(0, 1, 3, 5), ids(3, 1, 2, 1), ids(811, 809, 810, 810), floats(0.5, 0, 2, 1)
        ),
    }
    return Beat(**(given | changes))


def grid_layout(**changes: Any) -> GridLayout:
    """Return a layout of five tokens on a grid; `changes` replace fields."""
    given: dict[str, Any] = {
        "attempt": 1,
        "step": 812,
        "time": TIME,
        "method": Method.UMAP,
        "number": 7,
        "grid": Grid(-4.5, 4.5, -2.5, 6.5),
        "places": np.array([[0, 4095], [256, 17], [4094, 3], [2048, 2047], [1, 0]], dtype=np.uint16),
        "trust": 0.875,
        "trust_error": 0.0125,
        "recall": 0.5,
        "sample": 5,
        "by_token": np.array([255, 0, 128, 1, 254], dtype=np.uint8),
    }
    return GridLayout(**(given | changes))


FRAMES: dict[str, Frame] = {
    "pulse-batch": pulse(),
    "pulse-listed": pulse(
        gradient_ids=ids(0, 5),
        gradient_norms=floats(0.5, 0.125),
        moved_ids=ids(0, 1, 2, 5),
        moved_distances=floats(0.015, 0.001, 0.0125, 0.01),
        verified=False,
    ),
    "pulse-all": pulse(
        gradient_ids=ids(*range(6)),
        gradient_norms=floats(0.5, 0.01, 0.25, 0.02, 0.03, 0.125),
        moved_ids=ids(*range(6)),
        moved_distances=floats(0.015, 0.001, 0.0125, 0.002, 0.003, 0.01),
    ),
    "pulse-merged": pulse(first_step=800, batch_counts=ids(91, 13, 39), attempt=2),
    "pulse-empty": pulse(
        step=1,
        loss=math.nan,
        batch_ids=ids(),
        batch_counts=ids(),
        gradient_ids=ids(),
        gradient_norms=floats(),
        moved_ids=ids(),
        moved_distances=floats(),
        layer_norms=floats(),
        verified=False,
    ),
    "layout-umap": Layout(
        attempt=1,
        step=800,
        time=TIME,
        method=Method.UMAP,
        coordinates=floats(-4, -2, 4, -2, 4, 6, -4, 6, 0, 2, 1, 3).reshape(6, 2),
        trust=0.875,
        trust_error=0.0125,
        recall=0.5,
        sample=6,
    ),
    "layout-linear": Layout(
        attempt=1,
        step=0,
        time=TIME,
        method=Method.LINEAR,
        coordinates=floats(0, 1, 1, 1, 2, 1, 3, 1, 4, 1).reshape(5, 2),
    ),
    "layout-trusted": Layout(
        attempt=1,
        step=812,
        time=TIME,
        method=Method.UMAP,
        coordinates=floats(-4, -2, 4, -2, 4, 6, -4, 6, 0, 2).reshape(5, 2),
        trust=0.875,
        trust_error=0.0125,
        recall=0.5,
        sample=5,
        by_token=np.array([255, 0, 128, 1, 254], dtype=np.uint8),
    ),
    "districts": Districts(
        attempt=1,
        step=812,
        time=TIME,
        ids=ids(1, 7),
        names=("animals", "κόσμος · дом"),
        of=np.array([1, 0, 2, 2, 1], dtype=np.uint16),
    ),
    "districts-none": Districts(1, 0, TIME, ids(), (), np.zeros(4, dtype=np.uint16)),
    "rows": Rows(1, 812, TIME, 6, ids(1, 4), floats(1, -2, 3, 0.5, 0.25, -0.125).reshape(2, 3)),
    "rows-all": Rows(1, 800, TIME, 3, ids(0, 1, 2), floats(1, 2, 3, 4, 5, 6).reshape(3, 2)),
    "census": Census(1, 811, TIME, ids(40, 0, 3, 811), ids(811, NEVER, 17, 811)),
    "beat": beat(),
    "beat-next": beat(
        first_step=812,
        between=StepsBetween(ids(), ids(), ids(), None),
        drifting_rows=None,
        elsewhere=True,
        gradient_rows=6,
    ),
    "grid-layout": grid_layout(),
    "grid-change": GridChange(
        attempt=1,
        step=820,
        time=TIME,
        method=Method.UMAP,
        number=8,
        base=7,
        moves=np.array([[1, -4095], [-256, 0], [-4094, 4092], [0, 1], [0, 0]], dtype=np.int16),
        trust=0.875,
        trust_error=0.0125,
        recall=0.5,
        sample=5,
        by_token=np.array([0, 255, 1, 0, 2], dtype=np.uint8),
        from_base=True,
    ),
    # Where the change before leads to.
    "grid-changed": grid_layout(
        step=820,
        number=8,
        places=np.array([[1, 0], [0, 17], [0, 4095], [2048, 2048], [1, 0]], dtype=np.uint16),
        by_token=np.array([255, 255, 129, 1, 0], dtype=np.uint8),
    ),
}
ENVELOPES = {
    "envelope-plain": ["{}"],
    "envelope-deflated": ["beat", "grid-change", '{"type":"status","status":null}'],
}
"""Parts of each envelope: names of frames above, and texts."""


def steps_and_beats() -> tuple[list[bytes | str], list[bytes | str]]:
    """Return a run twice: as a census and all its pulses, and as the census and the beats that a class gets of it."""
    random = np.random.default_rng(5)
    census = Census(1, 0, TIME, np.zeros(24, np.uint32), np.full(24, NEVER, np.uint32))
    pulses, beats = [encode(census)], [encode(census)]
    tally = TouchTally(census)
    for step in range(1, 131):
        batch, moved = (np.flatnonzero(random.random(24) < 0.15).astype(np.uint32) for _ in range(2))
        # For a while every row gets a gradient, as with tied weights.
        gradient = np.arange(24, dtype=np.uint32) if 60 < step < 75 else batch
        one = pulse(
            step=step,
            vocabulary=24,
            batch_ids=batch,
            batch_counts=np.ones(len(batch), np.uint32),
            gradient_ids=gradient,
            gradient_norms=random.random(len(gradient)).astype(np.float32),
            moved_ids=moved,
            moved_distances=floats(*[1.0] * len(moved)),
        )
        pulses.append(encode(one))
        if step % 7 == 0 or step > 120:
            beats.append(encode(tally.show(one)))
        else:
            tally.count_between(one)
    return list(pulses), list(beats)


def plain(value: Any) -> Any:
    """Convert a field to JSON values."""
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value.ravel().tolist()]
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, StepsBetween | Grid):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Method):
        return value.name.lower()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def main() -> None:
    """Write every frame and the values that it must decode to."""
    expected: dict[str, Any] = {}
    for name, frame in FRAMES.items():
        data = encode(frame)
        (HERE / f"{name}.bin").write_bytes(data)
        read = decode(data)
        expected[name] = {"kind": re.sub(r"\B(?=[A-Z])", "-", type(read).__name__).lower()} | {
            field.name: plain(getattr(read, field.name)) for field in fields(read)
        }
    for name, parts in ENVELOPES.items():
        sealed = encode_envelope([encode(FRAMES[part]) if part in FRAMES else part for part in parts])
        (HERE / f"{name}.bin").write_bytes(sealed)
    for name, parts in zip(("envelope-pulses", "envelope-beats"), steps_and_beats(), strict=True):
        (HERE / f"{name}.bin").write_bytes(encode_envelope(parts))
    text = json.dumps(expected, indent=1, sort_keys=True)
    (HERE / "expected.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
