"""The cost of a trained run, of a recorded run, and of one from before energy was measured.

The work of a step: its parts add up, 6 N D is compared with the products, and bytes count the updated rows.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import apsw
import numpy as np
import pytest
import torch

from lamplighter import record
from lamplighter.contract.recipe import Recipe
from lamplighter.cost.run_cost import (
    INFORMATION,
    LARGER_DIM,
    LARGER_VOCABULARY,
    MAX_POINTS,
    RunCost,
    cost_steps,
    read_run_cost,
    reference_models,
    scale_cost,
)
from lamplighter.cost.step_work import describe_step_work
from lamplighter.model.learner import build_learner
from lamplighter.platform.energy.energy_method import SpentEnergy
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.energy import METHOD_FACT, encode_energy
from lamplighter.runfolder.tables.measures import MeasuresWriter
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.training.worker import train
from tests.support.runs import make_run, small_recipe

STEPS = 60


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    run = make_run(tmp_path_factory.mktemp("runs"), steps=STEPS)
    train(run)
    return run


@pytest.fixture
def run(trained: RunFolder, tmp_path: Path) -> RunFolder:
    return RunFolder(Path(shutil.copytree(trained.path, tmp_path / trained.id)))


def cost_of(run: RunFolder) -> RunCost:
    with StepsReader(run.steps_path) as reader:
        steps = cost_steps(reader.newest_step()[1], run.recipe.cadence.keyframe_every)
        return read_run_cost(run, reader, steps)


def test_reports_energy_and_its_method(trained: RunFolder) -> None:
    cost = cost_of(trained)
    assert cost.step == STEPS
    assert cost.energy is not None
    assert cost.missing is None
    assert cost.energy.step == STEPS
    assert cost.energy.spent.joules > 0
    assert cost.energy.spent.steps == STEPS
    assert cost.watts_now is None, "it has ended"
    assert not cost.energy.used.mixed
    assert cost.work is not None
    assert cost.tokens == STEPS * 32
    assert cost.flops == STEPS * cost.work.flops
    assert [point.step for point in cost.curve] == [0, 20, 40, 60]
    joules = [point.joules for point in cost.curve]
    assert joules[0] == 0
    assert joules == sorted(joules, key=float)  # pyright: ignore[reportArgumentType]
    assert [point.loss is None for point in cost.curve] == [True, False, False, False]
    assert all(point.bits is None for point in cost.curve)
    assert not cost.measured_order


def test_bits_come_from_the_measures_of_that_name(run: RunFolder) -> None:
    with MeasuresWriter(run.measures_path) as writer:
        writer.commit(1, 0, {INFORMATION: 0.5, "purity_10nn": 1.0})
        writer.commit(1, 40, {INFORMATION: 6.25})
        writer.commit(7, 20, {INFORMATION: 9.0})
    cost = cost_of(run)
    assert [point.bits for point in cost.curve] == [0.5, None, 6.25, None]
    assert cost.measured_order


def test_work_uses_the_mean_rows_with_a_gradient(trained: RunFolder) -> None:
    work = cost_of(trained).work
    assert work is not None
    assert work.update_bytes is not None
    assert 1 < work.update_bytes.rows <= 32
    assert work.update_bytes.touched < work.update_bytes.whole


def test_an_older_run_reports_unmeasured_energy(run: RunFolder) -> None:
    connection = apsw.Connection(str(run.steps_path))
    connection.execute("DELETE FROM energy; DELETE FROM facts WHERE name='energy_methods'")
    connection.close()
    cost = cost_of(run)
    assert (cost.energy, cost.missing) == (None, "unmeasured")
    assert cost.work is not None
    assert all(point.joules is None for point in cost.curve)
    assert [row.joules for row in cost.scale] == [None] * len(cost.scale)
    assert all(row.flops > 0 for row in cost.scale)


def test_reports_since_when_energy_was_measured(run: RunFolder) -> None:
    with StepsWriter(run.steps_path) as writer, StepsReader(run.steps_path) as reader:
        (method,) = reader.facts()[METHOD_FACT]
        writer.set_facts({METHOD_FACT: [method | {"after": 40}]})
        writer.set_energy(STEPS, encode_energy(SpentEnergy(10.0, 1.0, 1.0, 20)))
    cost = cost_of(run)
    assert cost.energy is not None
    assert (cost.energy.since, cost.energy.step) == (40, STEPS)
    assert cost.work is not None
    assert cost.scale[0].flops == 20 * cost.work.flops
    assert cost.flops == STEPS * cost.work.flops


def test_counts_a_reading_of_a_superseded_step(run: RunFolder) -> None:
    with StepsWriter(run.steps_path) as writer:
        writer.start_attempt(31)
    cost = cost_of(run)
    assert cost.energy is not None
    assert cost.step == cost.energy.step == 30


def test_recomputed_steps_do_not_raise_the_energy_per_step(run: RunFolder) -> None:
    # Trained to 60, reset to 30 and trained to 60 again, at 2 J per step.
    with StepsWriter(run.steps_path) as writer:
        writer.set_energy(STEPS, encode_energy(SpentEnergy(120.0, 1.0, 1.0, 60)))
        once = cost_of(run)
        writer.set_energy(STEPS, encode_energy(SpentEnergy(180.0, 1.5, 1.5, 90)))
    again = cost_of(run)
    assert again.energy is not None
    assert again.energy.spent.steps == 90
    assert again.work is not None
    assert again.scale[0].joules == 180.0
    assert again.scale[0].flops == 90 * again.work.flops
    assert [row.joules for row in again.scale if row.kind == "model"] == pytest.approx(
        [row.joules for row in once.scale if row.kind == "model"]
    )


def test_a_recorded_run_has_neither_energy_nor_work(tmp_path: Path) -> None:
    matrix = np.random.default_rng(0).standard_normal((30, 4)).astype(np.float32)
    with record(tmp_path / "loop", [f"w{i}" for i in range(30)], embedding=matrix) as recorder:
        for _ in range(3):
            matrix[:5] += 0.1
            recorder.step(matrix, [[0, 1, 2]], 1.0)
    cost = cost_of(RunFolder(tmp_path / "loop"))
    assert (cost.energy, cost.missing, cost.work, cost.scale) == (None, "recorded", None, [])
    assert (cost.tokens, cost.flops) == (None, None)
    assert [point.flops for point in cost.curve] == [None] * len(cost.curve)


@pytest.mark.parametrize("newest", [0, 1, 19, 5_000, 5_001, 1_000_000, 100_000_000])
@pytest.mark.parametrize("every", [1, 7, 20, 100, 100_000])
def test_a_curve_is_bounded_and_ends_with_the_newest_step(newest: int, every: int) -> None:
    steps = cost_steps(newest, every)
    assert len(steps) <= MAX_POINTS
    assert (steps[0], steps[-1]) == (0, newest)
    assert steps == sorted(set(steps))
    for step in steps[:-1]:
        assert step % every == 0 or (every % 25 == 0 and step % 25 == 0)


def test_a_default_run_has_all_its_keyframes_on_the_curve() -> None:
    assert set(range(0, 5_001, 100)) <= set(cost_steps(5_000, 100))


def test_joules_scale_with_the_arithmetic() -> None:
    run, larger, *models = scale_cost(small_recipe(), 300, 20, 60, 12.0, "measured")
    assert (run.kind, run.joules) == ("run", 12.0)
    assert run.flops == 60 * describe_step_work(small_recipe(), 300, 20).flops
    assert larger.kind == "larger"
    assert larger.parameters > 2 * LARGER_VOCABULARY * LARGER_DIM
    assert larger.tokens == run.tokens
    for row in (larger, *models):
        assert row.joules == pytest.approx(12.0 * row.flops / run.flops)
    assert [row.published for row in models] == list(reference_models())


def test_published_models_have_sources_and_match_6nd() -> None:
    models = reference_models()
    assert len(models) <= 5
    for model in models:
        assert model.url.startswith("https://arxiv.org/abs/")
        assert (model.joules is None) == (model.energy_source is None) == (model.energy_url is None)
        if model.flops is not None:
            assert model.flops == pytest.approx(6 * model.parameters * model.tokens, rel=0.05)
        if model.joules is not None:
            # Within the range of GPUs: 0.1 to 10 pJ per operation.
            assert 1e-13 < model.joules / (6 * model.parameters * model.tokens) < 3e-11


V = 300


def recipe(**fields: object) -> Recipe:
    return small_recipe(**fields)


def test_parts_add_up() -> None:
    work = describe_step_work(recipe(), V, 20)
    assert sum(layer.forward for layer in work.layers) == work.forward
    assert sum(layer.backward for layer in work.layers) == work.backward
    assert work.update is not None
    assert work.flops == work.forward + work.backward + work.update
    assert 0 < work.products < work.forward + work.backward


def test_definitions_of_n_match_the_model() -> None:
    model = build_learner(recipe(), V, torch.device("cpu")).model
    every = sum(parameter.numel() for parameter in model.parameters())
    table = model.embedding.weight.numel()
    work = describe_step_work(recipe(), V, 20)
    found = {one.counted: one.parameters for one in work.six_nd}
    assert found == {
        "all": every,
        "without_input_table": every - table,
        "without_tables": every - 2 * table - model.positions.weight.numel(),
    }
    for one in work.six_nd:
        assert one.flops == 6 * one.parameters * 32
        assert one.error == pytest.approx((one.flops - work.products) / work.products)


def test_counts_a_tied_table_once() -> None:
    tied = recipe(
        model={"dim": 16, "layers": 1, "heads": 2, "context": 8, "tied": True}, optimiser={"kind": "adam"}
    )
    work = describe_step_work(tied, V, 20)
    assert [one.counted for one in work.six_nd] == ["all", "without_tables"]
    assert work.six_nd[0].parameters - work.six_nd[1].parameters == V * 16 + 8 * 16


@pytest.mark.parametrize(("kind", "rows", "arrays"), [("lazy", 20, 3), ("sgd", 20, 1), ("adam", V, 3)])
def test_bytes_match_the_gradient_and_the_optimisers_state(kind: str, rows: int, arrays: int) -> None:
    work = describe_step_work(recipe(optimiser={"kind": kind}), V, 20.2)
    assert work.update_bytes is not None
    assert (work.update_bytes.rows, work.update_bytes.arrays) == (rows, arrays)
    assert work.update_bytes.touched == rows * 16 * 4 * (1 + 2 * arrays)
    assert work.update_bytes.whole == V * 16 * 4 * (1 + 2 * arrays)


def test_work_is_unknown_without_rows() -> None:
    work = describe_step_work(recipe(), V, None)
    assert work.update is None
    assert work.update_bytes is None
    assert work.flops == work.forward + work.backward
