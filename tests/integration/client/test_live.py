"""A loop recorded into the folder of a real server and followed from Python, live or from a step on."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import lamplighter
from lamplighter.cli.app import cli
from lamplighter.client import live_run
from lamplighter.client.server_requests import run_address
from lamplighter.runfolder.run_store import RunStore
from lamplighter.web.settings import ServerSettings
from lamplighter.wire.frames import Frame, encode
from lamplighter.wire.layout_frames import Layout
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Census, Rows
from tests.support.application import Application
from tests.support.folders import FakeTrainer, finished_run, layout, make_run, write_layouts
from tests.support.served import PacedTrainer, ServerThread
from tests.support.waiting import wait_until

V, D = 80, 6
TOKENS = [f"word{i}" for i in range(V)]


class Loop:
    """A recorded training loop in a thread."""

    def __init__(self, folder: Path, steps: int, pause: float) -> None:
        self.kept: dict[int, np.ndarray] = {}
        self.go = threading.Event()
        self._ask = (folder, steps, pause)
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        folder, steps, pause = self._ask
        choose = np.random.default_rng(3)
        weights = choose.normal(size=(V, D)).astype(np.float32)
        with lamplighter.record(folder, TOKENS, embedding=weights, keyframe_every=20) as recorder:
            self.kept[0] = weights.copy()
            for step in range(1, steps + 1):
                ids = choose.integers(0, V, size=8)
                weights[np.unique(ids)] += choose.normal(size=D).astype(np.float32) * np.float32(0.1)
                self.kept[step] = weights.copy()
                recorder.step(weights, ids, 3 / step, gradient=np.ones((V, D), dtype=np.float32))
                time.sleep(pause)
            self.go.wait(30)

    def end(self) -> None:
        self.go.set()
        self.thread.join(20)


def test_a_recorded_loop_is_a_run_like_any_other(tmp_path: Path) -> None:
    with Application(tmp_path, "serve") as app:
        # The follower is to see the loop from its beginning: all routes are there first.
        app.get("/api/runs")
        loop = Loop(tmp_path / "mine", steps=60, pause=0.02)
        wait_until(lambda: (tmp_path / "mine" / "steps.sqlite").exists(), "the run to begin")
        frames: list[Frame] = []
        follower = lamplighter.follow(f"{app.url}/?run=mine", channels=("pulse", "layout", "rows"), linger=1)
        for frame in follower:
            frames.append(frame)
            if isinstance(frame, Pulse) and frame.step == 60:
                break
        pulses = [f for f in frames if isinstance(f, Pulse)]
        census = next(f for f in frames if isinstance(f, Census))
        assert pulses[0].first_step == census.step + 1
        assert all(b.first_step == a.step + 1 for a, b in itertools.pairwise(pulses))
        # The streamed matrix and moved rows equal the loop's own, bit for bit.
        matrix = np.empty((V, D), dtype=np.float32)
        for rows in (f for f in frames if isinstance(f, Rows)):
            matrix[rows.token_ids] = rows.vectors
            assert matrix.tobytes() == loop.kept[rows.step].tobytes()
        shown = app.get("/api/runs/mine")
        assert (shown["layers"], shown["vocabulary"], shown["dim"]) == (["embedding"], V, D)
        assert (shown["status"]["phase"], shown["status"]["alive"]) == ("running", True)
        assert app.get("/api/runs/mine/steps/7")["tokens"] == []
        for body in ({"kind": "pause"}, {"kind": "continue", "steps": 5}):
            with pytest.raises(AssertionError, match=r"409 .*takes no requests"):
                app.ask(app.run("mine"), body.pop("kind"), **body)
        with pytest.raises(AssertionError, match=r"422 .*external training loop"):
            app.start_run({"corpus": {"kind": "recorded"}})
        # The server started the projector and the analyst on its own.
        wait_until(lambda: bool(app.get("/api/runs/mine/layouts")["items"]), "a layout of a live run")
        wait_until(lambda: bool(app.get("/api/runs/mine/measures")["items"]), "measures of a live run")
        assert app.get("/api/runs/mine")["status"]["alive"]
        loop.end()
        rest = list(follower)
        assert not [f for f in rest if isinstance(f, Pulse)]
        run = lamplighter.open(tmp_path / "mine")
        wait_until(lambda: not run.status.alive, "the end")
        assert run.status.phase == "finished"
        assert isinstance(run.layout(method="linear"), Layout)
        # Following a finished run ends at once.
        seen = list(lamplighter.follow(f"{app.url}/api/runs/mine", channels="pulse"))
        assert [(type(f), f.step) for f in seen] == [(Census, 60)]
        assert not (tmp_path / "mine" / "logs" / "trainer.log").exists()
        with pytest.raises(lamplighter.LiveError, match="there is no run 'nobody'"):
            list(lamplighter.follow(f"{app.url}/api/runs/nobody"))
        with pytest.raises(lamplighter.LiveError, match="not the presenter's token"):
            list(lamplighter.follow(f"{app.url}/api/runs/mine", token="wrong"))
        assert list(lamplighter.follow(f"{app.url}/api/runs/mine", token=app.token, channels=["pulse"]))


@pytest.mark.tour
def test_a_still_city_and_a_lost_server(tmp_path: Path) -> None:
    np.save(tmp_path / "e.npy", np.random.default_rng(0).normal(size=(V, D)).astype(np.float32))
    (tmp_path / "v.txt").write_text("\n".join(TOKENS))
    lamplighter.still(tmp_path / "runs" / "still", tmp_path / "e.npy", tmp_path / "v.txt")
    app = Application(tmp_path / "runs", "serve")
    loop = None
    try:
        shown = app.get("/api/runs/still")
        assert (shown["status"]["phase"], shown["status"]["step"], shown["vocabulary"]) == ("finished", 0, V)
        wait_until(lambda: bool(app.get("/api/runs/still/layouts")["items"]), "the map of a still city")
        assert app.get("/api/runs/still/snapshots")["exact"]
        loop = Loop(tmp_path / "runs" / "mine", steps=150, pause=0.02)
        wait_until(lambda: (tmp_path / "runs" / "mine" / "steps.sqlite").exists(), "the run to begin")
        steps: list[tuple[type[Frame], int]] = []
        for frame in lamplighter.follow(f"{app.url}/api/runs/mine", channels=["pulse"], patience=20):
            steps.append((type(frame), frame.step))
            if len(steps) == 10:
                port = app.port
                app.close()
                app = Application(tmp_path / "runs", "serve", port=port)
            if frame.step == 150:
                loop.end()
        kinds = [kind for kind, _ in steps]
        # It goes on where it was.
        assert kinds.count(Census) == 1
        assert [step for _, step in steps] == list(range(steps[0][1], 151))
    finally:
        if loop is not None:
            loop.end()
        app.close()


@pytest.mark.parametrize(
    "url",
    [
        "http://h:1/?run=a",
        "http://h:1/api/runs/a",
        "ws://h:1/api/runs/a/live?channels=rows",
        "http://u@h:1/?run=a&step=3",
    ],
)
def test_a_run_is_named_by_any_of_its_addresses(url: str) -> None:
    assert run_address(url) == "http://h:1/api/runs/a"


@pytest.mark.parametrize("url", ["", "mine", "http://h:1", "ftp://h/api/runs/a", "http://[::1/?run=a"])
def test_rejects_invalid_address(url: str) -> None:
    with pytest.raises(lamplighter.InputError, match="address"):
        lamplighter.follow(url)


def test_a_missing_server_and_an_invalid_channel() -> None:
    with pytest.raises(lamplighter.LiveError, match="no Lamplighter server answers"):
        list(lamplighter.follow("http://127.0.0.1:9/api/runs/a"))
    with pytest.raises(lamplighter.InputError, match="any of pulse, layout, rows, not 'gradient'"):
        lamplighter.follow("http://127.0.0.1:9/api/runs/a", channels=["gradient"])


def test_the_command_line_does_not_train_it(tmp_path: Path) -> None:
    with lamplighter.record(tmp_path / "mine", TOKENS, embedding=np.zeros((V, D), dtype=np.float32)):
        pass
    ask: Callable[[list[str]], object] = lambda words: cli.main(  # noqa: E731
        ["--runs", str(tmp_path), "train", *words], standalone_mode=False
    )
    with pytest.raises(ValueError, match="cannot be trained here"):
        ask(["--resume", "mine"])
    (tmp_path / "r.toml").write_text('[corpus]\nkind = "recorded"\n')
    with pytest.raises(ValueError, match="cannot be trained here"):
        ask(["--recipe", str(tmp_path / "r.toml")])
    assert lamplighter.open(tmp_path / "mine").status.phase == "finished"


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
    slept: list[float] = []
    clock = SimpleNamespace(monotonic=lambda: sum(slept), sleep=slept.append)
    monkeypatch.setattr(live_run, "time", clock)
    paced = list(lamplighter.follow(url, channels="pulse", from_step=30, speed=60))
    assert sum(slept) == pytest.approx(30 / 60)
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
    assert steps == [(Census, 0), *((Pulse, step) for step in range(1, 61))]


@pytest.mark.parametrize("newest_only", [False, True])
def test_a_slow_reader_gets_every_step_or_the_newest(
    served: ServerThread, tmp_path: Path, newest_only: bool
) -> None:
    trainer = FakeTrainer(make_run(RunStore(tmp_path))).begin()
    url = f"http://127.0.0.1:{served.port}/?run={trainer.run.id}"
    steps: list[int] = []
    for frame in lamplighter.follow(url, channels="pulse", newest_only=newest_only):
        steps.append(frame.step)
        if frame.step == 200:
            break
        # Faster than its reader.
        trainer.train(20 if len(steps) < 11 else 0)
    trainer.crash()
    assert steps == ([*range(0, 201, 20)] if newest_only else [*range(201)])


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
