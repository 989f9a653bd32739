"""The lines of a model in training: recorded with their step, the same after a crash, without effect on training."""

from __future__ import annotations

from pathlib import Path

import pytest

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.lines import decode_lines
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.training.corpus_setup import prepare_corpus
from lamplighter.training.worker import train
from tests.support.runs import finish, kill, make_run, start_worker, wait_for_step


def lines(run: RunFolder) -> dict[int, str]:
    with StepsReader(run.steps_path) as reader:
        return reader.lines(0, 99, 99)


def digests(run: RunFolder) -> dict[int, bytes]:
    with StepsReader(run.steps_path) as reader:
        return reader.digests(1, 99)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    run = make_run(tmp_path_factory.mktemp("reference"))
    assert train(run) == "finished"
    return run


def test_lines_go_from_noise_to_text(reference: RunFolder) -> None:
    found = {step: decode_lines(text, len(reference.vocabulary)) for step, text in lines(reference).items()}
    assert list(found) == [0, 1, 2, 5, 10, 20, 50]
    with StepsReader(reference.steps_path) as reader:
        prompts = reader.facts()["prompts"]
    for said in found.values():
        assert [list(line.prompt) for line in said] == [*prompts, prompts[0]]
    # Before the first step every word is as likely as any other.
    assert max(found[0][0].probabilities) < 5 / len(reference.vocabulary)
    assert max(found[50][0].probabilities) > 2 * max(found[0][0].probabilities)


def test_lines_do_not_change_training(tmp_path: Path, reference: RunFolder) -> None:
    silent = make_run(tmp_path)
    prepare_corpus(silent)
    with StepsWriter(silent.steps_path) as writer:
        writer.set_facts({"prompts": []})
    assert train(silent) == "finished"
    assert lines(silent) == {}
    assert len(digests(silent)) == 60
    assert digests(silent) == digests(reference)


def test_a_killed_run_says_the_same_lines(tmp_path: Path, reference: RunFolder) -> None:
    run = make_run(tmp_path)
    process = start_worker(run)
    wait_for_step(run, 30)
    kill(process)
    assert finish(start_worker(run)) == 0
    assert lines(run) == lines(reference)
    assert digests(run) == digests(reference)
