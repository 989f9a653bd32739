"""Checkpoints as a run: their numbers, what moved between them, and nothing that is not known.

The commands of docs/histories.md for series that are no models, on made-up files of the formats that people have.
"""

from __future__ import annotations

import json
import math
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from safetensors.numpy import save_file

import lamplighter
from lamplighter.cli.app import cli
from lamplighter.cli.checkpoints.series import describe_stayed
from lamplighter.client.sources.checkpoint_list import collect_checkpoints
from lamplighter.wire.row_frames import NEVER, Census
from tests.support.synthetic_runs.histories import as_bfloat16

WORDS = ["dog", "cat", "sun", "moon", "of", "the"]
START = np.random.default_rng(5).normal(size=(6, 4)).astype(np.float32)


def states(count: int = 3) -> list[NDArray[np.float32]]:
    """Return matrices, in each of which one more row has moved."""
    found = [START]
    for row in range(1, count):
        found.append(found[-1].copy())
        found[-1][row] += 1
    return found


def trainer_folder(folder: Path, numbers: tuple[int, ...] = (30, 10, 200)) -> Path:
    folder.mkdir()
    (folder / "tokenizer.json").write_text(
        json.dumps({"model": {"vocab": {w: i for i, w in enumerate(WORDS[:5])}}})
    )
    for number, matrix in zip(sorted(numbers), states(len(numbers)), strict=True):
        checkpoint = folder / f"checkpoint-{number}"
        checkpoint.mkdir()
        save_file({"transformer.wte.weight": matrix}, checkpoint / "model.safetensors")
    return folder


def test_a_trainers_checkpoints_become_a_run(tmp_path: Path) -> None:
    run = lamplighter.series(tmp_path / "runs" / "Mine", trainer_folder(tmp_path / "out"), maps=False)
    assert run.id == "mine"
    assert list(run.tokens) == [*WORDS[:5], "(unused 5)"]
    assert run.snapshot_steps().tolist() == [0, 1, 2]
    assert [run.step_number(step) for step in (0, 1, 2)] == [10, 30, 200]
    for step, matrix in enumerate(states()):
        assert run.snapshot(step).tobytes() == matrix.tobytes()
    assert (run.status.phase, run.status.step, run.status.steps) == ("finished", 2, 2)
    assert "checkpoints of steps 10, 30 and 200: transformer.wte.weight" in run.status.message
    pulses = list(run.steps())
    assert [pulse.moved_ids.tolist() for pulse in pulses] == [[1], [2]]
    np.testing.assert_allclose(pulses[0].moved_distances, [2.0], rtol=1e-6)
    for pulse in pulses:
        assert pulse.verified
        assert len(pulse.batch_ids) == len(pulse.gradient_ids) == len(pulse.layer_norms) == 0
        unknown = (pulse.loss, pulse.learning_rate, pulse.tokens_per_second, pulse.step_seconds)
        assert all(math.isnan(value) for value in unknown)
    assert run.path("cat").steps.tolist() == [0, 1, 2]
    census = next(frame for frame in run.play(0, 2, channels=["pulse"]) if isinstance(frame, Census))
    assert not census.touches.any()
    assert (census.last_lit == NEVER).all()


def test_dense_checkpoints_are_kept_whole(tmp_path: Path) -> None:
    moved = [START, START + 1, START + 2]
    run = lamplighter.series(tmp_path / "run", moved, WORDS, steps=[0, 1, 2], maps=False)
    for step, matrix in enumerate(moved):
        assert run.snapshot(step).tobytes() == matrix.tobytes()
        assert run.step_number(step) == step


class _Vectors:
    def __init__(self, keys: list[str], vectors: NDArray[np.float32]) -> None:
        self.index_to_key, self.vectors = keys, vectors


def test_the_same_tokens_in_another_order_are_put_in_order(tmp_path: Path) -> None:
    turned = _Vectors(WORDS[::-1], START[::-1])
    run = lamplighter.series(tmp_path / "run", {5: _Vectors(WORDS, START), 7: turned}, maps=False)
    assert run.snapshot(1).tobytes() == START.tobytes()
    assert next(iter(run.steps())).moved_ids.tolist() == []
    assert run.step_number(1) == 7


