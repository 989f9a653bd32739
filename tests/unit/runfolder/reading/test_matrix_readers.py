"""The output matrix, read from saved states without torch: available steps, and rejected files.

The cache of run data, bounded by the bytes of its entries.

"""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import lamplighter
from lamplighter.contract.recipe import Recipe
from lamplighter.runfolder.errors import FormatError, NoOutputMatrixError
from lamplighter.runfolder.reading import output_matrix
from lamplighter.runfolder.reading.lru_cache import LruCache
from lamplighter.runfolder.reading.matrix_history import MatrixFollower
from lamplighter.runfolder.reading.output_matrix import (
    OutputPoint,
    has_tied_weights,
    list_output_points,
    read_output_matrix_at,
)
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore, create_recorded_run
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.vocabulary import Vocabulary
from tests.support.folders import D, FakeTrainer, V, finished_run, make_run
from tests.support.synthetic_runs.growing_run import GrowingRun
from tests.support.synthetic_runs.waypoints import INPUT, OUTPUT, random_matrix, write_waypoint


def listed(run: RunFolder) -> list[tuple[int, int]]:
    with StepsReader(run.steps_path) as reader:
        return [(point.attempt, point.step) for point in list_output_points(run, reader)]


def read(run: RunFolder, step: int | None) -> tuple[int, np.ndarray]:
    with StepsReader(run.steps_path) as reader:
        found = read_output_matrix_at(run, reader, step)
    return found.step, found.vectors


def raw_state(run: RunFolder, header: object, body: bytes = b"") -> None:
    """Write a waypoint of step 30 whose header is this value."""
    run.waypoints.mkdir(exist_ok=True)
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path = run.waypoints / "0000000030-0001.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def test_finds_the_newest_existing_state_at_or_before_a_step(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    matrices = {step: random_matrix(run, step) for step in (0, 10, 30)}
    paths = {step: write_waypoint(run, step, matrix) for step, matrix in matrices.items()}
    run.checkpoints.mkdir(exist_ok=True)
    (run.checkpoints / "0000000035-0001.part").write_bytes(b"half")
    assert listed(run) == [(1, 0), (1, 10), (1, 30)]
    for step, found in ((0, 0), (9, 0), (10, 10), (29, 10), (99, 30), (None, 30)):
        reached, vectors = read(run, step)
        assert reached == found
        assert (vectors == matrices[found]).all()
    paths[10].unlink()
    assert read(run, 29)[0] == 0
    opened = lamplighter.open(run.path)
    assert opened.output_steps().tolist() == [0, 30]
    assert (opened.output_matrix(29) == matrices[0]).all()
    assert (opened.output_matrix() == matrices[30]).all()


def test_skips_a_state_removed_after_listing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = finished_run(tmp_path)
    first, second = (random_matrix(run, seed) for seed in (1, 2))
    write_waypoint(run, 10, first)
    path = write_waypoint(run, 20, second)
    with StepsReader(run.steps_path) as reader:
        points = list_output_points(run, reader)
        path.unlink()

        def listed_before(_run: RunFolder, _reader: StepsReader) -> list[OutputPoint]:
            return points

        monkeypatch.setattr(output_matrix, "list_output_points", listed_before)
        assert read_output_matrix_at(run, reader, None).step == 10


def test_ignores_superseded_and_unknown_steps(tmp_path: Path) -> None:
    trainer = FakeTrainer(make_run(RunStore(tmp_path))).begin().train(20)
    run = trainer.run
    for step in (10, 20, 40):
        write_waypoint(run, step, random_matrix(run, step))
    trainer.start_attempt_after(12).train(3)
    write_waypoint(run, 12, random_matrix(run, 12), attempt=2)
    assert listed(run) == [(1, 10), (1, 12)]
    trainer.crash()


@pytest.mark.parametrize(("kind", "exact"), [("f8", True), ("f2", False)])
def test_converts_other_types_to_float32(tmp_path: Path, kind: str, exact: bool) -> None:
    run = finished_run(tmp_path)
    matrix = random_matrix(run, 3)
    write_waypoint(run, 5, matrix.astype(kind))
    _, vectors = read(run, 5)
    assert vectors.dtype == np.float32
    assert (vectors == matrix).all() == exact
    np.testing.assert_allclose(vectors, matrix, rtol=1e-3)


