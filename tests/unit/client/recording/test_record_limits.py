"""Limits of a record: the disk that it takes, the steps of a loop that it sees, the facts that it states."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lamplighter
from lamplighter.runfolder.reading.snapshot import read_touches
from lamplighter.runfolder.tables.steps_reader import StepsReader

V, D = 20, 4
TOKENS = [f"word{i}" for i in range(V)]


def matrix(size: int = V, dim: int = D) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.default_rng(0).normal(size=(size, dim)).astype(np.float32)


def bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*"))


@pytest.mark.parametrize(("dim", "first_kept"), [(2, True), (60, False)])
def test_a_dense_record_stays_within_its_budget_and_keeps_the_last_matrix(
    dim: int, first_kept: bool, tmp_path: Path
) -> None:
    size, steps, budget = 5_000, 400, 1_000_000
    weights = matrix(size, dim)
    tokens = [str(i) for i in range(size)]
    largest = 0
    with lamplighter.record(tmp_path / "mine", tokens, embedding=weights, disk_budget=budget) as recorder:
        for step in range(1, steps + 1):
            weights *= np.float32(0.99)
            recorder.step(weights, np.arange(100), float(step), gradient=weights)
            largest = max(largest, bytes_in(tmp_path))
    assert largest <= budget
    assert bytes_in(tmp_path) <= budget + (0 if first_kept else weights.nbytes)
    run = lamplighter.open(tmp_path / "mine")
    assert run.snapshot().tobytes() == weights.tobytes()
    exact = run.snapshot_steps().tolist()
    assert (exact[0] == 0, exact[-1]) == (first_kept, run.status.step)
    assert run.step_number(run.status.step) == steps
    said = [event.message for event in run.events() if event.kind == "thinned"]
    assert first_kept or any("no more snapshots are kept" in message for message in said)
    assert any("only loss and batch of each step are kept" in message for message in said)
    assert run.status.phase == "interrupted"
    assert "budget of 1 MB is used: later steps than" in run.status.message
    pulses = list(run.steps())
    assert [pulse.loss for pulse in pulses[:-1]] == list(range(1, len(pulses)))
    assert pulses[-1].loss == steps
    for pulse in pulses:
        # All or nothing: no step is said to have moved no row, or to have had no gradient.
        assert pulse.verified == (len(pulse.moved_ids) == size) == pulse.gradient_known
        assert len(pulse.batch_ids) == 100


def test_near_its_budget_a_record_keeps_a_series_of_matrices_that_is_dense_at_the_end(tmp_path: Path) -> None:
    size, dim, budget, every, steps = 2_000, 64, 5_000_000, 3, 300
    weights = matrix(size, dim)
    first, largest = weights.copy(), 0
    with lamplighter.record(
        tmp_path / "mine", list(map(str, range(size))), embedding=weights,
        disk_budget=budget, keyframe_every=every, on_error="raise",
    ) as recorder:  # fmt: skip
        for step in range(1, steps + 1):
            weights[:, 0] = step
            recorder.step(weights, [step % size], float(step))
            largest = max(largest, bytes_in(tmp_path))
            if step % 50 == 0:
                # The map of a run in progress needs the newest.
                assert lamplighter.open(tmp_path / "mine").snapshot()[0, 0] > step - every
    assert largest <= budget
    run = lamplighter.open(tmp_path / "mine")
    kept = run.snapshot_steps()
    assert len(kept) >= 4
    assert (kept[0], kept[-1]) == (0, steps)
    gaps = np.diff(kept)
    # Wider and wider apart towards the beginning, and none has a gap before it that is long for its age.
    assert (gaps[1:] <= 1.5 * gaps[:-1]).all()
    assert (gaps <= 4 * (steps - kept[1:] + every)).all(), kept
    np.testing.assert_array_equal(run.snapshot(0), first)
    for step in kept[1:].tolist():
        assert (run.snapshot(step)[:, 0] == step).all()
    said = [event.message for event in run.events() if event.kind == "thinned"]
    assert sum("an old keyframe goes for each new one" in message for message in said) == 1
    assert run.status.phase == "finished"
    assert run.status.snapshots == "keyframes"
    # Each step's loss and batch are there, even where its matrix is not.
    assert [pulse.loss for pulse in run.steps()] == list(range(1, steps + 1))


def test_keyframes_go_before_the_record_ends(tmp_path: Path) -> None:
    size, steps, budget = 2_000, 500, 5_000_000
    weights, largest, many = matrix(size, 64), 0, 0
    with lamplighter.record(
        tmp_path / "mine", list(map(str, range(size))), embedding=weights, disk_budget=budget, keyframe_every=3,
    ) as recorder:  # fmt: skip
        for step in range(1, steps + 1):
            weights[:, 0] = step
            recorder.step(weights, np.arange(1_000), float(step), gradient=weights)
            largest = max(largest, bytes_in(tmp_path))
            if recorder.at == 100:
                many = len(lamplighter.open(recorder.folder).snapshot_steps())
    assert largest <= budget
    run = lamplighter.open(tmp_path / "mine")
    last = run.status.step
    assert run.step_number(last) == steps
    assert run.status.phase == "interrupted"
    # The first, the newest before the record ended, and the last of the loop.
    kept = run.snapshot_steps().tolist()
    assert many > 3
    assert (kept[0], kept[2:]) == (0, [last])
    assert last - kept[1] <= 6
    assert [pulse.loss for pulse in run.steps()][:-1] == list(range(1, last))


def test_moved_rows_leave_room_for_keyframes(tmp_path: Path) -> None:
    size, dim, steps = 1_000, 60, 600
    weights = matrix(size, dim)
    with lamplighter.record(
        tmp_path / "mine", list(map(str, range(size))), embedding=weights, disk_budget=6_000_000, keyframe_every=20,
    ) as recorder:  # fmt: skip
        for step in range(1, steps + 1):
            weights[:100] = step
            recorder.step(weights, [1], float(step))
    run = lamplighter.open(tmp_path / "mine")
    kept = run.snapshot_steps().tolist()
    of_rows = next(index for index, step in enumerate(kept) if index != step)
    assert of_rows > 40
    # After the steps of which rows are kept, keyframes alone: several, and the last.
    assert len(kept) - of_rows >= 4
    assert kept[-1] == steps
    for step in kept:
        assert run.snapshot(step)[0, 0] == (step or matrix(size, dim)[0, 0])


def test_every_few_steps_stand_for_those_between(tmp_path: Path) -> None:
    weights = matrix()
    start = weights.copy()
    with lamplighter.record(
        tmp_path / "mine", TOKENS, embedding=weights, every=3, first_step=4, steps=13
    ) as recorder:
        for number in range(5, 15):
            weights[number] += number
            norms = np.zeros(V)
            norms[[number, 1]] = number, 20 - number
            recorder.step(
                # Only the steps that are recorded have to bring the matrix.
                weights if number % 3 == 0 else None,
                [number, 1, 1],
                float(number),
                gradient_norms=None if number == 11 else norms,
            )
        assert (recorder.at, recorder.number) == (3, 14)
    run = lamplighter.open(tmp_path / "mine")
    assert [run.step_number(step) for step in range(4)] == [4, 6, 9, 12]
    first, second, third = run.steps()
    assert [pulse.loss for pulse in (first, second, third)] == [6, 9, 12]
    assert [pulse.batch_ids.tolist() for pulse in (first, second)] == [[1, 5, 6], [1, 7, 8, 9]]
    assert second.batch_counts.tolist() == [6, 1, 1, 1]
    assert second.gradient_ids.tolist() == [1, 7, 8, 9]
    assert second.gradient_norms.tolist() == [13, 7, 8, 9]
    assert second.moved_ids.tolist() == [7, 8, 9]
    # One of the three steps had no gradient, so that the rows of all three are not known.
    assert [pulse.gradient_known for pulse in (first, second, third)] == [True, True, False]
    with StepsReader(tmp_path / "mine" / "steps.sqlite") as reader:
        counted = read_touches(reader, 3)
    assert counted.touches[[1, 5, 12, 13]].tolist() == [3, 1, 1, 0]
    np.testing.assert_array_equal(run.snapshot(0), start)
    assert run.status.steps == 3


def test_a_loop_may_number_its_steps(tmp_path: Path) -> None:
    weights = matrix()
    with lamplighter.record(tmp_path / "mine", TOKENS, on_error="raise") as recorder:
        for number in (10, 20, 30, 1_000):
            weights[2] += 1
            recorder.step(weights, [2], None, step=number)
        for wrong in (1_000, 0, 2**53):
            with pytest.raises(lamplighter.InputError, match="step numbers must increase"):
                recorder.step(weights, [2], None, step=wrong)
        recorder.step(weights, [2], None)
    run = lamplighter.open(tmp_path / "mine")
    assert [run.step_number(step) for step in range(1, 6)] == [10, 20, 30, 1_000, 1_001]


def test_config_is_stored_as_json_values(tmp_path: Path) -> None:
    config = {
        "lr": np.float32(0.5),
        "path": tmp_path,
        "nested": {"betas": (0.9, float("nan")), 3: None},
        "n": True,
    }
    with lamplighter.record(tmp_path / "mine", TOKENS, embedding=matrix(), config=config):
        pass
    kept = lamplighter.open(tmp_path / "mine").config
    assert kept == {
        "lr": "0.5",
        "path": str(tmp_path),
        "nested": {"betas": [0.9, "nan"], "3": None},
        "n": True,
    }
    json.dumps(kept, allow_nan=False)
    for wrong, message in (([1], "a dict, not list"), ({"a": ["x" * 900] * 40}, "at most 32,000")):
        with pytest.raises(lamplighter.InputError, match=message):
            lamplighter.record(tmp_path / "other", TOKENS, config=wrong)  # pyright: ignore[reportArgumentType]
    assert not (tmp_path / "other").exists()


def test_a_name_that_is_no_id_becomes_one_and_is_shown(tmp_path: Path) -> None:
    with pytest.warns(lamplighter.RecordWarning, match="recorded in .*lr3e-3-v1-2"):
        recorder = lamplighter.record(tmp_path / "lr3e-3_v1.2", TOKENS, embedding=matrix())
    recorder.close()
    assert recorder.folder == tmp_path / "lr3e-3-v1-2"
    run = lamplighter.open(recorder.folder)
    assert (run.id, run.recipe.corpus.name) == ("lr3e-3-v1-2", "lr3e-3_v1.2")
    with pytest.raises(FileExistsError):
        lamplighter.record(tmp_path / "LR3e-3 v1.2", TOKENS, embedding=matrix())


def test_a_record_contains_only_given_facts(tmp_path: Path) -> None:
    weights = matrix()
    with lamplighter.record(tmp_path / "mine", TOKENS, embedding=weights, keyframe_every=7) as recorder:
        weights[1] += 1
        recorder.step(weights, [1], None)
    run = lamplighter.open(tmp_path / "mine")
    recipe = run.recipe
    assert (recipe.corpus.kind, recipe.model.dim, recipe.cadence.keyframe_every) == ("recorded", D, 7)
    guesses = [recipe.optimiser, recipe.sequences, recipe.passages, recipe.seed, recipe.device, recipe.steps]
    guesses += [recipe.model.layers, recipe.model.heads, recipe.model.tied, recipe.corpus.tokeniser]
    assert guesses == [None] * len(guesses)
    (pulse,) = run.steps()
    assert np.isnan([pulse.loss, pulse.learning_rate]).all()
    assert not pulse.gradient_known
    assert run.config == {}
