"""Sets of steps: the same steps as a table of flags, in memory proportional to the ranges.

The curves of a set whose members end at different steps.
Shared timelines: each entry is stored once, and played once, with its step or as soon as it exists.
"""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from lamplighter.runfolder.lineage import LAST_STEP, step_key
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.reading.curves import last_common_step, read_curves
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.row_deltas import StepCoverage, StepSet
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.sqlite.database import open_writer
from lamplighter.runfolder.tables import steps
from lamplighter.runfolder.tables.measures import MeasuresWriter
from lamplighter.wire.frames import encode
from tests.support.folders import FakeTrainer, finished_run, make_run, pulse

SIZE = 40


def some_steps(random: np.random.Generator) -> np.ndarray:
    return np.flatnonzero(random.random(SIZE) < random.random())


def some_ranges(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    firsts = random.integers(0, SIZE, random.integers(0, 6))
    return firsts, np.minimum(SIZE - 1, firsts + random.integers(0, 9, len(firsts)))


def flags(found: StepSet) -> np.ndarray:
    is_member = np.zeros(SIZE, dtype=bool)
    is_member[found.to_array()] = True
    return is_member


@pytest.mark.parametrize("seed", range(60))
def test_matches_a_table_of_flags(seed: int) -> None:
    random = np.random.default_rng(seed)
    listed, (firsts, lasts) = some_steps(random), some_ranges(random)
    one, other = StepSet.of_steps(listed), StepSet.of_ranges(firsts, lasts)
    dense = np.zeros((2, SIZE), dtype=bool)
    dense[0, listed] = True
    for first, last in zip(firsts, lasts, strict=True):
        dense[1, first : last + 1] = True
    both = one | other
    for found, expected in ((one, dense[0]), (other, dense[1]), (both, dense[0] | dense[1])):
        assert flags(found).tolist() == expected.tolist()
        assert (found.firsts[1:] > found.lasts[:-1] + 1).all()
        low, high = sorted(random.integers(0, SIZE, 2))
        inside = np.flatnonzero(expected)
        assert found.clip(low, high).to_array().tolist() == [s for s in inside if low <= s <= high]
        assert found.first_at_or_after(low) == next((s for s in inside if s >= low), None)
        hole = next((s for s in range(low, SIZE) if not expected[s]), SIZE)
        assert found.end_of_range(low) == hole - 1


@pytest.mark.parametrize("seed", range(60))
def test_steps_are_exact_from_a_keyframe_to_the_next_gap(seed: int) -> None:
    random = np.random.default_rng(seed)
    keyframes, rows = some_steps(random), some_steps(random)
    tiled = StepSet.of_ranges(*some_ranges(random))
    exact, known = [], False
    for step in range(SIZE):
        known = step in keyframes or (known and (step in rows or bool(flags(tiled)[step])))
        exact += [step] if known else []
    coverage = StepCoverage(keyframes, StepSet.of_steps(rows), tiled)
    assert coverage.exact.to_array().tolist() == exact


def test_memory_depends_on_rows_not_on_step_numbers(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    connection = open_writer(run.steps_path, steps.SCHEMA)
    connection.execute(
        "INSERT INTO pulses VALUES(?,?,?)", (step_key(1, LAST_STEP), b"x", encode(pulse(1, LAST_STEP)))
    )
    connection.close()
    tracemalloc.start()
    with MatrixHistory(run) as history:
        assert history.steps.newest_step() == (1, LAST_STEP)
        assert history.exact_steps().tolist() == list(range(36))
        assert not history.is_exact(LAST_STEP)
        assert history.token_history(3).steps.tolist() == list(range(36))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def record(folder: Path, ends: dict[int, Phase | None], whole: int = 230) -> list[RunFolder]:
    """Record a run for each last step, with a measure at every twentieth step and at the last."""
    runs: list[RunFolder] = []
    for end, phase in ends.items():
        trainer = FakeTrainer(
            make_run(RunStore(folder), steps=whole), loss_of=lambda step, end=end: end + step / 100
        )
        trainer.begin().train(end)
        if phase is None:
            trainer.crash()
        else:
            trainer.end(phase)
        with MeasuresWriter(trainer.run.measures_path) as writer:
            for step in sorted({*range(0, end + 1, 20), end}):
                writer.commit(1, step, {"purity_10nn": float(end)})
        runs.append(trainer.run)
    return runs


def test_a_member_that_ended_early_bends_no_band(tmp_path: Path) -> None:
    runs = record(tmp_path, {230: Phase.FINISHED, 229: None, 41: Phase.FAILED})
    loss, purity = read_curves(runs, ["loss", "purity_10nn"])
    # Every third step; the last of all is the longest run's. 41 and 229 are steps of one run alone.
    assert loss.steps.tolist() == [1, *range(3, 230, 3), 230]
    assert loss.count.tolist() == [3 if step <= 41 else 2 if step <= 229 else 1 for step in loss.steps]
    assert purity.steps.tolist() == [*range(0, 221, 20), 230]
    assert np.isnan(purity.lines[2, 3:]).all()
    # Measured in one of three so far, a band is not drawn to that one alone.
    with MeasuresWriter(runs[0].measures_path) as writer:
        writer.commit(1, 30, {"purity_10nn": 1.0})
    assert 30 not in read_curves(runs, ["purity_10nn"])[0].steps


def test_a_member_that_failed_early_does_not_hold_the_others_at_its_last_step(tmp_path: Path) -> None:
    failed, going, *finished = record(
        tmp_path, {5: Phase.FAILED, 20: None, 30: Phase.FINISHED, 31: Phase.FINISHED}
    )
    fresh = make_run(RunStore(tmp_path), prepared=False)
    assert last_common_step([failed, going, *finished, fresh]) == 30
    assert last_common_step([going, failed, fresh]) == 5
    assert last_common_step([fresh]) is None
