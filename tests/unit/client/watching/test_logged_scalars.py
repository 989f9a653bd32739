"""Numbers that a loop logs beside its loss: kept with their step, as measures of the run; names and numbers are bounded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import lamplighter
from lamplighter.analysis.analyst import Analyst
from lamplighter.client.watching.step_writer import ScalarLog
from lamplighter.exports.archive.import_run import import_zip
from lamplighter.exports.export import export_run
from lamplighter.exports.output import no_progress
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.scalars import MAX_SCALARS, decode_scalars
from lamplighter.runfolder.tables.steps_reader import StepsReader
from tests.unit.client.watching.small_model import TOKENS, SmallModel, batch


def train(watcher: Any, model: SmallModel, steps: int) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(1, steps + 1):
        ids = batch()
        loss = model(ids, ids)[1]
        assert loss is not None
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if step % 2 == 0:
            watcher.log(**{"eval/loss": torch.tensor(step / 2), "nothing": float("nan")})


def recorded(tmp_path: Path) -> RunFolder:
    model = SmallModel()
    with lamplighter.watch(model, TOKENS, tmp_path / "runs" / "mine", on_error="raise") as watcher:
        train(watcher, model, 5)
        watcher.log(loss=1.0)
        watcher.log(final=7)
    return RunFolder(tmp_path / "runs" / "mine")


def test_they_are_kept_with_their_step_and_become_measures(tmp_path: Path):
    run = recorded(tmp_path)
    with StepsReader(run.steps_path) as reader:
        kept = {step: decode_scalars(text) for step, text in reader.scalars(0, 99).items()}
    assert kept == {2: {"eval/loss": 1.0}, 4: {"eval/loss": 2.0}, 5: {"final": 7.0}}
    Analyst(run, share=1.0).run()
    measures = lamplighter.open(run.path).measures()
    assert {step: values["eval/loss"] for step, values in measures.items() if "eval/loss" in values} == {
        2: 1,
        4: 2,
    }
    assert measures[5]["final"] == 7
    assert "coverage" in measures[5]


def test_they_travel_in_a_zip(tmp_path: Path):
    run = recorded(tmp_path)
    zipped = export_run(run, "zip", out=tmp_path / "run.zip")
    back = import_zip(RunStore(tmp_path / "elsewhere"), zipped, no_progress).run
    with StepsReader(run.steps_path) as before, StepsReader(back.steps_path) as after:
        assert before.scalars(0, 99) == after.scalars(0, 99) != {}


def test_numbers_logged_after_the_last_step_are_recorded(tmp_path: Path):
    model = SmallModel()
    watcher = lamplighter.watch(model, TOKENS, tmp_path / "runs" / "mine", on_error="raise", keyframe_every=4)
    train(watcher, model, 4)
    watcher.log(loss=1.0)
    watcher.log(late=3.0)
    watcher.close()
    run = RunFolder(tmp_path / "runs" / "mine")
    Analyst(run, share=1.0).run()
    assert lamplighter.open(run.path).measures()[4]["late"] == 3


def test_names_and_values_are_checked():
    log = ScalarLog()
    for name in ("", "a" * 65, "two\nlines", "<b>", "é"):
        with pytest.raises(lamplighter.InputError, match="cannot be called"):
            log.log_scalars({name: 1})
    for value in ("text", None, torch.ones(2), [1]):
        with pytest.raises(lamplighter.InputError, match="must be one number"):
            log.log_scalars({"x": value})
    log.log_scalars({f"curve {number}": number for number in range(MAX_SCALARS)})
    with pytest.raises(lamplighter.InputError, match="at most 32 names"):
        log.log_scalars({"more": 1})


def test_a_bad_number_is_said_and_ends_nothing(tmp_path: Path):
    model = SmallModel()
    with lamplighter.watch(model, TOKENS, tmp_path / "mine") as watcher:
        with pytest.warns(lamplighter.RecordWarning, match="must be one number"):
            watcher.log(x="text")
        train(watcher, model, 3)
    assert lamplighter.open(tmp_path / "mine").status.step == 3


def test_a_curve_that_is_logged_all_the_time_stays_bounded():
    log = ScalarLog()
    kept = 0
    for number in range(100_000):
        log.log_scalars({"x": number})
        kept += log.take_scalars() is not None
    assert 500 < kept < 5_000


@pytest.mark.parametrize(
    "text",
    [None, "[]", "{", '{"x": "1"}', '{"x": true}', '{"<b>": 1}', '{"x": NaN}', '{"x": 1e999}', "1" * 9_999],
)
def test_rejects_foreign_values_in_their_place(text: Any):
    with pytest.raises(FormatError, match="logged with a step"):
        decode_scalars(text)
