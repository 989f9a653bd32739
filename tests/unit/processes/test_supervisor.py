"""The supervisor, with workers that are one line of Python each."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from lamplighter.processes.supervised_worker import worker_command
from lamplighter.processes.supervisor import Supervisor, SupervisorLimits
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.role_lock import RoleLock, RoleState, role_state
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.measures import MeasuresWriter
from lamplighter.runfolder.tables.requests import RequestsWriter, ask_to_hold
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.writing.finalise import seal_role_files, unsealed_roles
from tests.support.folders import (
    FakeTrainer,
    finished_run,
    layout,
    make_run,
    write_layouts,
    write_measures,
)
from tests.support.machine.disk_accesses import disk_accesses
from tests.support.supervising import (
    FAIL,
    HOLD,
    QUICK,
    SLEEP,
    Started,
    let_it_look,
    supervising,
)
from tests.support.waiting import wait_until

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, lambda *_: print('asked', flush=True))\n"
    "print('up', flush=True); time.sleep(60)"
)
CRASH = "import sys; print('first', file=sys.stderr); sys.exit('the lamp oil is out')"
TAKEN = "import sys; sys.exit(3)"


def test_the_real_command_names_modules_only(tmp_path: Path) -> None:
    assert worker_command("trainer", tmp_path)[1:] == ["-m", "lamplighter.training.worker", str(tmp_path)]


def test_a_new_run_gets_a_trainer_then_the_others(
    tmp_path: Path, children: Callable[[], list[psutil.Process]]
) -> None:
    run = make_run(RunStore(tmp_path))
    started = Started(trainer=HOLD, projector=SLEEP, analyst=SLEEP)
    with supervising(tmp_path, started) as supervisor:
        wait_until(lambda: len(started) == 3)
        assert started[0] == ("trainer", run.id)
        assert set(started[1:]) == {("projector", run.id), ("analyst", run.id)}
        wait_until(lambda: supervisor.states()["analyst"] == "at work on 1 run")
        workers = children()
        assert sorted(child.nice() - psutil.Process().nice() for child in workers) == [0, 0, 10]
        # Workers have sessions of their own, so Ctrl-C in the terminal does not reach them.
        assert all(os.getsid(child.pid) == child.pid for child in workers)
        let_it_look(supervisor)
        assert len(started) == 3
    assert children() == []


def test_the_analyst_of_a_new_run_waits_for_the_first_map(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    recipe = make_run(store).recipe
    held = store.create(recipe, prepare=lambda folder: ask_to_hold(folder, "s1", 600))
    started = Started(trainer=HOLD, projector=SLEEP, analyst=SLEEP)
    with supervising(tmp_path, started) as supervisor:
        wait_until(lambda: len(started) == 5)
        let_it_look(supervisor)
        assert ("analyst", held.id) not in started
        with closing(StepsWriter(held.steps_path)) as writer:
            writer.set_facts({"phase": Phase.PAUSED})
        wait_until(lambda: ("analyst", held.id) in started)


def test_at_most_so_many_trainers_newest_first(tmp_path: Path) -> None:
    runs: list[RunFolder] = []
    for age in (300, 200, 100):
        runs.append(make_run(RunStore(tmp_path)))
        then = time.time() - age
        os.utime(runs[-1].path / "recipe.json", (then, then))
    started = Started(trainer=HOLD)
    with supervising(tmp_path, started, roles=("trainer",)) as supervisor:
        wait_until(lambda: len(started) == 2)
        let_it_look(supervisor)
        assert [name for _, name in started] == [runs[2].id, runs[1].id]


def test_trainers_of_others_count_and_are_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    first, second = make_run(RunStore(tmp_path)), make_run(RunStore(tmp_path))
    started = Started(trainer=HOLD)
    with (
        RoleLock(first.path, "trainer"),
        supervising(
            tmp_path, started, SupervisorLimits(max_trainers=1, poll_seconds=0.02), ("trainer",)
        ) as supervisor,
    ):
        let_it_look(supervisor)
        assert started == []
        supervisor.stop()
        (said,) = [message for message in caplog.messages if "continues to train" in message]
        assert said.startswith(first.id)
        assert f"open {tmp_path} with lamplighter serve, and stop the run there" in said
    with supervising(tmp_path, started, QUICK, ("trainer",)) as supervisor:
        wait_until(lambda: {name for _, name in started} == {first.id, second.id})


def test_a_crash_is_restarted_a_few_times_then_seen(tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    started = Started(trainer=CRASH)
    with supervising(tmp_path, started, roles=("trainer",)) as supervisor:
        wait_until(lambda: supervisor.has_given_up(run.id, "trainer"), timeout=15)
        assert len(started) == 1 + QUICK.max_crashes
        assert "the lamp oil is out" in supervisor.states()["trainer"]
        assert run.id in supervisor.states()["trainer"]
        let_it_look(supervisor)
        assert len(started) == 1 + QUICK.max_crashes
        # A new request makes the supervisor try again.
        RequestsWriter(run.path, "test").add("resume", {})
        wait_until(lambda: len(started) > 1 + QUICK.max_crashes)
    assert "first" in (run.path / "logs" / "trainer.log").read_text()


def test_earlier_crashes_are_forgotten_after_a_healthy_while(tmp_path: Path) -> None:
    make_run(RunStore(tmp_path))
    started = Started(trainer=CRASH)
    limits = SupervisorLimits(poll_seconds=0.02, first_restart_delay=0.01, max_crashes=1, healthy_seconds=0.0)
    with supervising(tmp_path, started, limits, ("trainer",)):
        wait_until(lambda: len(started) > 4)


def test_a_final_failure_is_not_restarted(tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    started = Started(trainer=FAIL)
    with supervising(tmp_path, started, roles=("trainer",)) as supervisor:
        wait_until(lambda: supervisor.has_given_up(run.id, "trainer"))
        let_it_look(supervisor)
        assert len(started) == 1
        assert "the text is too short" in supervisor.states()["trainer"]


def test_a_role_that_is_taken_is_no_crash(tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    started = Started(trainer=TAKEN)
    with supervising(tmp_path, started, roles=("trainer",)) as supervisor:
        wait_until(lambda: len(started) > 8)
        assert not supervisor.has_given_up(run.id, "trainer")


def test_finished_runs_are_completed_one_at_a_time(tmp_path: Path) -> None:
    done = finished_run(tmp_path, 12, rows=False)
    write_layouts(done, layout(1, 12))
    write_measures(done)
    behind = finished_run(tmp_path, 12)
    write_layouts(behind, layout(1, 12), layout(1, 10))
    untiled = finished_run(tmp_path, 12)
    write_layouts(untiled, layout(1, 12))
    write_measures(untiled)
    other = finished_run(tmp_path, 12)
    # The map of this run ends with a superseded step.
    write_layouts(other, layout(9, 12))
    for run, age in ((done, 100), (behind, 200), (untiled, 250), (other, 300)):
        then = time.time() - age
        os.utime(run.path / "recipe.json", (then, then))
    started = Started(
        projector="import time; time.sleep(.3)", analyst="import time; time.sleep(.3)", trainer=SLEEP
    )
    with supervising(tmp_path, started) as supervisor:
        wait_until(lambda: ("projector", other.id) in started and ("analyst", other.id) in started)
        # Each worker ran once and did what it could; the supervisor must not start it again and again.
        wait_until(lambda: not any("at work" in state for state in supervisor.states().values()))
        let_it_look(supervisor)
    assert sorted(started) == sorted(
        [("analyst", behind.id), ("analyst", untiled.id), ("projector", other.id), ("analyst", other.id)]
    )
    assert started[0] == ("analyst", behind.id)


def test_a_run_that_is_over_goes_on_when_asked(tmp_path: Path) -> None:
    run = finished_run(tmp_path, 5)
    started = Started(trainer=HOLD)
    with supervising(tmp_path, started, roles=("trainer",)) as supervisor:
        let_it_look(supervisor)
        assert started == []
        RequestsWriter(run.path, "test").add("continue", {"steps": 10})
        wait_until(lambda: started)


def test_workers_are_asked_to_end_and_then_ended(
    tmp_path: Path, children: Callable[[], list[psutil.Process]]
) -> None:
    run = make_run(RunStore(tmp_path))
    started = Started(trainer=STUBBORN)
    with supervising(tmp_path, started, roles=("trainer",)):
        wait_until(lambda: (run.path / "logs" / "trainer.log").exists())
        wait_until(lambda: "up" in (run.path / "logs" / "trainer.log").read_text())
    assert (run.path / "logs" / "trainer.log").read_text().split() == ["up", "asked"]
    assert children() == []


def test_workers_of_a_killed_server_go_on_and_are_not_doubled(tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    code = (
        "import sys, time; sys.path.insert(0, sys.argv[2])\n"
        "from pathlib import Path; from lamplighter.runfolder.run_store import RunStore\n"
        "from lamplighter.processes.supervisor import Supervisor\n"
        "from tests.support.supervising import HOLD, QUICK, Started\n"
        "s = Supervisor(RunStore(Path(sys.argv[1])), ('trainer',), QUICK, Started(trainer=HOLD).command)\n"
        "s.start(); time.sleep(60)"
    )
    root = str(Path(__file__).parents[3])
    server = psutil.Popen([sys.executable, "-c", code, str(tmp_path), root])
    wait_until(lambda: role_state(run.path, "trainer") is RoleState.HELD, timeout=15)
    (worker,) = server.children()
    try:
        server.send_signal(signal.SIGKILL)
        server.wait()
        started = Started(trainer=HOLD)
        with supervising(tmp_path, started, roles=("trainer",)) as supervisor:
            let_it_look(supervisor)
            assert worker.is_running()
            assert started == []
            assert supervisor.states()["trainer"] == "at work on 1 run"
            worker.kill()
            wait_until(lambda: started)
            assert supervisor.states()["trainer"] == "at work on 1 run"
    finally:
        if worker.is_running():
            worker.kill()


def test_a_long_log_is_set_aside(tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    (run.path / "logs").mkdir()
    (run.path / "logs" / "trainer.log").write_text("x" * 300_000)
    with supervising(tmp_path, Started(trainer=SLEEP), roles=("trainer",)):
        wait_until(lambda: (run.path / "logs" / "trainer.log.1").exists())
        # The new log is opened only after the old one has been moved away.
        log = run.path / "logs" / "trainer.log"
        wait_until(lambda: log.exists() and log.stat().st_size < 1_000)


def test_a_worker_that_talks_without_end_does_not_fill_the_disk(tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    talk = (
        "import time\nfor n in range(10**6): print('still', n, flush=True); time.sleep(n % 50 == 0 and 0.005)"
    )
    limits = SupervisorLimits(poll_seconds=0.02, stop_seconds=1.0, max_log_bytes=4_000)
    logs = run.path / "logs"
    with supervising(tmp_path, Started(trainer=talk), limits, roles=("trainer",)):
        wait_until(lambda: (logs / "trainer.log.1").exists())
        aside = (logs / "trainer.log.1").read_bytes()
        assert len(aside) == 4_000
        # The log keeps growing and is cut again.
        wait_until(lambda: (logs / "trainer.log.1").read_bytes() not in (aside, b""))
        assert b"still" in (logs / "trainer.log.1").read_bytes()
    assert sum(path.stat().st_size for path in logs.iterdir()) < 1_000_000


def test_a_broken_run_hides_no_other(tmp_path: Path) -> None:
    for name, text in (("a-broken", "{"), ("b-broken", '{"format": 9}')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "recipe.json").write_text(text)
    (tmp_path / "c-empty").mkdir()
    damaged = finished_run(tmp_path)
    damaged.steps_path.write_bytes(b"SQLite format 3\0" + b"\xff" * 10_000)
    good = make_run(RunStore(tmp_path))
    started = Started(trainer=SLEEP, projector=SLEEP, analyst=SLEEP)
    with supervising(tmp_path, started) as supervisor:
        # The others start up without waiting for the trainer's lock.
        wait_until(lambda: len(started) == 3)
        let_it_look(supervisor)
    assert started == [(role, good.id) for role in ("trainer", "projector", "analyst")]


def test_looking_at_a_long_shelf_of_finished_runs_is_cheap(tmp_path: Path) -> None:
    run = finished_run(tmp_path, 2, rows=False)
    write_layouts(run, layout(1, 2))
    write_measures(run)
    for number in range(40):
        shutil.copytree(run.path, tmp_path / f"copy-{number}")
    supervisor = Supervisor(RunStore(tmp_path), ("trainer", "projector", "analyst"), QUICK, Started().command)
    with disk_accesses() as first:
        supervisor.poll()
    # At the second look it still settles what was over at the first.
    supervisor.poll()
    with disk_accesses() as later:
        supervisor.poll()
    assert any(access.kind == "sqlite" for access in first)
    assert [access for access in later if access.kind == "sqlite"] == []
    assert len(later) < len(first) / 4


def test_a_resumed_run_gets_its_projector_again(tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    started = Started(projector="", analyst=SLEEP)
    with supervising(tmp_path, started, roles=("projector",)) as supervisor:
        trainer = FakeTrainer(run).begin().train(1)
        wait_until(lambda: len(started) == 1)
        let_it_look(supervisor)
        trainer.crash()
        let_it_look(supervisor)
        assert len(started) == 1
        with RoleLock(run.path, "trainer"):
            wait_until(lambda: len(started) == 2)


def test_unsealed_files_are_sealed_later(tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run, rows=False).begin().train(12)
    trainer.writer.add_event(12, "finished", "", {"phase": "finished"})
    write_layouts(run, layout(1, 12))
    write_measures(run)
    # As after a kill between the last fact and the seal: the files stay as they are, with their WAL.
    wal = run.steps_path.with_name("steps.sqlite-wal")
    held = StepsReader(run.steps_path)
    trainer.crash()
    assert wal.exists()
    assert set(unsealed_roles(run)) == {"trainer", "projector", "analyst"}
    started = Started(trainer=HOLD, projector=SLEEP, analyst=SLEEP)
    with supervising(tmp_path, started) as supervisor:
        wait_until(lambda: unsealed_roles(run) == ("trainer",))
        let_it_look(supervisor)
        # A reader still has the file open.
        assert unsealed_roles(run) == ("trainer",)
        held.close()
        wait_until(lambda: not unsealed_roles(run))
    assert not list(run.path.glob("*-wal"))
    assert started == []
    with StepsReader(run.steps_path) as reader:
        assert reader.newest_step() == (1, 12)


def test_a_file_whose_role_is_held_is_not_sealed_for_it(tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(12)
    trainer.writer.add_event(12, "finished", "", {"phase": "finished"})
    assert not seal_role_files(run, "trainer")
    trainer.crash()
    assert seal_role_files(run, "trainer")
    assert unsealed_roles(run) == ()


def test_measures_of_a_superseded_attempt_do_not_count(tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(20)
    with MeasuresWriter(run.measures_path) as measures:
        measures.commit(1, 20, {"purity": 1.0})
    trainer.start_attempt_after(15).train(5).end()
    write_layouts(run, layout(2, 20))
    started = Started(analyst=SLEEP, projector=SLEEP)
    with supervising(tmp_path, started, roles=("projector", "analyst")):
        wait_until(lambda: ("analyst", run.id) in started)
