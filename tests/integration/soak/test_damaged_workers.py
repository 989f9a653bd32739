"""Workers on damaged folders: they work, or exit with code 4 and a sentence; no traceback, no hang."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import apsw
import pytest

from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.requests import RequestsWriter
from tests.support.runs import Process, finish, make_run, start_worker

ROOMS = ("training", "projection", "analysis")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = make_run(tmp_path_factory.mktemp("whole"), steps=40)
    assert finish(start_worker(run)) == 0
    assert finish(start_worker(run, "analysis")) == 0
    assert read_status(run).has_ended
    return run.path


def noise(name: str) -> Callable[[Path], None]:
    return lambda run: (run / name).write_bytes((run / name).read_bytes()[:4096] + b"\xff" * 50_000)


def cut(name: str) -> Callable[[Path], None]:
    return lambda run: (run / name).write_bytes((run / name).read_bytes()[:5_000])


def text(name: str, what: str) -> Callable[[Path], None]:
    return lambda run: (run / name).write_text(what, encoding="utf-8")


def file_for_checkpoints(run: Path) -> None:
    shutil.rmtree(run / "checkpoints")
    (run / "checkpoints").touch()


def folder(name: str) -> Callable[[Path], None]:
    def act(run: Path) -> None:
        (run / name).unlink(missing_ok=True)
        (run / name).mkdir()

    return act


DAMAGES: dict[str, Callable[[Path], None]] = {
    "noise in the steps": noise("steps.sqlite"),
    "steps cut short": cut("steps.sqlite"),
    "steps that are a text": text("steps.sqlite", "once upon a time " * 500),
    "steps that are a folder": folder("steps.sqlite"),
    "tiles that are a folder": folder("tiles.sqlite"),
    "measures that are a text": text("measures.sqlite", "once upon a time " * 500),
    "layouts that are a folder": folder("layouts.sqlite"),
    "a recipe that is no JSON": text("recipe.json", "{"),
    "a vocabulary of another kind": text("vocabulary.json", "[]"),
    "a corpus cut short": cut("corpus.npy"),
    "checkpoints that are a file": file_for_checkpoints,
    "a lock that is a text": text("trainer.lock", "x" * 5_000),
}  # fmt: skip


@pytest.mark.parametrize(
    "room", [ROOMS[0], *(pytest.param(room, marks=pytest.mark.tour) for room in ROOMS[1:])]
)
def test_workers_on_damaged_folders_end_in_order(whole: Path, tmp_path: Path, room: str) -> None:
    problems: list[str] = []
    # A few at a time, because there are few cores.
    for batch in batched(DAMAGES.items(), 4):
        started: dict[str, Process] = {}
        for name, damage in batch:
            run = tmp_path / name.replace(" ", "-")
            shutil.copytree(whole, run)
            if room == "training":
                RequestsWriter(run, "x").add("continue", {"steps": 5})
            damage(run)
            started[name] = start_worker(RunFolder(run), room)
        for name, process in started.items():
            problems += [f"{name}: {problem}" for problem in end_of(process)]
    assert not problems, "\n".join(problems)


def end_of(process: Process) -> list[str]:
    """Wait for a worker. Returns the problems with how it ended."""
    try:
        _, said = process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        process.kill()
        return [f"it does not end; it said {process.communicate()[1].decode()!r}"]
    words = said.decode()
    if process.returncode not in (0, 4) or "Traceback" in words:
        return [f"code {process.returncode}, {words[-600:]}"]
    return []


def batched(
    items: Iterable[tuple[str, Callable[[Path], None]]], size: int
) -> Iterator[list[tuple[str, Callable[[Path], None]]]]:
    left = list(items)
    while left:
        yield left[:size]
        del left[:size]


@pytest.mark.parametrize("format", ["csv", "npy"])
def test_an_export_of_a_damaged_record_ends_with_a_sentence(whole: Path, tmp_path: Path, format: str) -> None:
    run = tmp_path / whole.name
    shutil.copytree(whole, run)
    connection = apsw.Connection(str(run / "steps.sqlite"))
    for table in ("pulses", "keyframes"):
        connection.execute(f"UPDATE {table} SET record=x'4c414d50'")
    connection.close()
    command = [
        sys.executable,
        "-m",
        "lamplighter",
        "--runs",
        str(tmp_path),
        "export",
        run.name,
        "--to",
        format,
    ]
    ended = subprocess.run(
        [*command, "--out", str(tmp_path / "out")], capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 1
    assert ended.stderr.strip().startswith("lamplighter: ")
    assert len(ended.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()
