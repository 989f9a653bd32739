"""A loop that goes on from a checkpoint continues its own run: one curve, whose end no longer counts once a step is recorded."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import lamplighter
from lamplighter.client.watching.watcher import Watcher
from lamplighter.runfolder.fragments.fragment import make_opening
from lamplighter.runfolder.fragments.fragment_source import FragmentSource
from lamplighter.runfolder.fragments.received_run import ReceivedRun, create_received_run
from lamplighter.runfolder.run_folder import RunFolder
from tests.unit.client.watching.small_model import TOKENS, SmallModel, V


class Loop:
    """A loop with AdamW, its checkpoints by step, and its own notes."""

    def __init__(self) -> None:
        self.model = SmallModel()
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=0.01)
        self.at = 0
        self.matrices: dict[int, np.ndarray[Any, Any]] = {}
        self.losses: dict[int, float] = {}
        self.ids: dict[int, np.ndarray[Any, Any]] = {}
        self.checkpoints: dict[int, Any] = {}
        self.note()

    def note(self) -> None:
        self.matrices[self.at] = self.model.wte.weight.detach().numpy().copy()
        self.checkpoints[self.at] = copy.deepcopy((self.model.state_dict(), self.optimizer.state_dict()))

    def go_back(self, step: int) -> None:
        self.model = SmallModel()
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=0.01)
        self.model.load_state_dict(copy.deepcopy(self.checkpoints[step][0]))
        self.optimizer.load_state_dict(copy.deepcopy(self.checkpoints[step][1]))
        self.at = step

    def train(self, to: int, seed: int = 0) -> None:
        while self.at < to:
            self.at += 1
            torch.manual_seed(1_000 * seed + self.at)
            ids = torch.randint(0, V, (2, 5))
            _, loss = self.model(ids, ids)
            assert loss is not None
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.losses[self.at], self.ids[self.at] = float(loss.detach()), np.unique(ids)
            self.note()

    def require_one_curve(self, path: Path, every: int = 1) -> None:
        """Require the record to be that of the steps as this loop took them last, and no others."""
        run = lamplighter.open(path)
        pulses = list(run.steps())
        assert [pulse.step for pulse in pulses] == list(range(1, self.at // every + 1))
        touches = np.zeros(V, int)
        for pulse in pulses:
            number = run.step_number(pulse.step)
            assert number == every * pulse.step
            np.testing.assert_allclose(pulse.loss, self.losses[number], rtol=1e-6)
            if every == 1:
                np.testing.assert_array_equal(pulse.batch_ids, self.ids[number])
                touches[self.ids[number]] += 1
        for step in run.snapshot_steps().tolist():
            np.testing.assert_array_equal(run.snapshot(step), self.matrices[every * step])
        if every == 1:
            np.testing.assert_array_equal(next(iter(run.play(self.at))).touches, touches)


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a context manager that watches a loop, and leaves its record as a kill would if it is told to."""
    monkeypatch.chdir(tmp_path)

    @contextmanager
    def watching(loop: Loop, tokens: Any = TOKENS, **options: Any) -> Iterator[Watcher]:
        options = {"on_error": "raise", **options}
        with lamplighter.watch(loop.model, tokens, options.pop("folder", None), **options) as watcher:
            yield watcher

    return watching


