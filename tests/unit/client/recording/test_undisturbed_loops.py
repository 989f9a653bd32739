"""A recorded loop continues despite any error of its record, and is warned once."""

from __future__ import annotations

import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import lamplighter
from lamplighter.runfolder.role_lock import RoleState, role_state

V, D = 20, 4
TOKENS = [f"word{i}" for i in range(V)]


def matrix() -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.default_rng(0).normal(size=(V, D)).astype(np.float32)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a resized embedding": ({"embedding": np.ones((V + 4, D), np.float32)}, "was 20 x 4 and is now 24 x 4"),
    "a meta tensor": ({"embedding": torch.ones(V, D, device="meta")}, "meta device"),
    "a vector of losses": ({"loss": np.ones(3)}, "give its mean"),
    "ids of another vocabulary": ({"token_ids": [V]}, "20 is not a token id"),
    "a gradient of another shape": ({"gradient": np.ones((V, 3), np.float32)}, "embedding's is"),
    "a gradient that is a list": ({"gradient": [1.0]}, "not list"),
    "an object": ({"embedding": object()}, "embedding"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_step_ends_the_record_with_one_warning(wrong: str, tmp_path: Path) -> None:
    weights = matrix()
    right: dict[str, Any] = {"embedding": weights, "token_ids": [1], "loss": 1.0}
    given, message = WRONG[wrong]
    with lamplighter.record(tmp_path / "mine", TOKENS, embedding=weights, first_step=7) as recorder:
        for _ in range(3):
            weights *= np.float32(0.5)
            recorder.step(**right)
        last = weights.copy()
        with pytest.warns(lamplighter.RecordWarning, match=message) as heard:
            recorder.step(**right | given)
        # Any further warning is an error in a test.
        recorder.step(**right)
        weights += 1
        recorder.step(**right | given)
        assert len(heard) == 1
        assert "ends after step 10" in str(heard[0].message)
        assert heard[0].filename == __file__
        assert not recorder.is_recording
        assert role_state(tmp_path / "mine", "trainer") is RoleState.FREE
    run = lamplighter.open(tmp_path / "mine")
    assert (run.status.phase, run.status.step) == ("interrupted", 3)
    assert run.status.message.startswith("later steps than 10 are not recorded: ")
    np.testing.assert_array_equal(run.snapshot(), last)


def test_where_warnings_are_errors_the_loop_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with lamplighter.record(tmp_path / "mine", TOKENS, embedding=matrix()) as recorder:
            recorder.step(matrix(), [-1], 1.0)
            recorder.step(matrix(), [1], 1.0)
    assert caplog.text.count("Training continues") == 1


def test_inconsistent_steps_are_reported_and_recorded(tmp_path: Path) -> None:
    weights = matrix()
    with lamplighter.record(tmp_path / "mine", TOKENS, embedding=weights) as recorder:

        def train(steps: int) -> None:
            for _ in range(steps):
                weights[[1, 2, 3]] += 1
                recorder.step(weights, [14, 15, 16], 1.0, gradient_norms=([1, 2, 3], [1.0, 1.0, 1.0]))

        with pytest.warns(
            lamplighter.RecordWarning, match="step 3 of mine: the gradient has other rows"
        ) as heard:
            train(3)
        train(3)
    run = lamplighter.open(tmp_path / "mine")
    events = [(event.step, event.message) for event in run.events() if event.kind == "contradiction"]
    assert events == [(3, str(heard[0].message).removeprefix("step 3 of mine: "))]
    assert (run.status.phase, run.status.step) == ("finished", 6)


def test_four_threads_record_at_once(tmp_path: Path) -> None:
    weights = matrix()
    with lamplighter.record(tmp_path / "mine", TOKENS, embedding=weights, on_error="raise") as recorder:
        failed: list[BaseException] = []

        def train() -> None:
            try:
                for _ in range(25):
                    recorder.step(weights, [1], 1.0)
            except Exception as error:  # noqa: BLE001
                failed.append(error)

        threads = [threading.Thread(target=train) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failed == []
    assert lamplighter.open(tmp_path / "mine").status.step == 100


ENDS = """
import os, sys, numpy as np, lamplighter
weights = np.ones((20, 4), dtype=np.float32)
recorder = lamplighter.record(sys.argv[1], [str(i) for i in range(20)], embedding=weights)
for step in range(1, 6):
    weights *= 2
    recorder.step(weights, [1], 1.0)
"""
CHILD = """
child = os.fork()
recorder.step(weights, [1], 1.0)
if child == 0:
    recorder.close()
    sys.exit()
os.waitpid(child, 0)
weights *= 2
recorder.step(weights, [1], 1.0)
"""


@pytest.mark.parametrize(
    ("end", "phase", "message", "steps"),
    [
        ("", "finished", "all 5 steps are recorded", 5),
        ("sys.exit(3)", "finished", "all 5 steps are recorded", 5),
        ("1 / 0", "interrupted", "the loop stopped after step 5: ZeroDivisionError: division by zero", 5),
        ("recorder = None", "finished", "all 5 steps are recorded", 5),
        (CHILD, "finished", "all 7 steps are recorded", 7),
    ],
    ids=["its end", "exit", "an error", "forgotten", "a forked child"],
)
def test_an_unclosed_record_ends_with_the_program(
    end: str, phase: str, message: str, steps: int, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    subprocess.run(
        [sys.executable, "-c", ENDS + end, str(folder)], capture_output=True, check=False, timeout=60
    )
    run = lamplighter.open(folder)
    assert (run.status.phase, run.status.message, run.status.step) == (phase, message, steps)
    assert not run.status.alive
    assert run.snapshot()[0, 0] == 2 ** (steps if steps == 5 else 6)


def test_a_folder_that_cannot_be_made_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(lamplighter.InputError, match=r"cannot be created .* choose another folder"):
        lamplighter.record(tmp_path / "file" / "mine", TOKENS, embedding=matrix())
    recorder = lamplighter.record(tmp_path / "file" / "mine", TOKENS)
    with pytest.warns(lamplighter.RecordWarning, match="choose another folder"):
        recorder.step(matrix(), [1], 1.0)


def test_steps_after_the_end_of_a_record_are_reported_once(tmp_path: Path) -> None:
    recorder = lamplighter.record(tmp_path / "mine", TOKENS, embedding=matrix())
    recorder.close()
    with pytest.warns(lamplighter.RecordWarning, match="this recorder is closed"):
        recorder.step(matrix(), [1], 1.0)
    # Any further warning is an error in a test.
    recorder.step(matrix(), [1], 1.0)
    with pytest.raises(lamplighter.InputError, match="on_error: warn or raise"):
        lamplighter.record(tmp_path / "other", TOKENS, on_error="ignore")  # pyright: ignore[reportArgumentType]
