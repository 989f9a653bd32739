"""The first step whose records differ in a bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lamplighter.differences import first_difference
from lamplighter.differences.first_difference import FirstDifference, find_first_difference
from lamplighter.runfolder.tables.steps import StepRecord, StepsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import encode
from lamplighter.wire.pulse_frames import Pulse
from tests.support.folders import pulse

CLOCK = 100


def write(path: Path, pulses: list[Pulse]) -> Path:
    with StepsWriter(path) as writer:
        writer.start_attempt(0)
        for one in pulses:
            writer.commit(StepRecord(one.step, encode(one), b"digest"))
    return path


def compare(tmp_path: Path, *changed: Pulse, steps: int = 200, last: int = 200) -> FirstDifference:
    """Compare a fork at step 100 with its parent, whose steps are the same but for some."""
    changes = {one.step: one for one in changed}
    parent = write(tmp_path / "parent.sqlite", [pulse(1, CLOCK + step) for step in range(1, steps + 1)])
    own = [changes.get(step, pulse(1, step)) for step in range(1, steps + 1)]
    # Speed, time and rate are no effects.
    own = [replace(one, time=1.0, learning_rate=0.5, tokens_per_second=1.0, step_seconds=9.0) for one in own]
    fork = write(tmp_path / "fork.sqlite", own)
    with StepsReader(fork) as reader, StepsReader(parent) as other:
        return find_first_difference(reader, other, CLOCK, 1, last)


def test_equal_records_are_equal_to_the_end(tmp_path: Path) -> None:
    assert compare(tmp_path) == FirstDifference(None, 200, 1)


@pytest.mark.parametrize("step", [1, 64, 65, 150])
@pytest.mark.parametrize(
    "change",
    [
        {"loss": np.nextafter(np.float32(2.5), np.float32(3)).item()},
        {"gradient_norms": np.array([1, 1, np.nextafter(np.float32(1), np.float32(2))], dtype=np.float32)},
        {"moved_ids": np.array([1, 5, 8], dtype=np.uint32)},
        {"layer_norms": np.array([1.0, -0.0], dtype=np.float32)},
    ],
    ids=["loss", "gradient", "moved", "layers"],
)
def test_one_bit_is_found(tmp_path: Path, step: int, change: dict[str, object]) -> None:
    assert compare(tmp_path, replace(pulse(1, step), **change)) == FirstDifference(step, step, 1)  # pyright: ignore[reportArgumentType]


def test_how_a_step_was_observed_does_not_count(tmp_path: Path) -> None:
    assert compare(tmp_path, replace(pulse(1, 7), verified=True)).step is None


def test_it_stops_where_a_record_ends_or_becomes_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert compare(tmp_path, steps=50, last=60) == FirstDifference(None, 50, 1, whole=False)
    monkeypatch.setattr(first_difference, "MAX_BYTES", 1_000)
    (tmp_path / "again").mkdir()
    found = compare(tmp_path / "again")
    assert found.step is None
    assert (0 < found.compared < 200, found.whole) == (True, False)
