from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from numpy.typing import NDArray
from torch.nn import functional as F

import lamplighter
from lamplighter.cli.asking.why import why_command
from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.batches import batch_positions
from lamplighter.model.learner import build_learner
from lamplighter.outliers import step_figures
from lamplighter.outliers.answer import Figure, OutlyingSteps
from lamplighter.outliers.reading import explain, find_outlying_steps
from lamplighter.outliers.step_figures import JudgedFigures
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.step_numbers import StepNumbers
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.training.worker import train
from lamplighter.wire.top_losses import MAX_KEPT, TopLosses, keep_largest
from tests.support.runs import make_run
from tests.support.synthetic_runs.bad_batches import BadBatch, bad_batch_at

STEPS, BAD = 120, 77


def trained(folder: Path, **changes: Any) -> RunFolder:
    run = make_run(folder, steps=STEPS, sequences=16, passages=4, **changes)
    train(run)
    return run


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return trained(tmp_path_factory.mktemp("quiet"))


@pytest.mark.parametrize("kind", ["random tokens", "one repeated token", "random targets"])
def test_finds_a_bad_batch_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: BadBatch) -> None:
    monkeypatch.setattr(BatchReader, "batch", bad_batch_at(BAD, kind))
    found = find_outlying_steps(trained(tmp_path))
    assert found.items[0].step == BAD


def test_a_quiet_run_has_none(quiet: RunFolder) -> None:
    found = find_outlying_steps(quiet)
    assert (found.items, found.found) == ([], 0)
    assert found.figures == ["loss", "gradient_norm", "rows_moved"]
    assert (found.first, found.last) == (21, STEPS)


def test_the_kept_losses_are_those_of_the_model(tmp_path: Path) -> None:
    run = trained(tmp_path, optimiser={"learning_rate": 1e-30})
    opened = lamplighter.open(run.path)
    # No step moves anything, so the model before step 9 is a new one.
    learner = build_learner(run.recipe, len(run.vocabulary), torch.device("cpu"))
    ids = torch.from_numpy(run.token_ids[batch_positions(run.recipe, len(run.token_ids), 9)].astype(np.int64))
    with torch.no_grad():
        logits = learner.model.logits(ids[:, :-1])
    wanted = F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none").numpy()
    with StepsReader(run.steps_path) as reader:
        top = TopLosses.decode(reader.top_losses_at([9])[9], len(run.vocabulary))
    assert set(top.places.tolist()) == set(np.argsort(-wanted)[:MAX_KEPT].tolist())
    np.testing.assert_allclose(top.losses, np.sort(wanted)[::-1][:MAX_KEPT], rtol=1e-5)
    told = opened.explain_step(9)
    flat = ids[:, 1:].flatten()
    assert [one.target for one in told.top_losses] == flat[top.places.astype(np.int64)].tolist()
    first = told.top_losses[0]
    sequence, position = divmod(first.place, run.recipe.model.context)
    assert first.before == ids[sequence, : position + 1].tolist()
    share = np.sort(wanted)[::-1][:MAX_KEPT].sum() / wanted.sum()
    assert told.top_share == pytest.approx(share, rel=1e-4)


def test_tells_what_moved_beside_what_is_usual(quiet: RunFolder) -> None:
    told = explain(quiet, 60)
    pulse = next(iter(lamplighter.open(quiet.path).steps(60, 60)))
    assert told.rows[0].distance == pytest.approx(float(pulse.moved_distances.max()))
    assert [row.distance for row in told.rows] == sorted((row.distance for row in told.rows), reverse=True)
    assert told.around == [35, 85]
    assert told.usual_top_share is not None
    assert {one.figure for one in told.figures} == {"loss", "gradient_norm", "rows_moved"}
    with pytest.raises(LookupError):
        explain(quiet, STEPS + 1)


def test_the_command_tells_both(quiet: RunFolder) -> None:
    def run(*words: str) -> str:
        result = CliRunner().invoke(why_command, [*words, "--runs", str(quiet.path.parent)])
        assert result.exit_code == 0, result.output
        return result.output

    assert "no step stands out, of steps 21 to 120" in run(quiet.id)
    assert "the 16 hardest predictions" in run(quiet.id, "--step", "60")
    assert json.loads(run(quiet.id, "--step", "60", "--json"))["step"] == 60
    missing = CliRunner().invoke(why_command, [quiet.id, "--step", "999", "--runs", str(quiet.path.parent)])
    assert missing.exit_code == 1
    assert "has no step 999: recorded are 120" in missing.output


def figures_of(**values: NDArray[np.float64]) -> JudgedFigures:
    return JudgedFigures(1, cast("dict[Figure, NDArray[np.float64]]", values), StepNumbers())


def noisy(seed: int) -> NDArray[np.float64]:
    return 2 + 0.1 * np.random.default_rng(seed).standard_normal(300)