def test_tied_weights_give_the_input_matrix(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    recipe = json.loads((run.path / "recipe.json").read_text())
    recipe["model"]["tied"], recipe["optimiser"] = True, {"kind": "adam"}
    (run.path / "recipe.json").write_text(json.dumps(recipe))
    run = RunFolder(run.path)
    matrix = lamplighter.open(run.path).snapshot(20)
    write_waypoint(run, 20, matrix, name=INPUT)
    assert has_tied_weights(run)
    assert (read(run, 25)[1] == matrix).all()


def test_explains_a_missing_output_matrix(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    with pytest.raises(NoOutputMatrixError, match="no state of this run's model is kept"):
        read(run, None)
    write_waypoint(run, 10, random_matrix(run, 1))
    with pytest.raises(NoOutputMatrixError, match="at or before step 9 is kept: the first is of step 10"):
        read(run, 9)
    recipe = Recipe.model_validate({"corpus": {"kind": "recorded"}, "model": {"dim": 2, "heads": 1}})
    recorded = create_recorded_run(tmp_path / "mine", recipe, Vocabulary(("a", "b"), np.array([1, 1])))
    with StepsWriter(recorded.steps_path) as writer:
        writer.start_attempt(0)
    # The model of a recorded run is unknown, so its waypoints do not count.
    write_waypoint(recorded, 0, np.ones((2, 2), np.float32))
    assert (listed(recorded), has_tied_weights(recorded)) == ([], None)
    with pytest.raises(NoOutputMatrixError, match="nothing else of the model"):
        lamplighter.open(recorded.path).output_matrix()


def entry(**changes: object) -> dict[str, object]:
    return {OUTPUT: {"dtype": "F32", "shape": [V, D], "data_offsets": [0, 4 * V * D]} | changes}


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"[]",
        b"not json",
        b"[" * 100_000,
        {},
        {OUTPUT: None},
        {INPUT: entry()[OUTPUT]},
        entry(data_offsets=[0, 1 << 40]),
        entry(data_offsets=[-64, 4 * V * D - 64]),
        entry(data_offsets=[8, 4]),
        entry(shape=[V, D + 1]),
        entry(shape=[D, V]),
        entry(shape=[V * D]),
        entry(shape=[1 << 40, 1 << 40], data_offsets=[0, 0]),
        entry(dtype="I32"),
        entry(dtype="F64"),
        entry(dtype=["F32"]),
    ],
    ids=str,
)
def test_rejects_a_hostile_state_before_reading_numbers(
    tmp_path: Path, header: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = finished_run(tmp_path)
    raw_state(run, header, bytes(4 * V * D))

    def never(*_: object, **__: object) -> None:
        raise AssertionError("numbers were read")

    monkeypatch.setattr(np, "memmap", never)
    with pytest.raises(FormatError, match=r"^0000000030-0001\.safetensors: ") as refused:
        read(run, None)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400


def test_does_not_parse_an_oversized_header(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    raw_state(run, entry() | {"x" * 4_000_000: None}, bytes(4 * V * D))
    with pytest.raises(FormatError, match="not a safetensors file"):
        read(run, None)


Numbers = NDArray[np.uint8]


def numbers(size: int) -> Numbers:
    return np.zeros(size, np.uint8)


def test_keeps_recently_used_entries_within_the_limit() -> None:
    cache = LruCache(90, lambda entry: entry.nbytes)
    for key in range(3):
        cache.get_or_make(key, lambda: numbers(30))
    cache.get_or_make(0, lambda: numbers(1))
    cache.get_or_make(3, lambda: numbers(20))
    assert list(cache) == [2, 0, 3]
    assert sum(entry.nbytes for entry in cache.values()) <= 90


def test_skips_entries_that_would_evict_most_others() -> None:
    cache = LruCache(90, lambda entry: entry.nbytes)
    cache.get_or_make("small", lambda: numbers(30))
    assert len(cache.get_or_make("large", lambda: numbers(31))) == 31
    assert list(cache) == ["small"]


@given(actions=st.lists(st.integers(-12, 30), min_size=1, max_size=8), seed=st.integers(0, 99))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_holds_the_newest_matrix_bit_for_bit(
    actions: list[int], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A positive action adds that many steps; a negative one goes back that far and starts an attempt."""
    run = GrowingRun(tmp_path_factory.mktemp("runs"), size=12, dim=4, keyframe_every=7, seed=seed)
    follower = MatrixFollower(run.folder)
    with run.writer, StepsReader(run.folder.steps_path) as reader:
        assert follower.advance(reader)
        for action in actions:
            if action < 0:
                run.resume_from(max(0, run.at + action))
            run.grow(abs(action), rows=3)
            assert follower.advance(reader) == (action != 0)
            assert (follower.step, reader.lineage().newest_attempt) == (run.at, run.writer.attempt)
            np.testing.assert_array_equal(follower.vectors, run.vectors)
            assert not follower.advance(reader)


def test_follows_keyframes_without_rows(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path, size=12, dim=4, dense=True)
    follower = MatrixFollower(run.folder)
    with run.writer, StepsReader(run.folder.steps_path) as reader:
        run.grow(9)
        assert follower.advance(reader)
        assert follower.step == 0
        run.grow(4)
        assert follower.advance(reader)
        assert follower.step == 10
        np.testing.assert_array_equal(follower.vectors, run.history[10])


def test_stops_at_a_step_and_goes_back(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path, size=12, dim=4)
    run.grow(95)
    follower = MatrixFollower(run.folder)
    with run.writer, StepsReader(run.folder.steps_path) as reader:
        for step in (93, 41, 40, 95):
            assert follower.advance(reader, to=step)
            assert follower.step == step
            np.testing.assert_array_equal(follower.vectors, run.history[step])


def test_survives_reopening(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path, size=12, dim=4)
    follower = MatrixFollower(run.folder)
    with run.writer:
        for steps in (3, 20, 5):
            run.grow(steps)
            with StepsReader(run.folder.steps_path) as reader:
                assert follower.advance(reader)
            np.testing.assert_array_equal(follower.vectors, run.vectors)
