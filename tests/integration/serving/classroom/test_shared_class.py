"""Who owns a class of several servers, with a real broker: handing over, and a partition."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lamplighter.serving.classroom.classroom import Classroom
from lamplighter.serving.classroom.questions.question import Question
from lamplighter.serving.classroom.sharing.other_servers import Present
from lamplighter.serving.classroom.sharing.shared_class import SharedClass
from lamplighter.serving.classroom.viewer_sessions import ADDRESS_SILENT
from lamplighter.serving.fanout.broker import Broker
from lamplighter.serving.schemas.classroom import PredictionMessage
from lamplighter.web.http.problems import RefusedError
from lamplighter.web.settings import BrokerSettings
from tests.support.classroom.class_apps import PHONE, PUPIL
from tests.support.machine.nats_server import Link, NatsServer
from tests.support.waiting import wait_until

# nats-py leaves a connection that could not be made in time to the collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


class Member:
    """The class as one server knows it, without its listeners."""

    def __init__(self, folder: Path, url: str) -> None:
        self.classroom = Classroom(folder, 500)
        self.here: set[str] = set()
        self.shared = SharedClass(Broker(BrokerSettings(url)), self.classroom, self._present)
        self.told = 0
        self.classroom.on_change(self._note)
        self.classroom.share(self.shared)

    def _present(self) -> Present:
        return Present(self.here, self.classroom.asking(), 0)

    def _note(self) -> None:
        self.told += 1

    def ask(self) -> int:
        """Ask the class, as this server's presenter. Returns the question's number."""
        self.classroom.lead()
        question = Question("lit_next", "How many?", "run", 1, 2)
        self.classroom.questions.ask(question)
        self.shared.wait_stored()
        return question.id

    def asked(self) -> int:
        question = self.classroom.questions.current
        return question.id if question else 0

    def answers(self) -> list[float]:
        question = self.classroom.questions.current
        return question.answers() if question else []


@pytest.fixture
def pair(tmp_path: Path, nats: NatsServer, link: Link) -> Iterator[tuple[Member, Member]]:
    """The first, which owns the class and whose link to the broker can be cut, and the second."""
    members: list[Member] = []
    for number, port in enumerate((link.port, nats.port)):
        members.append(Member(tmp_path / str(number), f"nats://127.0.0.1:{port}"))
        members[-1].shared.wait_ready()
    first, second = members
    assert first.shared.is_owner
    assert not second.shared.is_owner
    yield first, second
    link.mend()
    for one in members:
        one.shared.stop()


def join(member: Member) -> str:
    return member.classroom.join(member.classroom.code_and_secret()[1], PUPIL, PHONE)[0].id


def test_a_presenter_makes_his_server_the_owner_and_nothing_is_lost(pair: tuple[Member, Member]):
    first, second = pair
    viewers = [join(first), join(second)]
    assert first.ask() == 1
    wait_until(lambda: second.asked() == 1, "the question")
    for number, (member, viewer) in enumerate(zip(pair, viewers, strict=True)):
        member.classroom.predict(viewer, PredictionMessage(question=1, answer=float(number)))
    for member in pair:
        wait_until(lambda member=member: member.answers() == [0.0, 1.0], "both answers, on both servers")
    told = first.told
    assert second.ask() == 2
    assert second.shared.is_owner
    wait_until(lambda: first.asked() == 2 and first.told > told, "the second question")
    assert not first.shared.is_owner
    assert [one.id for one in first.classroom.members()] == viewers
    first.classroom.predict(viewers[0], PredictionMessage(question=2, answer=5.0))
    wait_until(lambda: second.answers() == [5.0], "an answer by way of the other server")
    second.classroom.lead()
    second.classroom.end_session(viewers[1])
    wait_until(lambda: first.classroom.session(viewers[1]) is None, "the end of a session")


def test_a_whole_class_joins_at_a_server_that_does_not_own_it(pair: tuple[Member, Member]):
    first, second = pair
    with ThreadPoolExecutor(20) as together:
        joined = list(together.map(join, [second] * 2 * ADDRESS_SILENT))
    assert {one.id for one in first.classroom.members()} == set(joined)


def test_who_has_a_page_open_at_another_server_keeps_the_place(pair: tuple[Member, Member]):
    first, second = pair
    viewer = join(second)
    second.here.add(viewer)
    wait_until(lambda: all(one.watched for one in first.classroom.members()), "the page")
    assert first.shared.others.viewers() == ({viewer}, 0)
    second.shared.stop()
    wait_until(lambda: first.shared.others.viewers() == (set(), 0), "the end of the other server")
    assert first.classroom.session(viewer) is not None


@pytest.mark.tour
def test_what_an_owner_does_behind_a_partition_never_was(pair: tuple[Member, Member], link: Link):
    first, second = pair
    viewer = join(first)
    first.ask()
    wait_until(lambda: second.asked() == 1, "the question")
    link.cut()
    # It still believes that it owns the class: nobody is told, and it does not count.
    told = first.told
    first.classroom.questions.drop_current()
    with pytest.raises(RefusedError):
        first.shared.wait_stored()
    wait_until(lambda: second.shared.is_owner, "the next owner")
    second.classroom.predict(viewer, PredictionMessage(question=1, answer=3.0))
    second.shared.wait_stored()
    assert first.told == told
    link.mend()
    wait_until(lambda: first.asked() == 1 and first.answers() == [3.0], "the state of the owner")
    assert second.shared.is_owner


@pytest.mark.tour
def test_a_class_outlives_a_restart_of_the_broker(pair: tuple[Member, Member], nats: NatsServer):
    first, second = pair
    viewer = join(second)
    first.ask()
    wait_until(lambda: second.asked() == 1, "the question")
    nats.stop()
    second.classroom.predict(viewer, PredictionMessage(question=1, answer=4.0))
    nats.start()
    for member in pair:
        wait_until(lambda member=member: member.answers() == [4.0], "the answer from before")
    assert first.shared.is_owner != second.shared.is_owner
