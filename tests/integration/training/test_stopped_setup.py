"""A run stopped while its text is read: training a tokeniser cannot be interrupted, and takes minutes for random
letters."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from lamplighter.corpora.corpus import CorpusError
from lamplighter.processes.worker import ExitCode
from lamplighter.runfolder.reading.run_status import read_status, wants_training
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.training import stoppable_setup
from lamplighter.training.corpus_setup import prepare_corpus
from lamplighter.training.stoppable_setup import SetupStoppedError, prepare_stoppably
from tests.integration.training.worker_record import ask
from tests.support.runs import finish, small_recipe, small_text, start_worker
from tests.support.waiting import wait_until

LETTERS = bytes(ord("a") + i % 26 for i in range(256))
BPE = {"kind": "text", "name": "letters.txt", "tokeniser": "bpe", "vocabulary_size": 4_000}


def letters(count: int) -> str:
    return random.Random(7).randbytes(count).translate(LETTERS).decode()


@pytest.mark.parametrize(
    ("how", "phase"),
    [("request", "interrupted"), (signal.SIGINT, "interrupted"), (signal.SIGTERM, "preparing")],
)
def test_stops_a_training_tokeniser_and_leaves_no_process(
    tmp_path: Path, how: str | signal.Signals, phase: str
) -> None:
    run = RunStore(tmp_path).create(small_recipe(corpus=BPE), letters(6_000_000))
    process = start_worker(run)
    wait_until(lambda: "tokens" in read_status(run).message, "the tokeniser")
    children = psutil.Process(process.pid).children(recursive=True)
    assert children
    if isinstance(how, signal.Signals):
        process.send_signal(how)
    else:
        ask(run, "stop")
    # Without a stop it takes minutes.
    assert finish(process, timeout=15) == ExitCode.DONE
    assert not any(child.is_running() for child in children)
    assert read_status(run).phase == phase
    assert wants_training(run) == (phase == "preparing")
    assert not run.is_prepared
    RunStore(tmp_path).trash(run)


def test_continues_a_run_stopped_before_its_first_step(tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(small_recipe(steps=5), small_text())
    ask(run, "stop")
    assert finish(start_worker(run)) == ExitCode.DONE
    assert (read_status(run).phase, run.is_prepared) == ("interrupted", False)
    ask(run, "continue", steps=3)
    assert finish(start_worker(run)) == ExitCode.DONE
    assert (read_status(run).phase, read_status(run).step) == ("finished", 8)


def test_trains_a_run_continued_before_its_stop_was_read(tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(small_recipe(steps=5), small_text())
    ask(run, "stop")
    ask(run, "continue", steps=3)
    assert finish(start_worker(run)) == ExitCode.DONE
    assert (read_status(run).phase, read_status(run).step) == ("finished", 8)


def test_a_child_process_builds_the_same_corpus(tmp_path: Path) -> None:
    runs = [
        RunStore(tmp_path).create(small_recipe(corpus=BPE | {"vocabulary_size": 500}), small_text(20_000))
        for _ in range(2)
    ]
    assert runs[0].source_path.stat().st_size > stoppable_setup._SHORT_BYTES  # pyright: ignore[reportPrivateUsage]
    told: list[tuple[float, str]] = []
    prepare_stoppably(runs[0], lambda share, what: told.append((share, what)), lambda: False)
    prepare_corpus(runs[1])
    assert told[-1] == (1.0, "done")
    for name in ("vocabulary.json", "tokeniser.json", "corpus.json", "corpus.npy"):
        assert (runs[0].path / name).read_bytes() == (runs[1].path / name).read_bytes(), name


def test_reports_an_unusable_long_text(tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(small_recipe(), "word" + " " * 100_000)
    with pytest.raises(CorpusError) as here:
        prepare_corpus(run)
    with pytest.raises(CorpusError) as there:
        prepare_stoppably(run, lambda _share, _what: None, lambda: False)
    assert str(there.value) == str(here.value)


def test_reports_a_full_disk(tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(small_recipe(), small_text(20_000))
    limited = (
        "import resource, sys; from lamplighter.training.corpus_worker import main;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY)); sys.exit(main())"
    )
    command = [sys.executable, "-c", limited, str(run.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        assert process.wait(30) == ExitCode.DISK_FULL
    assert not run.is_prepared


def test_stops_a_short_text_between_parts(tmp_path: Path) -> None:
    run: RunFolder = RunStore(tmp_path).create(small_recipe(), small_text())
    told: list[float] = []
    with pytest.raises(SetupStoppedError):
        prepare_stoppably(run, lambda share, _what: told.append(share), lambda: bool(told))
    assert (len(told), run.is_prepared) == (1, False)
