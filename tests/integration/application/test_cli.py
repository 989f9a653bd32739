"""The commands of the command line, as a person types them."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lamplighter.cli import main
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.requests import ask_to_hold
from tests.support.application import Application
from tests.support.runs import make_run, small_recipe, small_text, wait_for_step
from tests.support.waiting import wait_until

SMALL = ["--dim", "16", "--layers", "1", "--heads", "2", "--context", "8", "--batch", "4", "--steps", "30"]


def lamplighter(runs: Path, *words: str, text: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "lamplighter", "--runs", str(runs), *words]
    return subprocess.run(command, input=text, capture_output=True, check=False, timeout=120)


@pytest.fixture
def typed(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Return `lamplighter` without a process of its own, most of whose time goes into imports."""

    def run(runs: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
        monkeypatch.setattr(sys, "argv", ["lamplighter", "--runs", str(runs), *words])
        with pytest.raises(SystemExit) as ended:
            main()
        assert isinstance(ended.value.code, int)
        said = capfd.readouterr()
        return subprocess.CompletedProcess(words, ended.value.code, said.out.encode(), said.err.encode())

    return run


@pytest.mark.parametrize("tokeniser", ["words", pytest.param("bpe", marks=pytest.mark.tour)])
def test_a_text_from_standard_input_is_trained_on_and_summed_up_in_a_line(tmp_path: Path, tokeniser: str):
    text = small_text().encode()
    done = lamplighter(
        tmp_path, "train", "--corpus", "-", "--tokeniser", tokeniser, "--json", *SMALL, text=text
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b""
    summary = json.loads(done.stdout)
    assert (summary["phase"], summary["step"]) == ("finished", 30)
    assert summary["id"] == RunStore(tmp_path).runs()[0].id


def test_a_file_and_a_recipe_file_describe_a_run_and_options_replace_values(tmp_path: Path):
    (tmp_path / "my.txt").write_text(small_text(), encoding="utf-8")
    (tmp_path / "recipe.toml").write_text(
        'steps = 50\nsequences = 4\n[model]\ndim = 16\nlayers = 1\nheads = 2\ncontext = 8\n[optimiser]\nkind = "sgd"\n'
    )
    words = ["--recipe", str(tmp_path / "recipe.toml"), "--corpus", str(tmp_path / "my.txt"), "--steps", "20"]
    done = lamplighter(tmp_path / "runs", "train", *words)
    assert done.returncode == 0, done.stderr.decode()
    assert b"all 20 steps are done" in done.stdout
    (run,) = RunStore(tmp_path / "runs").runs()
    assert run.recipe.optimiser.kind == "sgd"
    assert run.recipe.corpus.name == "my.txt"
    assert not (tmp_path / "my.txt").samefile(run.source_path)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["train", "--dim", "30", "--heads", "4"], "multiple of heads"),
        (["train", "--steps", "0"], "greater than or equal to 1"),
        (["train", "--optimiser", "adamw"], "'lazy', 'adam', 'sgd'"),
        (["train", "--optimiser", "lazy", "--tied"], "adam or sgd"),
        (["train", "--corpus", "no-such.txt"], "no such file"),
        (
            ["train", "--recipe", "no-such.toml"],
            "No such file",
        ),
        (["train", "--device", "tpu"], "'auto', 'cpu', 'cuda', 'mps'"),
        (["train", "--resume", "no-such-run"], "there is no run"),
        (["train", "--disk-budget", "nan"], "from 1 to 1e9"),
        (["--runs", "/another/folder", "runs"], "--runs is given twice"),
        (["--port", "8741", "train"], "--port does not apply to lamplighter train"),
        (["project"], "name a run"),
        (["project", "../etc"], "name the folder of runs with --runs"),
        (["why"], "lamplighter runs lists them"),
        (["runs", "compere"], "(see: lamplighter runs --help)"),
        (["runs", "trash", "no-such-run"], "name the folder of runs with --runs"),
        (["serve", "--host", "0.0.0.0"], "--behind HOST:PORT"),
        (["--port", "99999"], "65535"),
        (["frobnicate"], "frobnicate"),
    ],
)
def test_a_bad_value_gets_one_line_that_says_what_is_allowed(
    tmp_path: Path,
    typed: Callable[..., subprocess.CompletedProcess[bytes]],
    words: list[str],
    says: str,
):
    says_one_line(typed(tmp_path / "runs", *words), says)


