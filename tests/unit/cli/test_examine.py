"""`lamplighter examine` as a person types it; what is answered already starts no process."""

from __future__ import annotations

import json
import threading

import pytest
from click.testing import CliRunner, Result

from lamplighter.cli.app import cli
from lamplighter.contract.questions import KINDS, parse_question
from lamplighter.examination.examiner import Examiner
from lamplighter.processes.asked_question import ask_question, check_question
from lamplighter.runfolder.importing.imported_run import IMPORTED_FACT
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.training.worker import train
from tests.support.runs import make_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Train a run that has said three words after its last step."""
    run = make_run(tmp_path_factory.mktemp("runs"), steps=3)
    train(run)
    question = parse_question({"kind": "speak", "step": 3, "prompt": run.vocabulary.tokens[5], "words": 3})
    ask_question(run, "test", check_question(run, question))
    examiner = Examiner(run, 0.0, threading.Event())
    examiner.answer_until_idle()
    examiner.close()
    return run


def typed(run: RunFolder, *words: object) -> Result:
    words = ("--runs", run.path.parent, "examine", *words)
    return CliRunner().invoke(cli, [str(word) for word in words])


def test_the_model_speaks_in_words(run: RunFolder) -> None:
    prompt = run.vocabulary.tokens[5]
    done = typed(run, run.id, "speak", "--prompt", prompt, "--words", 3)
    assert done.exit_code == 0, done.output
    likeliest, chance = done.stdout.splitlines()
    assert likeliest.startswith(f"the likeliest words: {prompt} | ")
    assert len(likeliest.partition("| ")[2].split()) == 3
    assert chance.startswith(f"words by chance: {prompt} | ")
    assert "step 3, from step" in done.stderr
    told = typed(run, run.id, "speak", "--step", 3, "--prompt", prompt, "--words", 3, "--json")
    answer = json.loads(told.stdout)
    assert (answer["kind"], answer["step"], len(answer["greedy"])) == ("speak", 3, 3)


def test_an_impossible_question_is_one_line(run: RunFolder) -> None:
    for words, said in (
        (("speak", "--prompt", "zzyzx"), "zzyzx"),
        (("speak",), "prompt"),
        (("speak", "--prompt", ".", "--token", 3), "token"),
        (("speak", "--prompt", ".", "--step", 900), "step 900 has not been reached"),
        (("microscope", "--step", 0), "step"),
    ):
        done = typed(run, run.id, *words)
        assert (done.exit_code, said in done.output) == (1, True), done.output
        assert "Traceback" not in done.output


def test_run_name(run: RunFolder) -> None:
    for words in ((), (run.id,), (run.id, "tarot"), (run.id, "--watch")):
        assert typed(run, *words).exit_code == 2, words
    assert typed(run, "nowhere", "speak", "--prompt", ".").exit_code == 1
    shown = typed(run, "--help").output
    assert all(kind in shown for kind in KINDS)


def test_a_strangers_model_is_opened_only_on_demand(run: RunFolder) -> None:
    with StepsWriter(run.steps_path) as writer:
        writer.set_facts({IMPORTED_FACT: 1.0})
    asking = (run.id, "speak", "--prompt", run.vocabulary.tokens[5], "--words", 3)
    refused = typed(run, *asking)
    assert refused.exit_code != 0
    assert "was imported. To ask its model takes" in refused.output
    assert typed(run, *asking, "--yes").exit_code == 0
