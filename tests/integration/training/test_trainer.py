"""The trainer as a process: killed, stopped, paused, continued or failing; and the folder it leaves.

Runs of the current format, recorded by earlier code, open with exactly the same numbers.
"""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
import zipfile
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import torch

import lamplighter
from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.learner import build_learner
from lamplighter.model.step import train_step
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.run_status import read_status, wants_training
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.requests import ask_to_hold
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import decode
from lamplighter.wire.pulse_frames import Pulse
from tests.integration.training.worker_record import ask, digests
from tests.support.runs import finish, kill, make_run, small_recipe, small_text, start_worker, wait_for_step
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Train the recipe of all runs here without interruption."""
    run = make_run(tmp_path_factory.mktemp("reference"), steps=200)
    assert finish(start_worker(run)) == 0
    return run


def test_a_run_ends_at_its_recipes_step_and_has_every_step(reference: RunFolder):
    status = read_status(reference)
    assert (status.phase, status.step, status.alive) == ("finished", 200, False)
    with StepsReader(reference.steps_path) as reader:
        pulses = [decode(record) for _, record in reader.pulses(1, 10_000)]
        events = [event.kind for event in reader.events()]
    assert [pulse.step for pulse in pulses] == list(range(1, 201))
    assert events == ["started", "finished"]
    losses = [pulse.loss for pulse in pulses if isinstance(pulse, Pulse)]
    assert np.mean(losses[-20:]) < np.mean(losses[:20]) - 0.5


def test_every_step_rebuilds_bit_for_bit(reference: RunFolder):
    device = torch.device("cpu")
    learner = build_learner(reference.recipe, len(reference.vocabulary), device)
    batches = BatchReader(reference.recipe, reference.token_ids, device)
    with MatrixHistory(reference) as history:
        for step in range(41):
            if step:
                train_step(learner, *batches.batch(step)[1:])
            matrix = learner.model.embedding.weight.detach().numpy()
            assert np.array_equal(history.snapshot(step).vectors, matrix)


def test_waiting_for_the_map_does_not_change_a_run(tmp_path: Path, reference: RunFolder):
    store = RunStore(tmp_path)
    run = store.create(small_recipe(steps=200), small_text(), lambda folder: ask_to_hold(folder, "test", 600))
    process = start_worker(run)
    wait_until(lambda: read_status(run).hold, "the run to stand before its first step")
    kill(process)
    hold = read_status(run).hold
    process = start_worker(run)
    wait_until(lambda: read_status(run).alive, "the next trainer")
    time.sleep(0.3)
    status = read_status(run)
    assert (status.phase, status.step, status.hold) == ("running", 0, hold)
    ask(run, "begin")
    assert finish(process) == 0
    assert digests(run) == digests(reference)


def test_a_run_killed_twice_resumes_identically(tmp_path: Path, reference: RunFolder):
    run = make_run(tmp_path, steps=200)
    for at in (30, 90):
        process = start_worker(run)
        wait_for_step(run, at)
        kill(process)
        assert read_status(run).phase == "running"
        assert not read_status(run).alive
    assert finish(start_worker(run)) == 0
    assert read_status(run).attempt == 1
    assert digests(run) == digests(reference)


def test_ctrl_c_finishes_the_step_and_the_run_can_be_continued(tmp_path: Path, reference: RunFolder):
    run = make_run(tmp_path, steps=200)
    process = start_worker(run)
    wait_for_step(run, 20)
    process.send_signal(signal.SIGINT)
    assert finish(process) == 0
    stopped = read_status(run)
    assert stopped.phase == "interrupted"
    assert not wants_training(run)
    ask(run, "continue", steps=0)
    assert wants_training(run)
    assert finish(start_worker(run)) == 0
    assert digests(run) == digests(reference)


def test_skips_a_damaged_checkpoint(tmp_path: Path, reference: RunFolder):
    run = make_run(tmp_path, steps=200)
    process = start_worker(run)
    wait_for_step(run, 80)
    kill(process)
    newest = max(run.checkpoints.glob("*.safetensors"))
    newest.write_bytes(newest.read_bytes()[:100])
    assert finish(start_worker(run)) == 0
    assert digests(run) == digests(reference)
    with StepsReader(run.steps_path) as reader:
        assert any(event.kind == "checkpoint" for event in reader.events())


def test_a_text_shorter_than_a_passage_fails_with_advice(tmp_path: Path):
    run = make_run(tmp_path, model={"dim": 16, "layers": 1, "heads": 2, "context": 2048})
    assert finish(start_worker(run)) == 4
    assert "bring a longer text, or use fewer sequences or a shorter context" in read_status(run).message


def test_a_second_trainer_of_a_run_exits(tmp_path: Path):
    run = make_run(tmp_path, steps=5_000)
    process = start_worker(run)
    wait_for_step(run, 1)
    assert finish(start_worker(run)) == 3
    kill(process)


def test_the_disk_budget_reduces_to_keyframes_with_an_event(tmp_path: Path):
    run = make_run(tmp_path, steps=900, disk_budget=1_000_000)
    assert finish(start_worker(run)) == 0
    status = read_status(run)
    assert status.step == 900
    assert status.snapshots != "all"
    with StepsReader(run.steps_path) as reader:
        assert any("disk budget" in event.message for event in reader.events() if event.kind == "thinned")
        assert len(reader.pulses(1, 10_000)) == 900


@pytest.mark.parametrize(("kind", "tied"), [("adam", False), ("adam", True), ("sgd", True)])
def test_dense_runs_keep_keyframes_and_report_exact_steps(tmp_path: Path, kind: str, tied: bool):
    model = {"dim": 16, "layers": 1, "heads": 2, "context": 8, "tied": tied}
    run = make_run(tmp_path, optimiser={"kind": kind}, model=model)
    assert finish(start_worker(run)) == 0
    with StepsReader(run.steps_path) as reader:
        assert [step for _, step in reader.keyframe_steps()] == [0, 20, 40, 60]
        pulse = decode(reader.pulses(60, 60)[0][1])
    assert isinstance(pulse, Pulse)
    assert len(pulse.moved_ids) > len(pulse.batch_ids)


def test_a_text_that_is_too_short_fails_with_advice(tmp_path: Path):
    run = RunStore(tmp_path).create(small_recipe(), "just a few words")
    assert finish(start_worker(run)) == 4
    assert read_status(run).phase == "failed"
    assert "1,000 are needed" in read_status(run).message


def test_a_finished_run_opens_read_only_as_another_user(reference: RunFolder):
    """As root, another user opens it; otherwise the same user without write permission."""
    script = (
        "import sys, pathlib\n"
        "from lamplighter.runfolder.run_folder import RunFolder\n"
        "from lamplighter.runfolder.tables.steps_reader import StepsReader\n"
        "from lamplighter.runfolder.reading.run_status import read_status\n"
        "import os\n"
        "if os.geteuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "run = RunFolder(pathlib.Path(sys.argv[1]))\n"
        "try: (run.path / 'x').touch(); sys.exit('the folder is writable')\n"
        "except PermissionError: pass\n"
        "print(read_status(run).step, len(StepsReader(run.steps_path).pulses(1, 10_000)))\n"
    )
    # Runs and pytest's folders are private: open the path to this one, and restore it afterwards.
    way = [path for path in (reference.path, *reference.path.parents) if path.stat().st_uid == os.geteuid()]
    way += reference.path.iterdir()
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in way}
    try:
        for path in way:
            path.chmod(modes[path] | 0o005)
        reference.path.chmod(0o555)
        done = subprocess.run(
            [sys.executable, "-c", script, str(reference.path)], capture_output=True, text=True, check=False
        )
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
    assert done.stdout.split() == ["200", "200"], done.stderr


EARLIER = Path(__file__).parents[2] / "golden" / "runs-format-2.zip"
"""A trained run (60 steps, tiles, maps, a reprojection), and one recorded from a loop (50 steps)."""

MATRICES = {
    "trained": (61, "eb8d95734cb97a0701fe9f8e85e407239d9a24a542c3f278b7e7fee49948414b"),
    "recorded": (51, "85f022b2f53fd534588631b36ce082d9b5a2a96ae9b727531953e18dfca47aad"),
}
LOSSES = {
    "trained": "1bd1120448bc97abb4348ecbd5be284943341eb2831221f15e6c29203cf0f2c8",
    "recorded": "eb13685632933fa5112faaccb2a010db1205cdf3ccbaf885dcb37f9ccbc68962",
}
LAYOUT = "a96b24f6b0b16c35b2d5b53372f26b60cc665d104a8a8dcb5a25cbe63a819798"


@pytest.fixture(params=["trained", "recorded"])
def earlier(request: pytest.FixtureRequest, tmp_path: Path) -> lamplighter.Run:
    with zipfile.ZipFile(EARLIER) as packed:
        packed.extractall(tmp_path)
    return lamplighter.open(tmp_path / request.param)


def test_matrices_and_losses_are_unchanged(earlier: lamplighter.Run):
    matrices = [earlier.snapshot(step).tobytes() for step in earlier.snapshot_steps()]
    assert (len(matrices), sha256(b"".join(matrices)).hexdigest()) == MATRICES[earlier.id]
    losses = np.array([pulse.loss for pulse in earlier.steps()], dtype="<f8")
    assert sha256(losses.tobytes()).hexdigest() == LOSSES[earlier.id]
    assert [event.kind for event in earlier.events()] == ["started", "finished"]
    assert earlier.status.phase == "finished"


def test_the_map_and_the_measures_exist(tmp_path: Path):
    with zipfile.ZipFile(EARLIER) as packed:
        packed.extractall(tmp_path)
    run = lamplighter.open(tmp_path / "trained")
    layout = run.layout()
    assert (layout.step, sha256(layout.coordinates.tobytes()).hexdigest()) == (60, LAYOUT)
    assert 60 in run.measures()
