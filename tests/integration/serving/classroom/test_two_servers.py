"""A class whose viewers sit on two servers, behind one address, with a real broker and real sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lamplighter.runfolder.run_store import RunStore
from tests.support.application import Application
from tests.support.classroom.class_client import ClassClient
from tests.support.classroom.moving_viewer import MovingViewer
from tests.support.folders import FakeTrainer, make_run
from tests.support.machine.nats_server import Link, NatsServer, free_port
from tests.support.waiting import wait_until

pytestmark = pytest.mark.tour

VIEWERS = 12


class School:
    """Two servers of one folder behind one address."""

    def __init__(self, folder: Path) -> None:
        self.runs = folder / "runs"
        store = RunStore(self.runs)
        self.run = make_run(store, steps=100_000)
        self.trainer = FakeTrainer(self.run).begin().train(20)
        self.nats = NatsServer(folder / "nats")
        self.ports = [free_port(), free_port()]
        self.door = Link(*self.ports)
        self.servers = [self.start(port) for port in self.ports]

    def start(self, port: int) -> Application:
        address = f"http://127.0.0.1:{self.door.port}"
        here = ("--classroom", "--class-host", "127.0.0.1", "--class-port", str(port))
        behind = ("--class-behind", address, "--trust-proxy", "127.0.0.1", "--broker", self.nats.url)
        return Application(self.runs, "serve", "--no-workers", *here, *behind)

    def close(self) -> None:
        self.trainer.crash()
        for server in self.servers:
            server.close()
        self.door.close()
        self.nats.stop()


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    made = School(tmp_path)
    yield made
    made.close()


def test_viewers_go_on_watching_while_the_broker_is_away(school: School):
    first, _ = school.servers
    viewers: list[MovingViewer] = []
    try:
        for _ in range(4):
            client = ClassClient(first)
            assert client.join() == 204
            viewers.append(MovingViewer(client, school.run.id))
        wait_until(lambda: all(one.beats for one in viewers), "beats")
        school.nats.stop()
        for _ in range(3):
            beats = [one.beats for one in viewers]

            def trained(beats: list[int] = beats) -> bool:
                school.trainer.train(1)
                return all(one.beats > before + 1 for one, before in zip(viewers, beats, strict=True))

            wait_until(trained, "beats without the broker")
        school.nats.start()
        question = {"run": school.run.id, "about": "lit_next", "steps": 1}
        wait_until(lambda: _answers(lambda: first.post("/api/class/question", question)), "the broker")
        wait_until(lambda: all(one.question for one in viewers), "the question")
    finally:
        for one in viewers:
            one.close()


def _answers(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except AssertionError:
        # 503 while the broker is away.
        return False
    return True


def test_a_class_on_two_servers_predicts_and_reveals_together_and_outlives_one(school: School):
    first, second = school.servers
    viewers: list[MovingViewer] = []
    try:
        for _ in range(VIEWERS):
            client = ClassClient(first)
            assert client.join() == 204
            viewers.append(MovingViewer(client, school.run.id))
        wait_until(lambda: all(one.message for one in viewers), "the viewers")
        for server in (first, second):
            wait_until(lambda server=server: server.get("/api/class")["connected"] == VIEWERS, "all, on both")

        asked = first.post("/api/class/question", {"run": school.run.id, "about": "lit_next", "steps": 1})
        wait_until(lambda: all(one.question.get("id") == asked["id"] for one in viewers), "the question")
        for number, one in enumerate(viewers):
            one.predict(asked["id"], float(number % 4 + 3))
        wait_until(lambda: all(one.question["answered"] == VIEWERS for one in viewers), "all answers")
        assert all(one.message["answer"] == number % 4 + 3 for number, one in enumerate(viewers))

        first.kill()
        wait_until(lambda: not all(one.is_connected for one in viewers), "those who are cut off")
        wait_until(lambda: all(one.is_connected for one in viewers), "those who moved")
        for number, one in enumerate(viewers):
            wait_until(lambda one=one, number=number: one.message["answer"] == number % 4 + 3, "its answer")

        # What was underway comes again, and late; one viewer thinks again.
        for number, one in enumerate(viewers):
            one.say(asked["id"], float(number % 4 + 3), 1)
        viewers[0].predict(asked["id"], 6.0)
        wait_until(lambda: viewers[0].message["answer"] == 6, "the later answer")
        viewers[0].say(asked["id"], 3.0, 1)
        viewers[1].predict(asked["id"], 5.0)
        wait_until(lambda: viewers[1].message["answer"] == 5, "another answer")
        assert viewers[0].message["answer"] == 6

        beats = [one.beats for one in viewers]
        school.trainer.train(1)
        revealed = second.change("PATCH", "/api/class/question", {"state": "closed"})
        assert revealed["answered"] == VIEWERS
        second.change("PATCH", "/api/class/question", {"state": "revealed"})
        wait_until(lambda: all(one.question.get("outcome") for one in viewers), "what happened")
        outcomes = [one.question["outcome"] for one in viewers]
        assert all(outcome == outcomes[0] for outcome in outcomes)
        assert sum(outcomes[0]["counts"]) == VIEWERS
        assert outcomes[0]["value"] is not None
        assert len(second.get("/api/class")["members"]) == VIEWERS
        wait_until(lambda: all(one.beats > before for one, before in zip(viewers, beats, strict=True)))
    finally:
        for one in viewers:
            one.close()
