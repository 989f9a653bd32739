"""A run played from Python over a real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import lamplighter
from lamplighter.runfolder.run_store import RunStore
from lamplighter.web.settings import ServerSettings
from lamplighter.wire.frames import encode
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Census, Rows
from tests.support.folders import FakeTrainer, finished_run, layout, make_run, write_layouts
from tests.support.served import PacedTrainer, PlayersClock, ServerThread


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServerThread]:
    server = ServerThread(ServerSettings(tmp_path, port=0, roles=())).start()
    yield server
    server.stop()


def test_followed_from_a_step_it_is_as_played_from_the_folder(
    served: ServerThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = finished_run(tmp_path, 60)
    write_layouts(run, layout(1, 0), layout(1, 30))
    url = f"http://127.0.0.1:{served.port}/?run={run.id}"
    channels = ("pulse", "layout", "rows")
    heard = list(lamplighter.follow(url, channels=channels, from_step=12))
    assert [encode(f) for f in heard] == [
        encode(f) for f in lamplighter.open(run.path).play(12, channels=channels)
    ]
    clock = PlayersClock(monkeypatch)
    paced = list(lamplighter.follow(url, channels="pulse", from_step=30, speed=60))
    assert clock.passed == pytest.approx(30 / 60)
    assert [f.step for f in paced] == list(range(30, 61))


def test_a_running_run_is_caught_up_with_and_followed_to_its_end(
    served: ServerThread, tmp_path: Path
) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(30)
    url = f"http://127.0.0.1:{served.port}/?run={run.id}"
    heard: list[object] = []
    ended = False
    with PacedTrainer(trainer, 60) as pace:
        for frame in lamplighter.follow(url, channels=("pulse", "rows"), from_step=5, linger=0.5):
            heard.append(frame)
            if not ended and isinstance(frame, Pulse) and frame.step >= 60:
                ended = True
                pace.__exit__()
                trainer.end()
        pulses = [f for f in heard if isinstance(f, Pulse)]
        assert [f.first_step for f in pulses] == list(range(6, trainer.step + 1))
        assert [f.step for f in heard if isinstance(f, Census)] == [5]
        last = [f for f in heard if isinstance(f, Rows)][-1]
        np.testing.assert_array_equal(last.vectors, trainer.matrices[last.step][last.token_ids])


def test_a_lost_server_is_played_on_where_it_was(tmp_path: Path) -> None:
    run = finished_run(tmp_path, 60)
    server = ServerThread(ServerSettings(tmp_path, port=0, roles=())).start()
    port = server.port
    steps: list[tuple[type, int]] = []
    url = f"http://127.0.0.1:{port}/?run={run.id}"
    for frame in lamplighter.follow(url, channels="pulse", from_step=0, speed=60, patience=20):
        steps.append((type(frame), frame.step))
        if frame.step == 10 and len(steps) == 11:
            server.stop()
            server = ServerThread(ServerSettings(tmp_path, port=port, roles=())).start()
    server.stop()
    (_, again) = (n for n, (kind, _) in enumerate(steps) if kind is Census)
    assert steps[again][1] == steps[again - 1][1] >= 10
    assert [s for kind, s in steps if kind is Pulse] == list(range(1, 61))


def test_rejects_runs_that_cannot_be_followed(served: ServerThread, tmp_path: Path) -> None:
    run = finished_run(tmp_path, 20)
    url = f"http://127.0.0.1:{served.port}/?run={run.id}"
    with pytest.raises(lamplighter.LiveError, match="between 0 and 20"):
        list(lamplighter.follow(url, from_step=21))
    for speed in (0, -1, float("nan"), float("inf")):
        with pytest.raises(lamplighter.InputError, match="speed"):
            lamplighter.follow(url, from_step=0, speed=speed)
    with pytest.raises(lamplighter.InputError, match="from_step"):
        lamplighter.follow(url, from_step=-1)
    with pytest.raises(lamplighter.InputError, match="needs from_step"):
        lamplighter.follow(url, speed=5)
