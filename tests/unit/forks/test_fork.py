"""Forks with a change, trained; and what happens when making one fails."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import lamplighter
from lamplighter.contract.recipe import Recipe
from lamplighter.corpora import build
from lamplighter.corpora.lamptown import Town, generate_town
from lamplighter.examination.examined_model import Replayer, ReplayError
from lamplighter.exports.archive.import_run import import_zip
from lamplighter.exports.export import export_run
from lamplighter.exports.output import ExportError, no_progress
from lamplighter.forks import creation
from lamplighter.forks.creation import ForkRequest, create_fork
from lamplighter.forks.errors import ForkError, ParentNotReadyError
from lamplighter.forks.start import read_steps, start_of
from lamplighter.platform import failpoint
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.layouts import LayoutsReader, LayoutsWriter
from lamplighter.runfolder.tables.requests import RequestsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.training import corpus_setup, resume
from lamplighter.training.trainer import Progress
from lamplighter.training.worker import train
from lamplighter.wire.frames import decode_as
from lamplighter.wire.layout_frames import Layout, Method
from tests.support.runs import make_run, small_recipe, small_text

AT = 35


def trained_fork(
    parent: RunFolder, folder: Path, at: int = AT, steps: int = 6, **request: Any
) -> lamplighter.Run:
    fork = create_fork(RunStore(folder), parent, ForkRequest(at, steps=steps, **request))
    assert train(fork) is Phase.FINISHED, read_status(fork).message
    return lamplighter.open(fork.path)


def told(run: lamplighter.Run) -> list[str]:
    return [event.message for event in run.events() if event.kind == "fork"]


def test_learning_rate_changes_from_the_first_own_step(parent: RunFolder, tmp_path: Path) -> None:
    fork = trained_fork(parent, tmp_path, changes={"optimiser.learning_rate": 0.02})
    theirs = lamplighter.open(parent.path)
    assert np.array_equal(fork.snapshot(0), theirs.snapshot(AT))
    assert not np.array_equal(fork.snapshot(1), theirs.snapshot(AT + 1))
    first, other = next(fork.steps(1)), next(theirs.steps(AT + 1))
    # The loss is that of the batch before the update.
    assert (first.loss, first.learning_rate) == (other.loss, pytest.approx(0.02))


@pytest.mark.parametrize("kind", ["sgd", "adam"])
def test_another_optimiser_begins_afresh_and_says_so(parent: RunFolder, tmp_path: Path, kind: str) -> None:
    fork = trained_fork(parent, tmp_path, changes={"optimiser.kind": kind})
    assert np.array_equal(fork.snapshot(0), lamplighter.open(parent.path).snapshot(AT))
    assert told(fork) == [f"the optimiser {kind} begins afresh, without what lazy had gathered"]


@pytest.mark.parametrize("matrix", ["embedding", "output"])
def test_a_frozen_matrix_does_not_move(parent: RunFolder, tmp_path: Path, matrix: str) -> None:
    fork = trained_fork(parent, tmp_path, changes={"optimiser.frozen": [matrix]})
    still, moving = (
        (fork.snapshot, fork.output_matrix) if matrix == "embedding" else (fork.output_matrix, fork.snapshot)
    )
    assert np.array_equal(still(0), still(5))
    assert not np.array_equal(moving(0), moving(5))
    step = next(fork.steps(1))
    assert len(step.gradient_ids) > 0  # It still has a gradient.
    assert (len(step.moved_ids) == 0) == (matrix == "embedding")


@pytest.mark.parametrize("changes", [{"sequences": 8}, {"passages": 1}, {"seed": 9}])
def test_other_batches(parent: RunFolder, tmp_path: Path, changes: dict[str, int]) -> None:
    fork = trained_fork(parent, tmp_path, changes=changes)
    ours, theirs = next(fork.steps(1)), next(lamplighter.open(parent.path).steps(AT + 1))
    assert not np.array_equal(ours.batch_ids, theirs.batch_ids)
    assert fork.vocabulary.counts.tolist() == lamplighter.open(parent.path).vocabulary.counts.tolist()


def test_another_text_with_unknown_words(parent: RunFolder, tmp_path: Path) -> None:
    text = small_text(seed=3) + "\n\n" + " ".join(["zebra quagga"] * 200)
    fork = trained_fork(parent, tmp_path, changes={"corpus.kind": "text"}, text=text, text_name="other.txt")
    theirs = lamplighter.open(parent.path)
    assert fork.tokens == theirs.tokens
    assert fork.vocabulary.counts[0] == 400
    assert fork.recipe.corpus.name == "other.txt"
    (line,) = told(fork)
    assert line.endswith("% of the words of the text are not in the vocabulary: they are read as <unk>")


def test_other_town_permutes_the_words(parent: RunFolder, tmp_path: Path) -> None:
    fork = trained_fork(parent, tmp_path, changes={"corpus.kind": "othertown"})
    ours, theirs = RunFolder(fork.folder).token_ids, parent.token_ids
    jobs = dict(zip(theirs.tolist(), ours.tolist(), strict=True))
    assert len(set(jobs.values())) == len(jobs)
    assert np.array_equal(ours, [jobs[token] for token in theirs])
    assert not np.array_equal(ours, theirs)


def test_shuffled_words_are_the_same_words(parent: RunFolder, tmp_path: Path) -> None:
    fork = trained_fork(parent, tmp_path, changes={"corpus.shuffle_words": True})
    ours, theirs = RunFolder(fork.folder).token_ids, parent.token_ids
    assert np.array_equal(np.sort(ours), np.sort(theirs))
    assert not np.array_equal(ours, theirs)


def test_planted_words_get_new_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def small_town(seed: int, *_: object, planted: tuple[str, ...], **__: object) -> Town:
        return generate_town(seed, size=20_000, planted=planted)

    monkeypatch.setattr(build, "generate_town", small_town)
    monkeypatch.setattr(corpus_setup, "build_cached", build.build_corpus)
    recipe = small_recipe(corpus={"kind": "lamptown"}, steps=12, seed=0)
    town = RunStore(tmp_path).create(recipe)
    assert train(town) is Phase.FINISHED
    place_map(town, 10)
    fork = trained_fork(town, tmp_path, 11, changes={"corpus.planted": ["robot android antenna"]})
    theirs = lamplighter.open(town.path)
    size = len(theirs.tokens)
    assert fork.tokens == (*theirs.tokens, "robot", "android", "antenna")
    assert np.array_equal(fork.snapshot(0)[:size], theirs.snapshot(11))
    assert set(fork.vocabulary.classes["planted words"]) == {size, size + 1}
    assert (fork.vocabulary.counts[size:] > 0).all()
    # New rows are as long as others, and no pair is together yet.
    lengths = np.linalg.norm(fork.snapshot(0), axis=1)
    assert lengths[:size].min() < lengths[size:].mean() < lengths[:size].max()
    moments = [name for name in state_of(fork, 5) if name.endswith("exp_avg")]
    assert {len(state_of(fork, 5)[name]) for name in moments} >= {size + 3}
    placed, before = fork.layout(0).coordinates, theirs.layout(10).coordinates
    low, high = before.min(axis=0), before.max(axis=0)
    assert len(placed) == size + 3
    assert ((placed[size:] >= low) & (placed[size:] <= high)).all()


def state_of(run: lamplighter.Run, step: int) -> dict[str, torch.Tensor]:
    return load_file(RunFolder(run.folder).waypoints / f"{step:010d}-0001.safetensors")


def place_map(run: RunFolder, step: int) -> Layout:
    """Write a layout of the map as the projector does. Return it as it is read."""
    random = np.random.default_rng(step)
    coordinates = random.normal(size=(len(run.vocabulary), 2)).astype(np.float32)
    writer = LayoutsWriter(run.layouts_path)
    writer.set_facts({"map": {"method": "umap", "neighbours": 15, "min_dist": 0.5, "spread": 1.0}})
    writer.commit(Layout(1, step, 0.0, Method.UMAP, coordinates))
    writer.close()
    with LayoutsReader(run.layouts_path) as reader:
        record = reader.last_written(Method.UMAP)
    assert record is not None
    return decode_as(record, Layout)


def test_rates_of_requests_are_replayed(tmp_path: Path) -> None:
    run = make_run(tmp_path, steps=30)
    for step, rate in ((7, 0.02), (15, 0.001)):

        def stop(seen: Progress, step: int = step) -> None:
            if seen.step == step:
                signal.raise_signal(signal.SIGINT)

        train(run, on_progress=stop)
        RequestsWriter(run.path, "test").add("continue", {"learning_rate": rate})
    assert train(run) is Phase.FINISHED
    theirs = lamplighter.open(run.path)
    fork = trained_fork(run, tmp_path, 18)
    assert fork.recipe.optimiser.learning_rate == 0.001
    assert told(fork) == []
    assert np.array_equal(fork.snapshot(6), theirs.snapshot(24))


def ignore(_share: float, _what: str) -> None:
    pass


def no_room(_recipe: Recipe, _vocabulary: int) -> int:
    return 0


def test_questions_about_a_fork_compute_its_steps_again(parent: RunFolder, tmp_path: Path) -> None:
    fork = trained_fork(parent, tmp_path, steps=8)
    replayer = Replayer(RunFolder(fork.folder))
    found = replayer.model_at(4, ignore)
    assert np.array_equal(found.learner.model.embedding.weight.detach().numpy(), fork.snapshot(4))
    assert replayer.describe_replay().equal
    for folder in ("checkpoints", "waypoints"):
        shutil.rmtree(fork.folder / folder)
    with pytest.raises(ReplayError, match="no state of this fork is kept"):
        Replayer(RunFolder(fork.folder)).model_at(4, ignore)


def test_step_0_is_kept_where_there_is_no_room_for_waypoints(
    parent: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resume, "waypoint_room", no_room)
    fork = trained_fork(parent, tmp_path)
    assert [path.name for path in (fork.folder / "waypoints").iterdir()] == ["0000000000-0001.safetensors"]


def test_a_fork_survives_export_and_import(parent: RunFolder, tmp_path: Path) -> None:
    fork = trained_fork(parent, tmp_path / "runs", steps=8)
    back, _ = import_zip(
        RunStore(tmp_path / "other"),
        export_run(RunFolder(fork.folder), "zip", out=tmp_path / "run.zip"),
        no_progress,
    )
    assert back.recipe.parent == fork.recipe.parent
    again = trained_fork(back, tmp_path / "other", at=4, steps=4)
    assert np.array_equal(again.snapshot(4), fork.snapshot(8))
    assert again.recipe.parent is not None
    assert again.recipe.parent.private_text


def test_a_fork_that_has_not_begun_is_not_exported(parent: RunFolder, tmp_path: Path) -> None:
    fork = create_fork(RunStore(tmp_path / "runs"), parent, ForkRequest(AT))
    fork.steps_path.touch()
    with pytest.raises(ExportError, match="has not begun"):
        export_run(fork, "zip", out=tmp_path / "run.zip")


def test_the_map_begins_with_the_parents(parent: RunFolder, tmp_path: Path) -> None:
    copied = RunFolder(Path(shutil.copytree(parent.path, tmp_path / parent.id)))
    before = place_map(copied, 30)
    place_map(copied, 60)
    fork = trained_fork(copied, tmp_path)
    layout = fork.layout()
    assert (layout.step, layout.attempt) == (0, 1)
    assert np.array_equal(layout.coordinates, before.coordinates)
    assert fork.recipe.map.neighbours == 15


def test_a_replay_that_differs_is_told(parent: RunFolder, tmp_path: Path) -> None:
    fork = create_fork(RunStore(tmp_path), parent, ForkRequest(AT, steps=3))
    start = start_of(fork)
    steps = read_steps(start)
    assert [one.step for one in steps] == [31, 32, 33, 34, 35]
    path = start.path / "record.json"
    path.write_text(path.read_text().replace(steps[1].digest.hex(), 32 * "0") if steps[1].digest else "")
    assert train(fork) is Phase.FINISHED
    (line,) = told(lamplighter.open(fork.path))
    assert "step 32 of the run that this is a fork of gives other numbers" in line


def test_a_fork_without_its_start_fails_with_a_reason(parent: RunFolder, tmp_path: Path) -> None:
    fork = create_fork(RunStore(tmp_path), parent, ForkRequest(AT, steps=3))
    shutil.rmtree(fork.start_path)
    assert train(fork) is Phase.FAILED
    assert "the state with which this fork begins is gone" in read_status(fork).message


def test_a_fork_goes_on_after_its_checkpoints_are_lost(parent: RunFolder, tmp_path: Path) -> None:
    fork = create_fork(RunStore(tmp_path), parent, ForkRequest(AT, steps=3))
    assert train(fork) is Phase.FINISHED
    with StepsReader(fork.steps_path) as reader:
        before = reader.digests(1, 3)
    shutil.rmtree(fork.checkpoints)
    RequestsWriter(fork.path, "test").add("continue", {"steps": 2})
    assert train(fork) is Phase.FINISHED
    with StepsReader(fork.steps_path) as reader:
        assert reader.newest_step() == (1, 5)
        assert reader.digests(1, 3) == before


def test_stopped_before_it_begins_and_continued(parent: RunFolder, tmp_path: Path) -> None:
    fork = create_fork(RunStore(tmp_path), parent, ForkRequest(AT, steps=3))
    RequestsWriter(fork.path, "test").add("stop", {})
    assert train(fork) is Phase.INTERRUPTED
    assert fork.start_path.exists()
    RequestsWriter(fork.path, "test").add("continue", {})
    assert train(fork) is Phase.FINISHED
    assert lamplighter.open(fork.path).status.step == 3


def test_a_run_without_its_text_is_not_shuffled(parent: RunFolder, tmp_path: Path) -> None:
    copied = RunFolder(Path(shutil.copytree(parent.path, tmp_path / parent.id)))
    copied.source_path.unlink()
    store = RunStore(tmp_path / "forks")
    with pytest.raises(ForkError, match="is not kept"):
        create_fork(store, copied, ForkRequest(AT, {"corpus.shuffle_words": True}))
    assert store.runs() == []


def test_a_replay_has_a_bound(parent: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(creation, "MAX_REPLAYED_STEPS", 4)
    with pytest.raises(ForkError, match="more than 4 steps before step 35"):
        create_fork(RunStore(tmp_path), parent, ForkRequest(AT))


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (ForkRequest(261), "has the steps 0 to 260, not 261"),
        (ForkRequest(-1), "has the steps"),
        (ForkRequest(AT, steps=0), "steps"),
        (ForkRequest(AT, name="\u202e"), "cannot be seen"),
        (ForkRequest(AT, {"corpus.kind": "text"}), "needs one"),
        (ForkRequest(AT, text="a text"), "needs one"),
        (ForkRequest(AT, {"corpus.kind": "text"}, text="too short"), "needed"),
        (ForkRequest(AT, {"corpus.planted": ["robot android antenna"]}), "Lamptown"),
    ],
)
def test_refused_and_nothing_is_left(
    parent: RunFolder, tmp_path: Path, request_: ForkRequest, words: str
) -> None:
    with pytest.raises(ForkError, match=words):
        create_fork(RunStore(tmp_path), parent, request_)
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_has_not_begun_cannot_be_forked(parent: RunFolder, tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    with pytest.raises(ParentNotReadyError):
        create_fork(store, make_run(tmp_path), ForkRequest(0))
    fork = create_fork(store, parent, ForkRequest(AT))
    with pytest.raises(ParentNotReadyError):
        create_fork(store, fork, ForkRequest(0))


def test_parent_removed_while_it_is_copied(
    parent: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RunStore(tmp_path / "forks")
    copied = RunFolder(Path(shutil.copytree(parent.path, tmp_path / parent.id)))

    def remove(name: str) -> None:
        if name == "fork-copying":
            shutil.rmtree(copied.path)

    monkeypatch.setattr(failpoint, "trigger", remove)
    with pytest.raises(ParentNotReadyError, match="was removed while it was copied"):
        create_fork(store, copied, ForkRequest(AT))
    assert list(store.path.iterdir()) == []


def test_full_disk_leaves_nothing(parent: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(creation, "_copy", refuse)
    with pytest.raises(OSError, match="No space left"):
        create_fork(RunStore(tmp_path), parent, ForkRequest(AT))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["fork-copying", "fork-copied"])
def test_killed_while_it_is_made(parent: RunFolder, tmp_path: Path, name: str) -> None:
    code = (
        "import sys; from pathlib import Path; from lamplighter.runfolder.run_store import RunStore;"
        "from lamplighter.runfolder.run_folder import RunFolder;"
        "from lamplighter.forks.creation import ForkRequest, create_fork;"
        f"create_fork(RunStore(Path(sys.argv[1])), RunFolder(Path(sys.argv[2])), ForkRequest({AT}))"
    )
    command = [sys.executable, "-c", code, str(tmp_path), str(parent.path)]
    ended = subprocess.run(command, env=killing_environment(name), capture_output=True, check=False)
    assert ended.returncode < 0, ended.stderr
    store = RunStore(tmp_path)
    assert store.runs() == []
    assert store.clear_leftovers() == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["fork-replayed", "fork-checkpointed"])
def test_killed_while_it_begins(parent: RunFolder, tmp_path: Path, name: str) -> None:
    fork = create_fork(RunStore(tmp_path), parent, ForkRequest(AT, {"optimiser.kind": "sgd"}, steps=3))
    command = [sys.executable, "-m", "lamplighter.training.worker", str(fork.path)]
    ended = subprocess.run(command, env=killing_environment(name), capture_output=True, check=False)
    assert ended.returncode < 0, ended.stderr
    assert fork.start_path.exists()
    assert train(fork) is Phase.FINISHED
    assert not fork.start_path.exists()
    run = lamplighter.open(fork.path)
    assert np.array_equal(run.snapshot(0), lamplighter.open(parent.path).snapshot(AT))
    assert len(told(run)) == 1


def killing_environment(name: str) -> dict[str, str]:
    return os.environ | {failpoint.VARIABLE: f"{name}:1"}