@pytest.mark.parametrize(
    ("sources", "more", "what"),
    [
        ([START], {}, "2 to 10,000 checkpoints, but this one has 1"),
        ([START, START[:5]], {}, "step 1: its matrix is 5 x 4, and 1 of 2 checkpoints have 6 x 4"),
        ([START, START[:, :2]], {}, "step 1: its matrix is 6 x 2, and .*: a series needs two"),
        ([START, START * np.nan], {}, "step 1: .* not finite"),
        ([START, START], {"steps": [1]}, "1 steps for 2 checkpoints"),
        ([START, START], {"steps": [1, 1]}, "two checkpoints have the step 1"),
        ([START, START], {"steps": [-1, 1]}, "too small"),
        ([START, START], {"steps": [1, 2.5]}, "not a whole number"),
        ([START, START], {"steps": [1, 1 << 60]}, "too large"),
        ({1: START, 2: START}, {"steps": [1, 2]}, "already has the steps"),
        ([START, "a.npy"], {}, "a matrix in memory: its name has no step"),
        (7, {}, "several checkpoints are needed"),
        ([START, START], {"colour": "kind"}, "columns is needed too"),
    ],
)
def test_checkpoints_that_do_not_fit_leave_nothing(
    sources: Any, more: dict[str, Any], what: str, tmp_path: Path
) -> None:
    with pytest.raises(lamplighter.InputError, match=what):
        lamplighter.series(tmp_path / "run", sources, WORDS, maps=False, **more)
    assert not (tmp_path / "run").exists()


def test_other_tokens_are_another_vocabulary(tmp_path: Path) -> None:
    other = _Vectors([*WORDS[:5], "new"], START)
    with pytest.raises(lamplighter.InputError, match="step 1 has no token 'the', unlike step 0"):
        lamplighter.series(tmp_path / "run", [_Vectors(WORDS, START), other], maps=False)
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_of_another_shape_is_left_out_and_named(tmp_path: Path) -> None:
    folder, runs = trainer_folder(tmp_path / "out", (5, 10, 30, 200)), tmp_path / "runs"
    larger = np.concatenate((START, START[:2]))
    for number in (5, 30):
        save_file({"transformer.wte.weight": larger}, folder / f"checkpoint-{number}" / "model.safetensors")
    (folder / "checkpoint-7").mkdir()
    save_file({"transformer.wte.weight": START}, folder / "checkpoint-7" / "model.safetensors")
    done = invoke("series", folder, "--no-maps", "--name", "mine", "--runs", runs)
    assert done.exit_code == 0, done.output
    for number in (5, 30):
        line = f"step {number} is left out: its matrix is 8 x 4, and 3 of 5 checkpoints have 6 x 4"
        assert line in done.output.splitlines()
    run = lamplighter.open(runs / "mine")
    assert [run.step_number(step) for step in run.snapshot_steps().tolist()] == [7, 10, 200]
    assert "left out, of another shape: 2" in run.status.message
    assert "step 30 has a table of 8 x 4" in done.output


