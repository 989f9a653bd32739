"""`watch` is a guest: a loop ends as it does without, computes the same bits, and its files need no Lamplighter.

What is recorded equals what the loop itself noted: ids, losses, gradients, moved rows, distances, matrices.
"""

from __future__ import annotations

import io
import math
import re
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path

import pytest

import lamplighter
from tests.unit.client.watching.guests import (  # noqa: F401 (they register themselves)
    loops_company,
    loops_copies,
    loops_gradients,
    loops_interrupted,
    loops_optimisers,
    loops_outputs,
    loops_tables,
)
from tests.unit.client.watching.guests.guest import GUESTS, Outcome, Played, Unwatched, play

ROOM = str(Path(__file__).parent)


@cache
def played(name: str, folder: Path) -> tuple[Played, Played]:
    """Play a loop without and with `watch`."""
    body = GUESTS[name].play
    return play(body), play(body, folder / name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("guests")


LOOPS = [pytest.param(name, marks=pytest.mark.tour if guest.tour else ()) for name, guest in GUESTS.items()]


@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_is_as_it_is_without(name: str, folder: Path):
    plain, watched = played(name, folder)
    assert watched.ended == plain.ended
    assert watched.visit.notes == plain.visit.notes
    assert watched.randomness == plain.randomness
    assert watched.warned <= plain.warned
    assert watched.visit.files.keys() == plain.visit.files.keys()
    assert watched.hooks_left == 0


@pytest.mark.parametrize("name", LOOPS)
def test_its_record_is_there_or_says_why_not(name: str, folder: Path):
    watched = played(name, folder)[1]
    outcomes = GUESTS[name].outcomes
    assert len(watched.visit.watchers) == len(outcomes)
    for number, (watcher, outcome) in enumerate(zip(watched.visit.watchers, outcomes, strict=True)):
        check_record(watcher, outcome)
        if outcome.exact:
            watched.visit.owns[number].assert_equals(watcher.folder, kept=outcome.kept)
    said = [*watched.visit.refusals, *(message for message, _ in watched.said)]
    expected = [outcome.says for outcome in outcomes if outcome.says is not None]
    assert len(said) == len(expected), said
    for message, pattern in zip(said, expected, strict=True):
        assert re.search(pattern, message)
    # At a line of the loop's own; "" where the loop makes warnings errors.
    assert {str(Path(file).parent) for _, file in watched.said if file} <= {ROOM}


def check_record(watcher: object, outcome: Outcome) -> None:
    folder = getattr(watcher, "folder", None)
    if outcome.phase == "refused":
        # By an InputError, or by a warning and a watcher that records nothing.
        assert isinstance(watcher, Unwatched) or folder is None
        return
    assert folder is not None, "it was refused"
    if outcome.phase == "gone":
        assert not folder.exists()
        return
    run = lamplighter.open(folder)
    assert (run.status.step, run.status.phase) == (outcome.steps, outcome.phase)
    if outcome.says == "no loss":
        assert all(math.isnan(pulse.loss) for pulse in run.steps())
    assert run.snapshot(run.snapshot_steps()[-1]).shape[0] == len(run.tokens)


def sizes(saved: bytes) -> dict[str, int]:
    """Return the size of each part of a saved file, without the numbers by which TorchScript tells classes apart."""

    def unnumbered(text: bytes) -> bytes:
        return re.sub(rb"___torch_mangle_\d+", b"", text)

    if not zipfile.is_zipfile(io.BytesIO(saved)):
        return {"": len(saved)}
    with zipfile.ZipFile(io.BytesIO(saved)) as parts:
        return {
            unnumbered(name.encode()).decode(): len(unnumbered(parts.read(name)))
            for name in parts.namelist()
            # The room that fills up to 64 bytes, and a debugger's places in the source.
            if not name.endswith((".data/alignment", ".debug_pkl"))
        }


OPEN = """
import io, pathlib, pickle, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "lamplighter":
            raise ModuleNotFoundError(f"No module named {name!r}")

sys.meta_path.insert(0, Missing())
sys.path.insert(0, sys.argv[1])
import torch

for path in map(pathlib.Path, sys.argv[2:]):
    data = io.BytesIO(path.read_bytes())
    if path.suffix == ".pt":
        torch.load(data, weights_only=False)
    elif path.suffix == ".jit":
        torch.jit.load(data)
    else:
        pickle.load(data)
    print(path.name)
"""


def test_saved_files_open_without_lamplighter(folder: Path):
    files: list[Path] = []
    for name in (name for name, guest in GUESTS.items() if guest.saves):
        plain, watched = played(name, folder)
        assert watched.visit.files
        for file, data in watched.visit.files.items():
            assert b"lamplighter" not in data.replace(ROOM.encode(), b"")
            assert sizes(data) == sizes(plain.visit.files[file])
            files.append(folder / f"{name} {file}")
            files[-1].write_bytes(data)
    root = str(Path(ROOM).parents[4])
    found = subprocess.run(
        [sys.executable, "-I", "-W", "ignore", "-c", OPEN, root, *map(str, files)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert found.returncode == 0, found.stderr
    assert found.stdout.splitlines() == [file.name for file in files]
