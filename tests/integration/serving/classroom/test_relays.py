"""A class on one server with two relays, over a real broker and real sockets."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lamplighter.runfolder.run_store import RunStore
from tests.support.application import Application
from tests.support.classroom.class_client import ClassClient
from tests.support.classroom.moving_viewer import MovingViewer
from tests.support.folders import FakeTrainer, make_run
from tests.support.machine.nats_server import Link, NatsServer, free_port
from tests.support.waiting import wait_until

VIEWERS = 40


class School:
    """An owner, and two relays behind one address."""

    def __init__(self, folder: Path) -> None:
        self.runs = folder / "runs"
        self.run = make_run(RunStore(self.runs), steps=100_000)
        self.trainer = FakeTrainer(self.run).begin().train(20)
        self.nats = NatsServer(folder / "nats")
        self.class_port = free_port()
        self.owner = self.start_owner()
        self.ports = [free_port(), free_port()]
        self.door = Link(*self.ports)
        self.relays = [self.start_relay(port) for port in self.ports]

    def start_owner(self) -> Application:
        listener = ("--classroom", "--class-host", "127.0.0.1", "--class-port", str(self.class_port))
        return Application(self.runs, "serve", "--no-workers", *listener, "--broker", self.nats.url)

    def start_relay(self, port: int) -> subprocess.Popen[bytes]:
        listener = ("--class-host", "127.0.0.1", "--class-port", str(port))
        behind = ("--class-behind", f"http://127.0.0.1:{self.door.port}", "--trust-proxy", "127.0.0.1")
        words = ("serve", "--relay", self.nats.url, *listener, *behind)
        return subprocess.Popen([sys.executable, "-m", "lamplighter", *words], stdout=subprocess.DEVNULL)

    def join(self) -> MovingViewer:
        """Return a viewer that has joined at a relay."""
        client = ClassClient(self.owner)
        client.url = f"http://127.0.0.1:{self.door.port}"

        def joined() -> bool:
            with contextlib.suppress(OSError):
                return client.join() == 204
            return False

        wait_until(joined, "a relay that lets a viewer in")
        return MovingViewer(client, self.run.id)

    def close(self) -> None:
        self.trainer.crash()
        for relay in self.relays:
            relay.kill()
            relay.wait()
        self.owner.close()
        self.door.close()
        self.nats.stop()


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    made = School(tmp_path)
    yield made
    made.close()


def test_relays_and_their_owner_may_die_and_each_answer_counts_once(school: School):
    viewers: list[MovingViewer] = []
    try:
        viewers += [school.join() for _ in range(VIEWERS)]
        wait_until(lambda: all(one.message and one.beats for one in viewers), "beats at the relays")
        assert school.owner.get("/api/class")["connected"] == VIEWERS
        asked = school.owner.post(
            "/api/class/question", {"run": school.run.id, "about": "lit_next", "steps": 1}
        )
        wait_until(lambda: all(one.question.get("id") == asked["id"] for one in viewers), "the question")
        for number, one in enumerate(viewers):
            one.predict(asked["id"], float(number % 4 + 3))
        wait_until(lambda: all(one.question["answered"] == VIEWERS for one in viewers), "all answers")

        school.relays[0].kill()
        wait_until(lambda: not all(one.is_connected for one in viewers), "those who are cut off")
        wait_until(lambda: all(one.is_connected for one in viewers), "all at the other relay")

        school.owner.kill()
        school.owner.close()
        wait_until(lambda: not any(one.is_connected for one in viewers), "the owner's silence")
        school.owner = school.start_owner()
        wait_until(lambda: all(one.is_connected for one in viewers), "the owner's return")
        for number, one in enumerate(viewers):
            wait_until(lambda one=one, number=number: one.message["answer"] == number % 4 + 3, "its answer")
            # What was underway comes again.
            one.say(asked["id"], float(number % 4 + 3), 1)
        beats = [one.beats for one in viewers]

        def moved() -> bool:
            school.trainer.train(1)
            return all(one.beats > before + 1 for one, before in zip(viewers, beats, strict=True))

        wait_until(moved, "beats of the owner that came back")
        school.owner.change("PATCH", "/api/class/question", {"state": "closed"})
        school.owner.change("PATCH", "/api/class/question", {"state": "revealed"})
        wait_until(lambda: all(one.question.get("outcome") for one in viewers), "what happened")
        assert {sum(one.question["outcome"]["counts"]) for one in viewers} == {VIEWERS}
        assert len(school.owner.get("/api/class")["members"]) == VIEWERS
    finally:
        for one in viewers:
            one.close()