def test_figures_that_are_no_finite_number_are_named_and_the_rest_is_judged() -> None:
    loss, norm = noisy(0), noisy(1)
    loss[[199, 200, 249]] = (np.nan, np.inf, 6.0)
    norm[200] = np.nan
    found = figures_of(loss=loss, gradient_norm=norm, rows_moved=np.full(300, np.nan))
    told = found.list_outlying(10)
    assert [(one.kind, one.step, one.until) for one in told.items] == [
        ("not_finite", 200, 201),
        ("spike", 250, 250),
    ]
    assert [one.figure for one in told.items[0].figures] == ["loss", "gradient_norm"]
    assert [one.value for one in told.items[0].figures] == [None, None]
    assert found.of_step(200)[0].value is None
    assert told.figures == ["loss", "gradient_norm"]
    OutlyingSteps.model_validate_json(told.model_dump_json())


def test_a_loss_that_is_recorded_now_and_then_is_judged_and_its_gaps_are_not_named() -> None:
    loss = np.full(3000, np.nan)
    loss[9::10] = noisy(2)
    loss[1509] = 7.0
    told = figures_of(loss=loss, gradient_norm=np.full(3000, np.nan), rows_moved=np.full(3000, np.nan))
    assert [(one.kind, one.step) for one in told.list_outlying(10).items] == [("spike", 1510)]
    # A loop whose loss is not known at first.
    late = np.r_[np.full(50, np.nan), noisy(3)]
    nothing = np.full(350, np.nan)
    assert figures_of(loss=late, gradient_norm=nothing, rows_moved=nothing).list_outlying(10).items == []


def test_chance_has_its_tries_in_every_figure_that_varies() -> None:
    loss, nothing = noisy(4), np.full(300, np.nan)
    loss[150] += 0.9
    alone = figures_of(loss=loss, gradient_norm=nothing, rows_moved=np.full(300, 8.0))
    three = figures_of(loss=loss, gradient_norm=noisy(5), rows_moved=noisy(6))
    one, third = (
        next(figure for figure in figures.of_step(151) if figure.figure == "loss")
        for figures in (alone, three)
    )
    assert third.by_chance == pytest.approx(3 * one.by_chance)
    # A limit between the two: what stands out alone does not among three.
    limit = 2 * one.by_chance
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(step_figures, "CHANCE_LIMIT", limit)
        assert [
            [item.step for item in figures_of(**figures.values).list_outlying(9).items]
            for figures in (alone, three)
        ] == [[151], []]


def test_figures_that_stand_out_together_are_one_stretch() -> None:
    loss, norm = noisy(7), noisy(8)
    loss[100:106] += 3
    norm[99:106] *= 9
    told = figures_of(loss=loss, gradient_norm=norm, rows_moved=np.full(300, 8.0)).list_outlying(9)
    (item,) = told.items
    assert {one.figure for one in item.figures} == {"loss", "gradient_norm"}
    assert (item.step, item.until) in ((101, 106), (100, 106))
    assert item.figures[0].by_chance <= item.figures[1].by_chance


def test_equal_losses_are_kept_in_the_order_of_the_text() -> None:
    losses = np.zeros(40, np.float32)
    losses[[30, 4]] = 2.0
    kept = keep_largest(losses)
    assert kept.places[:2].tolist() == [4, 30]
    assert len(kept.places) == MAX_KEPT
    assert keep_largest(losses[:3]).places.tolist() == [0, 1, 2]


def test_a_loop_that_is_watched_now_and_then_hears_its_own_steps(tmp_path: Path) -> None:
    rows, last = 16, 2000
    model = torch.nn.Embedding(rows, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-6)
    draw = np.random.default_rng(0)
    runs = tmp_path / "runs"
    tokens = [f"w{row}" for row in range(rows)]
    watcher = lamplighter.watch(model, tokens, runs / "mine", every=10, on_error="raise")
    with watcher:
        for number in range(1, last + 1):
            bad = 1000 < number <= 1020
            model(torch.randint(0, rows, (8,))).square().sum().backward()
            watcher.log(loss=2 + 0.1 * draw.standard_normal() + 5 * bad)
            optimizer.step()
            optimizer.zero_grad()
    run = lamplighter.open(runs / "mine")
    (item,) = run.outlying_steps().items
    assert (item.step, item.until, item.number, item.until_number) == (101, 102, 1010, 1020)
    assert run.explain_step(101).number == 1010

    def say(*words: str) -> str:
        result = CliRunner().invoke(why_command, ["mine", *words, "--runs", str(runs)])
        assert result.exit_code == (0 if "1011" not in words else 1), result.output
        return result.output

    told = say()
    assert "steps 1,010 to 1,020" in told
    assert "of steps 210 to 2,000" in told
    assert "of steps 410 to 2,000" in say("--from", "201")
    assert "step 1,010, beside steps 760 to 1,260" in say("--step", "1010")
    assert "has no step 1,011: recorded are 1,010 and 1,020" in say("--step", "1011")
