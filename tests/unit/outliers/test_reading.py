from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch.nn import functional as F

import lamplighter
from lamplighter.cli.asking.why import why_command
from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.batches import batch_positions
from lamplighter.model.learner import build_learner
from lamplighter.outliers.reading import explain, find_outlying_steps
from lamplighter.runfolder.run_folder import RunFolder
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
    assert "has no step 999" in missing.output


def test_equal_losses_are_kept_in_the_order_of_the_text() -> None:
    losses = np.zeros(40, np.float32)
    losses[[30, 4]] = 2.0
    kept = keep_largest(losses)
    assert kept.places[:2].tolist() == [4, 30]
    assert len(kept.places) == MAX_KEPT
    assert keep_largest(losses[:3]).places.tolist() == [0, 1, 2]
