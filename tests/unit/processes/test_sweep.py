"""Who trains the members of a set: its sweep, so many at a time, and no other supervisor of the same folder."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lamplighter.processes.sweep import Sweep, SweptMember, SweptMembers
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.role_lock import RoleLock
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_set import RunSet
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.requests import RequestsWriter
from tests.support.folders import FakeTrainer, make_run
from tests.support.supervising import HOLD, QUICK, SLEEP, Started, let_it_look, supervising
from tests.support.swept import make_set, prepare
from tests.support.waiting import wait_until

CRASH = "import sys; sys.exit('the lamp oil is out')"
FINISH = """
import sys
from pathlib import Path
from lamplighter.runfolder.role_lock import RoleLock
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps import StepsWriter
run = RunFolder(Path(sys.argv[2]))
with RoleLock(run.path, sys.argv[1]):
    writer = StepsWriter(run.steps_path)
    writer.start_attempt(0)
    failed = run.recipe.seed == 1
    writer.add_event(0, *(("failed", "it diverged", {"phase": "failed", "message": "it diverged"}) if failed
        else ("finished", "", {"phase": "finished"})))
    writer.close(sealed=True)
"""


@pytest.fixture
def run_set(tmp_path: Path) -> RunSet:
    return make_set(tmp_path)


def runs_of(run_set: RunSet) -> list[RunFolder]:
    return [run for _, run in run_set.members() if run is not None]


def sweep_to_the_end(sweep: Sweep) -> list[SweptMember]:
    found: list[SweptMember] = []

    def poll() -> bool:
        found[:] = sweep.poll()
        return all(one.over for one in found)

    wait_until(poll, "the end of the sweep")
    sweep.stop()
    return found


def test_a_failed_member_is_told_and_the_others_go_on(run_set: RunSet) -> None:
    started = Started(trainer=FINISH)
    found = sweep_to_the_end(Sweep(run_set, ("trainer",), 2, started.command))
    assert [one.is_finished for one in found] == [True, False, True]
    assert found[1].problem == "it diverged"
    # In the order of the grid.
    assert [run for _, run in started] == [one.run.id for one in found]
    # What is over is not trained again, unless it is asked to go on.
    again = Started(trainer=FINISH)
    sweep_to_the_end(Sweep(run_set, ("trainer",), 2, again.command))
    assert again == []
    members = SweptMembers(run_set)
    members.ask_to_continue()
    members.ask_to_continue()
    assert [one.over for one in SweptMembers(run_set).read_all()] == [True, False, True]
    again.codes["trainer"] = CRASH
    sweep = Sweep(run_set, ("trainer",), 2, again.command)
    wait_until(lambda: bool(sweep.poll()) and bool(again), "the second trainer")
    assert {run for _, run in again} == {found[1].run.id}
    sweep.stop()


@pytest.mark.tour
def test_as_many_at_a_time_as_asked_for(run_set: RunSet) -> None:
    started = Started(trainer=HOLD)
    sweep = Sweep(run_set, ("trainer",), 2, started.command)
    wait_until(lambda: bool(sweep.poll()) and len(started) == 2, "two trainers")
    for _ in range(3):
        assert [one.over for one in sweep.poll()] == [False] * 3
    assert len(started) == 2
    sweep.stop()


def test_a_server_leaves_members_to_their_sweep(tmp_path: Path, run_set: RunSet) -> None:
    alone, (first, second, third) = make_run(RunStore(tmp_path)), runs_of(run_set)
    prepare(second)
    trainer = FakeTrainer(second).begin().train(5)
    started = Started(trainer=HOLD, projector=SLEEP, analyst=SLEEP)
    # Also one that serves the set's own folder.
    with supervising(tmp_path, started) as outer, supervising(run_set.path, started) as inner:
        wait_until(lambda: ("trainer", alone.id) in started)
        let_it_look(outer)
        let_it_look(inner)
        # Nor does it follow what the sweep trains: the cores are for the other members.
        assert {run for _, run in started} == {alone.id}
        # Once it is over, its map and its measures are made.
        trainer.end("interrupted")
        wait_until(lambda: {("projector", second.id), ("analyst", second.id)} <= set(started))
        assert ("trainer", second.id) not in started
        # A person may continue it.
        RequestsWriter(second.path, "s1").add("continue", {"steps": 5})
        wait_until(lambda: ("trainer", second.id) in started)
    assert {first.id, third.id}.isdisjoint(run for _, run in started)


def test_a_member_that_another_process_trains_is_waited_for(run_set: RunSet) -> None:
    first = runs_of(run_set)[0]
    started = Started(trainer=FINISH)
    sweep = Sweep(run_set, ("trainer",), 3, started.command)
    with RoleLock(first.path, "trainer"):
        wait_until(lambda: sum(one.over for one in sweep.poll()) == 2, "the others")
        assert not sweep.poll()[0].over
        assert first.id not in {run for _, run in started}
    assert all(one.over for one in sweep_to_the_end(sweep))


def test_a_trainer_that_keeps_crashing_ends_its_member_alone(
    run_set: RunSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashing = runs_of(run_set)[2].id

    def command(role: str, run: Path) -> list[str]:
        return [sys.executable, "-c", CRASH if run.name == crashing else FINISH, role, str(run)]

    monkeypatch.setattr("lamplighter.processes.sweep.SupervisorLimits", lambda **_: QUICK)
    found = sweep_to_the_end(Sweep(run_set, ("trainer",), 2, command))
    assert found[0].is_finished
    assert (found[2].over, found[2].is_finished, found[2].problem) == (True, False, "the lamp oil is out")
    assert found[2].status is not None
    assert found[2].status.phase == Phase.WAITING


def test_the_measures_are_made_afterwards(run_set: RunSet) -> None:
    for run in runs_of(run_set)[:2]:
        prepare(run)
        assert FakeTrainer(run).begin().train(5).end()
    started = Started(analyst="pass")
    sweep = Sweep(run_set, ("analyst",), 2, started.command)
    sweep.poll()
    assert not sweep.is_idle()
    wait_until(lambda: bool(sweep.poll()) and sweep.is_idle(), "the end of the measures")
    assert {run for _, run in started} == {run.id for run in runs_of(run_set)[:2]}