def test_a_folder_that_cannot_be_made_gets_one_line():
    says_one_line(lamplighter(Path("/proc/no/such/place"), "runs"), "/proc/no")


def says_one_line(done: subprocess.CompletedProcess[bytes], says: str) -> None:
    assert done.returncode != 0
    lines = done.stderr.decode().strip().splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("lamplighter: ")
    assert says in lines[0]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\x00\x01" * 900, "isn't plain text"),
        (b"\xff\xfe" * 900, "UTF-8"),
        (b"few words", "1,000 are needed"),
    ],
)
def test_a_text_that_is_none_is_refused_with_what_to_do(
    tmp_path: Path,
    typed: Callable[..., subprocess.CompletedProcess[bytes]],
    content: bytes,
    says: str,
):
    (tmp_path / "text.txt").write_bytes(content)
    done = typed(tmp_path / "runs", "train", "--corpus", str(tmp_path / "text.txt"), *SMALL)
    assert done.returncode != 0
    assert says in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


def test_ctrl_c_says_how_to_go_on_and_going_on_works(tmp_path: Path):
    text = tmp_path / "text.txt"
    text.write_text(small_text(), encoding="utf-8")
    words = ["--runs", str(tmp_path / "runs"), "train", "--corpus", str(text), *SMALL[:-1], "1000000"]
    process = subprocess.Popen(
        [sys.executable, "-m", "lamplighter", *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    wait_until(lambda: bool(RunStore(tmp_path / "runs").runs()), "the run")
    (run,) = RunStore(tmp_path / "runs").runs()
    at = wait_for_step(run, 10).step
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=30)
    assert f"lamplighter train --resume {run.id}" in said.decode()
    assert read_status(run).phase == "interrupted"
    process = subprocess.Popen(
        [sys.executable, "-m", "lamplighter", "--runs", str(tmp_path / "runs"), "train", "--resume", run.id],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for_step(run, at + 10)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0


@pytest.mark.tour
def test_a_run_that_a_server_held_goes_on_without_a_page(tmp_path: Path):
    run = RunStore(tmp_path / "runs").create(
        small_recipe(steps=5), small_text(), lambda folder: ask_to_hold(folder, "s1", 600)
    )
    assert lamplighter(tmp_path / "runs", "train", "--resume", run.id).returncode == 0
    assert read_status(run).phase == "finished"


def test_runs_are_listed_trashed_and_removed(
    tmp_path: Path, typed: Callable[..., subprocess.CompletedProcess[bytes]]
):
    one, two = make_run(tmp_path), make_run(tmp_path)
    (tmp_path / "broken").mkdir()
    listed = typed(tmp_path, "runs").stdout.decode()
    assert one.id in listed
    assert "MB" in listed
    assert "unreadable" in listed
    assert typed(tmp_path, "runs", "trash", one.id).returncode == 0
    assert "in the trash: 1" in typed(tmp_path, "runs").stdout.decode()
    assert lamplighter(tmp_path, "runs", "remove", two.id, text=b"n\n").returncode != 0
    assert two.path.exists()
    assert typed(tmp_path, "runs", "remove", two.id, "--trashed", "--yes").returncode == 0
    assert not two.path.exists()
    assert not RunStore(tmp_path).trashed()


@pytest.mark.tour
def test_a_taken_port_is_said_and_the_next_free_one_used(tmp_path: Path):
    make_run(tmp_path, steps=1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with Application(tmp_path, "--print-token", port=port) as application:
            assert application.port > port
            assert f"port {port} is taken" in application.log
            assert application.get("/healthz")["status"] == "ok"


def test_a_checkpoints_embedding_becomes_a_still_city(
    tmp_path: Path, typed: Callable[..., subprocess.CompletedProcess[bytes]]
):
    words = tmp_path / "words.txt"
    words.write_text("\n".join(f"word{i}" for i in range(50)), encoding="utf-8")
    np.save(tmp_path / "vectors.npy", np.random.default_rng(0).standard_normal((50, 8)).astype(np.float32))
    done = lamplighter(tmp_path / "runs", "still", str(tmp_path / "vectors.npy"), str(words))
    assert done.returncode == 0, done.stderr.decode()
    (run,) = RunStore(tmp_path / "runs").runs()
    assert read_status(run).phase == "finished"
    words.write_text("too few", encoding="utf-8")
    done = typed(tmp_path / "runs", "still", str(tmp_path / "vectors.npy"), str(words), "--name", "other")
    assert done.returncode == 1
    assert len(done.stderr.decode().strip().splitlines()) == 1