def test_what_followed_the_checkpoint_counts_no_longer(
    watch: Any, loop: Loop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    with watch(loop, folder="mine", steps=40, config={"lr": 0.01}):
        loop.train(29)
    path = tmp_path / "runs" / "mine"
    loop.go_back(20)
    said = (
        "attempt 2 goes on after step 20 with the matrix of the record, bit for bit; what followed in the attempt before no"
        " longer counts"
    )
    with watch(loop, resume="mine", first_step=20, steps=40) as watcher:
        assert f"mine: {said}\n" in capsys.readouterr().out
        assert watcher.folder == path
        # Nothing is superseded before a step is there.
        assert lamplighter.open(path).status.step == 29
        loop.train(40, seed=1)
    loop.require_one_curve(path)
    run = lamplighter.open(path)
    assert run.snapshot_steps().tolist() == list(range(41))
    assert (run.status.phase, run.status.attempt, run.status.step, run.status.steps) == (
        "finished",
        2,
        40,
        40,
    )
    assert run.config == {"lr": 0.01}
    assert [(one.kind, one.attempt, one.step) for one in run.events() if one.message == said] == [
        ("attempt", 2, 21)
    ]
    assert not list((tmp_path / "runs").glob("mine-*"))


def test_a_loop_that_ends_before_its_first_step_changes_nothing(watch: Any, loop: Loop, tmp_path: Path):
    with watch(loop, folder="mine"):
        loop.train(9)
    loop.go_back(5)
    with pytest.raises(ZeroDivisionError), watch(loop, resume="mine", first_step=5):
        raise ZeroDivisionError
    status = lamplighter.open(tmp_path / "runs" / "mine").status
    assert (status.phase, status.attempt, status.step, status.steps) == ("interrupted", 1, 9, 9)
    assert status.message == "the loop stopped after step 5: ZeroDivisionError"
    with watch(loop, resume=tmp_path / "runs" / "mine", first_step=5):
        loop.train(7, seed=2)
    loop.require_one_curve(tmp_path / "runs" / "mine")


def test_another_matrix_and_one_that_is_not_known_are_said(
    watch: Any, loop: Loop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    with watch(loop, folder="mine", every=5):
        loop.train(23)
    loop.go_back(20)
    with torch.no_grad():
        loop.model.wte.weight[3] += 0.5
    with watch(loop, resume="mine", first_step=20, every=5):
        loop.train(31)
    assert (
        "with another matrix than that of the record: 1 rows differ, by at most 1.41;"
        in capsys.readouterr().out
    )
    path = tmp_path / "runs" / "mine"
    loop.require_one_curve(path, every=5)
    assert lamplighter.open(path).snapshot_steps().tolist() == list(range(7))
    loop.go_back(28)
    with watch(loop, resume="mine", first_step=28, every=5):
        loop.train(40)
    assert "does not have the matrix of that step" in capsys.readouterr().out
    loop.require_one_curve(path, every=5)
    assert lamplighter.open(path).status.attempt == 3


def test_a_gap_in_the_record_stays_one(watch: Any, loop: Loop, tmp_path: Path):
    with watch(loop, folder="mine"):
        loop.train(4)
    loop.train(10)
    with watch(loop, resume="mine", first_step=10):
        loop.train(12)
    run = lamplighter.open(tmp_path / "runs" / "mine")
    assert [run.step_number(step) for step in range(7)] == [0, 1, 2, 3, 4, 11, 12]
    for step in run.snapshot_steps().tolist():
        np.testing.assert_array_equal(run.snapshot(step), loop.matrices[run.step_number(step) or 0])


def test_chosen_rows_and_fragments_go_on(
    watch: Any, loop: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("lamplighter.client.recording.step_recording.SMALL_MATRIX", 100)
    with watch(loop, folder="mine", keep_rows=["word3"]):
        loop.train(9)
    run = RunFolder(tmp_path / "runs" / "mine")
    received = create_received_run(tmp_path / "mine", make_opening(run), "test")
    source = FragmentSource(run)

    def send() -> None:
        here = ReceivedRun(received)
        while (fragment := source.make_next()) is not None:
            here.take_over(fragment)
            source.advance()
        here.close()

    send()
    loop.go_back(5)
    with watch(loop, resume="mine", first_step=5):
        loop.train(15, seed=1)
    send()
    for path in (run.path, received.path):
        loop.require_one_curve(path)
        history = lamplighter.open(path).path("word3")
        assert history.steps.tolist() == list(range(16))
        np.testing.assert_array_equal(history.vectors, [loop.matrices[step][3] for step in range(16)])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"resume": "other"}, r"there is no run 'other' in .*runs, which has mine"),
        ({"first_step": 0}, "say with first_step="),
        ({"folder": "mine"}, "give no folder"),
        ({"probes": ["a word"]}, "no probes"),
        ({"tokens": [*TOKENS[:-1], "other"]}, "row 39 of mine is 'word39', and here 'other'"),
        ({"keep_rows": [1]}, "keeps 0 rows of each step, and keep_rows names others"),
    ],
)
def test_a_loop_of_another_run_is_refused(watch: Any, loop: Loop, tmp_path: Path, options: Any, says: str):
    with watch(loop, folder="mine"):
        loop.train(3)
    chosen = {"resume": "mine", "first_step": 2, **options}
    with pytest.raises(lamplighter.InputError, match=says), watch(loop, **chosen):
        pass
    assert lamplighter.open(tmp_path / "runs" / "mine").status.phase == "finished"
    assert not (tmp_path / "runs" / "other").exists()


def test_a_run_that_is_written_or_is_of_another_kind_is_refused(watch: Any, loop: Loop, tmp_path: Path):
    with watch(loop, folder="mine"):
        loop.train(3)
        other = Loop()
        with pytest.raises(lamplighter.InputError, match="cannot be continued now: another process"):
            lamplighter.watch(other.model, TOKENS, resume="mine", first_step=2)
    lamplighter.still(tmp_path / "runs" / "still", loop.model.wte.weight, TOKENS)
    with pytest.raises(lamplighter.InputError, match="still is not the record of a loop"):
        lamplighter.watch(loop.model, TOKENS, resume="still", first_step=2)