def test_three_commands_choose_steps_and_take_a_vocabulary_alike(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    for number, matrix in zip((1, 2, 30), states(), strict=True):
        (tmp_path / "out").mkdir(exist_ok=True)
        np.save(tmp_path / "out" / f"step-{number}.npy", matrix)
    words = tmp_path / "words.txt"
    words.write_text("\n".join(WORDS))
    named = ("--vocabulary", words, "--runs", runs)
    done = invoke("check", tmp_path / "out", *named, "--only", "1,30", "--json")
    assert json.loads(done.stdout)["steps"] == [1, 30]
    done = invoke("series", tmp_path / "out", *named, "--every", "2", "--no-maps", "--name", "some")
    assert done.exit_code == 0, done.output
    run = lamplighter.open(runs / "some")
    assert [run.step_number(step) for step in run.snapshot_steps().tolist()] == [1, 30]
    for name, given in (("option", named), ("argument", (words, "--runs", runs))):
        done = invoke("still", tmp_path / "out", *given, "--only", "30", "--name", name)
        assert done.exit_code == 0, done.output
        run = lamplighter.open(runs / name)
        assert list(run.tokens) == WORDS
        assert run.snapshot(0).tobytes() == states()[2].tobytes()
    for arguments, what in (
        (("check", tmp_path / "out", "--only", "7"), "there is no checkpoint of step 7"),
        (("series", tmp_path / "out", "--only", "1", "--log", "2"), "give one of them"),
        (("still", tmp_path / "out", words, *named, "--only", "1"), "given twice"),
        (("still", tmp_path / "out", *named, "--only", "1,2"), "--only takes one step"),
    ):
        done = invoke(*arguments, "--runs", runs)
        assert what in f"{done.output}{done.exception}", done.output


def test_never_read_is_said_where_there_is_a_gap(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    start = as_bfloat16(random.normal(size=(40, 16)).astype(np.float32))
    nudge = random.normal(size=start.shape).astype(np.float32)
    nudge[:4] = 0
    slow, clear = (
        as_bfloat16((start + scale * nudge).astype(np.float32))
        for scale in (np.linspace(0, 0.04, 40, dtype=np.float32)[:, None], 0.2)
    )
    for name, end, what in (
        ("slow", slow, "no gap, so it may"),
        ("clear", clear, "training never read them"),
    ):
        run = lamplighter.series(tmp_path / name, [start, end], list(map(str, range(40))), maps=False)
        told = describe_stayed(run)
        assert what in told, told
        assert "by no more than rounding can turn them" in told


def test_lists_a_folder(tmp_path: Path) -> None:
    folder = trainer_folder(tmp_path / "out")
    (folder / "checkpoint-7").symlink_to(tmp_path)
    (folder / "checkpoint-best").mkdir()
    (folder / "runs").mkdir()
    assert [one.step for one in collect_checkpoints(folder)] == [10, 30, 200]
    files = tmp_path / "files"
    files.mkdir()
    for name in ("step-20.npy", "step-3.npy", "words.txt", "notes-1.md"):
        (files / name).write_bytes(b"")
    assert [(one.step, one.source.name) for one in collect_checkpoints(files)] == [
        (3, "step-3.npy"),
        (20, "step-20.npy"),
    ]
    (tmp_path / "empty").mkdir()
    for path, what in (
        (tmp_path / "empty", "a folder without checkpoints"),
        (tmp_path / "none", "No such file"),
    ):
        with pytest.raises(lamplighter.InputError, match=what):
            collect_checkpoints(path)


def invoke(*words: object) -> Any:
    return CliRunner().invoke(cli, [str(word) for word in words])


def test_the_commands_name_runs_and_number_them(tmp_path: Path) -> None:
    folder, runs = trainer_folder(tmp_path / "Tiny_GPT"), tmp_path / "runs"
    for run_id in ("tiny-gpt", "tiny-gpt-2"):
        done = invoke("series", folder, "--no-maps", "--runs", runs)
        assert done.exit_code == 0, done.output
        assert f"{run_id}: see it with: lamplighter --runs" in done.output
        assert f"project {run_id} --again" in done.output
        assert "4 of 6 rows have turned since step 10 by no more than rounding" in done.output
        assert "training never read them" in done.output
        assert "'dog', 'moon', 'of', '(unused 5)'" in done.output
    done = invoke("series", *folder.glob("checkpoint-*"), "--steps", "1,2,3", "--no-maps", "--runs", runs)
    assert "tiny-gpt-3: " in done.output, done.output
    for run_id in ("tiny-gpt-checkpoint-30", "tiny-gpt-checkpoint-30-2"):
        done = invoke("still", folder / "checkpoint-30" / "model.safetensors", "--runs", runs)
        assert f"{run_id}: " in done.output, (done.output, done.exception)
    for words, what in (
        (("still", folder), "it holds checkpoints: use series for all"),
        (("still", folder / "checkpoint-30", "--name", "Tiny GPT"), "is there already"),
        (("still", folder / "none.npy", "--name", "Tiny GPT"), "none.npy: No such file"),
        (("series", folder, "--steps", "x"), "--steps takes whole numbers"),
    ):
        done = invoke(*words, "--runs", runs)
        assert what in f"{done.output}{done.exception}", done.output


DOCS = Path(__file__).parents[3] / "docs" / "histories.md"
NAMES = [f"name{number}" for number in range(40)]


def _tables(count: int) -> list[NDArray[np.float32]]:
    random = np.random.default_rng(3)
    return list(random.normal(size=(count, len(NAMES), 8)).cumsum(axis=0).astype(np.float32))


def _command(beginning: str, folder: Path) -> list[str]:
    """Return the arguments of the command in the docs that begins so, with its patterns expanded as a shell does."""
    lines = [line for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith(beginning)]
    assert len(lines) == 1
    words: list[str] = []
    for word in shlex.split(lines[0])[1:]:
        found = sorted(map(str, folder.glob(word))) if "*" in word else []
        words += found or [str(folder / word) if (folder / word).exists() else word]
    return words


def _run(beginning: str, folder: Path) -> lamplighter.Run:
    store = folder / "runs"
    result = CliRunner().invoke(cli, ["--runs", str(store), *_command(beginning, folder), "--no-maps"])
    assert result.exit_code == 0, result.output
    (run,) = (path for path in store.iterdir() if (path / "recipe.json").exists())
    return lamplighter.open(run)


def _expect(run: lamplighter.Run, numbers: list[int], tables: list[NDArray[np.float32]]) -> None:
    assert list(run.tokens) == NAMES
    assert [run.step_number(step) for step in run.snapshot_steps().tolist()] == numbers
    for step, table in enumerate(tables):
        np.testing.assert_allclose(run.snapshot(step), table, atol=1e-5)


def test_decoders_of_sparse_autoencoders(tmp_path: Path) -> None:
    tables = _tables(3)
    for step, table in zip((1_000, 2_000, 10_000), tables, strict=True):
        (tmp_path / "sae" / str(step)).mkdir(parents=True)
        weights = {
            "W_dec": table,
            "W_enc": np.ascontiguousarray(table.T),
            "b_dec": table[0],
            "b_enc": table[:, 0].copy(),
        }
        save_file(weights, tmp_path / "sae" / str(step) / "sae_weights.safetensors")
    (tmp_path / "features.txt").write_text("\n".join(NAMES), encoding="utf-8")
    _expect(_run("lamplighter series sae", tmp_path), [1_000, 2_000, 10_000], tables)


def test_matrices_by_decade_with_rows_of_zeros(tmp_path: Path) -> None:
    tables = _tables(2)
    tables[0][3] = 0
    (tmp_path / "sgns").mkdir()
    for year, table in zip((1_900, 1_910), tables, strict=True):
        np.save(tmp_path / "sgns" / f"{year}-w.npy", table)
    (tmp_path / "words.txt").write_text("\n".join(NAMES), encoding="utf-8")
    _expect(_run("lamplighter series sgns", tmp_path), [1_900, 1_910], tables)


def test_word_vectors_by_year_in_any_order(tmp_path: Path) -> None:
    tables = _tables(3)
    (tmp_path / "vectors").mkdir()
    for at, (year, table) in enumerate(zip((1_900, 1_950, 2_000), tables, strict=True)):
        order = np.random.default_rng(at).permutation(len(NAMES)) if at else np.arange(len(NAMES))
        lines = [" ".join([NAMES[row], *map(repr, table[row].tolist())]) for row in order]
        text = "\n".join([f"{len(NAMES)} {table.shape[1]}", *lines, ""])
        (tmp_path / "vectors" / f"{year}.txt").write_text(text, encoding="utf-8")
    _expect(_run("lamplighter series vectors", tmp_path), [1_900, 1_950, 2_000], tables)
