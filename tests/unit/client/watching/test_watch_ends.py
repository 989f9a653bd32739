"""The end of a watch, for any reason: the loop continues, and the model is unchanged."""

from __future__ import annotations

import copy
import gc
import importlib
from pathlib import Path
from typing import Any

import pytest
import torch

import lamplighter
from lamplighter.client.recording.record_warnings import find_place
from tests.unit.client.watching.small_model import SmallModel, batch, train


def test_a_closed_watcher_leaves_the_model_as_it_was(watched: Any):
    optimizer = importlib.import_module("torch.optim.optimizer")
    model = SmallModel()
    watcher = watched(model)
    train(model, 1)
    watcher.close()
    assert not model._forward_hooks
    assert not model.wte._forward_hooks
    assert not model.wte.weight._backward_hooks
    assert not optimizer._global_optimizer_pre_hooks
    assert not optimizer._global_optimizer_post_hooks


def test_an_exception_interrupts_the_run(watched: Any, tmp_path: Path):
    model = SmallModel()

    def loop() -> None:
        with watched(model):
            train(model, 2)
            raise ZeroDivisionError("the loop's own fault")

    with pytest.raises(ZeroDivisionError):
        loop()
    status = lamplighter.open(tmp_path / "mine").status
    assert (status.phase, status.step) == ("interrupted", 2)
    assert status.message == "the loop stopped after step 2: ZeroDivisionError: the loop's own fault"


def test_an_error_of_ours_ends_the_record_and_not_the_training(
    watched: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    model = SmallModel()
    watched(model, on_error="warn")
    train(model, 3)
    monkeypatch.setattr("lamplighter.client.watching.weight_diff.WeightDiff.compare", lambda *_: 1 / 0)
    with pytest.warns(
        lamplighter.RecordWarning, match=r"ends after step 3: ZeroDivisionError.*Training continues"
    ):
        train(model, 3)
    status = lamplighter.open(tmp_path / "mine").status
    assert (status.phase, status.step) == ("interrupted", 3)
    assert not model.wte._forward_hooks


def test_a_warning_that_cannot_be_written_ends_no_training(
    watched: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: Any, **__: Any) -> None:
        raise ValueError("I/O operation on closed file")

    model = SmallModel()
    watched(model, on_error="warn")
    train(model, 1)
    monkeypatch.setattr("lamplighter.client.watching.weight_diff.WeightDiff.compare", lambda *_: 1 / 0)
    monkeypatch.setattr("warnings.warn_explicit", refuse)
    train(model, 2)
    assert lamplighter.open(tmp_path / "mine").status.phase == "interrupted"


def test_updates_by_hand_keep_nothing_of_the_passes_behind(watched: Any):
    model = SmallModel()
    watcher = watched(model, on_error="warn")
    for _ in range(20):
        ids = batch()
        loss = model(ids, ids)[1]
        assert loss is not None
        loss.backward()
        with torch.no_grad():
            for one in model.parameters():
                assert one.grad is not None
                one -= 0.1 * one.grad
                one.grad.zero_()
    assert len(watcher._window.take_batch().parts) == 2
    with pytest.warns(lamplighter.RecordWarning, match="no optimiser with this embedding"):
        watcher.close()


def test_a_loop_that_ends_before_its_first_recorded_step_is_told_so(watched: Any):
    model = SmallModel()
    watcher = watched(model, every=50)
    train(model, 5)
    with pytest.warns(lamplighter.RecordWarning, match=r"before the first step that is due \(every=50\)"):
        watcher.close()


def test_a_table_that_no_optimiser_holds_keeps_a_bounded_number_of_passes(watched: Any):
    model = SmallModel(tied=False)
    watcher = watched(model)
    train(model, 1)
    model.wte.weight.requires_grad_(False)
    optimizer = torch.optim.SGD([model.mid.weight], lr=0.1)
    kept: list[int] = []

    def loop() -> None:
        for _ in range(450):
            ids = batch(1)
            loss = model(ids, ids)[1]
            assert loss is not None
            loss.backward()
            optimizer.step()
            kept.append(len(watcher._tally._passes) + len(watcher._tally._reached))

    with pytest.warns(lamplighter.RecordWarning, match="no optimiser with this embedding"):
        loop()
    assert max(kept) < 450


def test_an_exception_before_the_first_step_is_the_reason(watched: Any, tmp_path: Path, recwarn: Any):
    model = SmallModel()
    with pytest.raises(ZeroDivisionError), watched(model, first_step=20):
        raise ZeroDivisionError("the loop's own fault")
    status = lamplighter.open(tmp_path / "mine").status
    assert (status.phase, status.message) == (
        "interrupted",
        "the loop stopped after step 20: ZeroDivisionError: the loop's own fault",
    )
    assert not recwarn.list


@pytest.mark.parametrize("steps", [0, 3])
def test_a_table_that_is_watched_again_ends_the_record_before(
    watched: Any, tmp_path: Path, steps: int, recwarn: Any
):
    model = SmallModel()
    watched(model)
    train(model, steps)
    watched(model)
    train(model, 1)
    found = lamplighter.open(tmp_path / "mine" if steps else next((tmp_path / ".trash").iterdir()))
    assert (found.status.phase, found.status.message) == (
        ("finished", "all 3 steps are recorded; then the embedding was watched again")
        if steps
        else ("interrupted", "no step was recorded: the embedding was watched again")
    )
    assert [str(one.message) for one in recwarn.list] == [f"mine: {found.status.message}"] * (not steps)


def test_a_loop_that_goes_on_with_a_copy_is_told_that_the_model_was_freed(watched: Any, tmp_path: Path):
    model = SmallModel()
    watcher = watched(model)
    train(model, 4)
    model = copy.deepcopy(model)
    gc.collect()
    train(model, 2)
    assert watcher.closed
    status = lamplighter.open(tmp_path / "mine").status
    assert (status.phase, status.step) == ("finished", 4)
    assert status.message.startswith("all 4 steps are recorded; then the model was freed (a copy of it")


def test_a_warning_names_the_loop_where_torch_is_in_another_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """As by a `.pth` file, `PYTHONPATH` or system-site-packages: called by torch, called by the loop."""

    def calling(folder: Path, name: str, inner: Any) -> Any:
        names: dict[str, Any] = {"inner": inner}
        exec(compile("def call():\n    return inner()", str(folder / name), "exec"), names)
        return names["call"]

    monkeypatch.setattr(torch, "__file__", str(tmp_path / "elsewhere" / "torch" / "__init__.py"))
    in_torch = calling(tmp_path / "elsewhere" / "torch", "graph.py", find_place)
    in_trainer = calling(tmp_path / "other" / "site-packages" / "trainer", "trainer.py", in_torch)
    assert calling(tmp_path, "loop.py", in_trainer)() == (str(tmp_path / "loop.py"), 2)


def test_the_end_of_exactness_is_told_with_its_price(
    watched: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("lamplighter.client.recording.step_recording.SMALL_MATRIX", 1_000)
    model = SmallModel()
    watched(model, steps=30)
    capsys.readouterr()
    train(model, 4)
    assert capsys.readouterr().out.splitlines(keepends=True)[1:] == [
        "Lamplighter: mine: more than half of the rows moved in step 1: after such steps the matrix is kept only every 100"
        " recorded steps (keyframe_every=1 keeps each): that takes 0.0 MB a step, 0 MB for 30 steps, of a disk_budget of"
        " 1,000 MB; keep_rows=[...] keeps chosen rows of each\n"
    ]
