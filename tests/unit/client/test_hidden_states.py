"""Hidden states of a run that was trained here, as a run of their own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import lamplighter
from lamplighter.analysis.analyst import Analyst
from lamplighter.cli.app import cli
from lamplighter.corpora.occurrences import list_homonyms
from lamplighter.geometry.separation import separation
from lamplighter.model.checkpoint import list_checkpoints, load_checkpoint
from lamplighter.model.learner import build_learner
from lamplighter.model.observer import Observer
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.loop_facts import check_loop_facts
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.serving.schemas.runs import without_text
from lamplighter.training.worker import train
from tests.support.runs import make_run

SHAPE = {"dim": 16, "layers": 2, "heads": 2, "context": 16}
SENTENCES = [
    ("along the river bank people fish", "bank", "river"),
    ("on the river bank", "bank", "river"),
    ("money from the bank", "bank", "money"),
    ("the bank", "bank", "money"),
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Return a town that was trained for 60 steps; tests must not change it."""
    run = make_run(
        tmp_path_factory.mktemp("probed"),
        steps=60,
        corpus={"kind": "lamptown"},
        model=SHAPE,
        cadence={"waypoint_every": 30},
    )
    train(run)
    return run


@pytest.fixture
def town(trained: RunFolder, tmp_path: Path) -> RunFolder:
    return RunFolder(Path(shutil.copytree(trained.path, tmp_path / "town")))


def hook_blocks(blocks: Any, seen: list[torch.Tensor]) -> list[Any]:
    def keep_input(_module: Any, given: Any) -> None:
        seen.append(given[0])

    def keep_output(_module: Any, _given: Any, output: Any) -> None:
        seen.append(output)

    return [
        blocks[0].register_forward_pre_hook(keep_input),
        *(block.register_forward_hook(keep_output) for block in blocks),
    ]


def test_each_kept_state_is_read_as_torch_reads_it(town: RunFolder) -> None:
    made = lamplighter.open(town.path).hidden_states(SENTENCES, maps=False)
    files = {file.step: file for file in list_checkpoints(town.waypoints)}
    numbers = [made.step_number(step) for step in range(made.status.step + 1)]
    assert numbers == sorted({*files, 60})
    assert {0, 30, 60} <= set(numbers)
    learner = build_learner(town.recipe, len(town.vocabulary), torch.device("cpu"))
    load_checkpoint(files[30], learner, Observer(learner, 100))
    rows = np.empty((3, len(SENTENCES), SHAPE["dim"]), dtype=np.float32)
    for number, (text, _, _) in enumerate(SENTENCES):
        words = text.split()
        seen: list[torch.Tensor] = []
        handles = hook_blocks(learner.model.blocks, seen)
        with torch.no_grad():
            # The words after the probed one are read too: they must not matter.
            learner.model.logits(torch.tensor([[town.vocabulary.tokens.index(word) for word in words]]))
        for handle in handles:
            handle.remove()
        for layer, state in enumerate(seen):
            rows[layer, number] = state[0, words.index("bank")].numpy()
    found = made.snapshot(numbers.index(30))
    np.testing.assert_allclose(found, rows.reshape(-1, SHAPE["dim"]), rtol=1e-5, atol=1e-6)
    assert made.tokens[:2] == ("along the river bank people · 0", "on the river bank · 0")
    assert made.vocabulary.classes["money · layer 1"] == (6, 7)


def test_the_separation_of_meanings_is_a_measure_of_each_step(town: RunFolder) -> None:
    made = lamplighter.open(town.path).hidden_states(SENTENCES, maps=False)
    Analyst(RunFolder(made.folder)).run()
    measures = made.measures()
    assert sorted(measures) == list(range(made.status.step + 1))
    rows = made.snapshot(1)[4:8]
    expected = separation(rows, np.array([0, 0, 1, 1]), np.zeros(4, dtype=np.int64))
    assert (measures[1]["separation layer 1"], measures[1]["separation_chance layer 1"]) == expected
    assert "rows_stayed" not in measures[1]


def test_the_words_of_the_town_with_two_meanings_are_found_at_one_position(town: RunFolder) -> None:
    made = lamplighter.open(town.path).hidden_states(maps=False)
    probed = made.probed
    assert probed is not None
    words = {one.word: set(one.topics) for one in list_homonyms() if one.word in town.vocabulary.tokens}
    assert len(probed["texts"]) == 12 * len(words)
    assert probed["run"] == town.id
    assert {text.split()[-1] for text in probed["texts"]} == set(words)
    assert {len(text.split()) for text in probed["texts"]} == {12}
    for name in made.vocabulary.classes:
        word, _, rest = name.partition(": ")
        assert rest.partition(" · ")[0] in words[word]
    # The same word at the same position is one point before the first block.
    first = made.snapshot()[:12]
    assert (first == first[0]).all()


def test_the_command_tells_how_far_meanings_are_apart(town: RunFolder, tmp_path: Path) -> None:
    runs = ["--runs", str(town.path.parent)]
    told = CliRunner().invoke(cli, [*runs, "hidden-states", "town", "--word", "bank", "--no-maps", "--json"])
    assert told.exit_code == 0, told.output
    found = json.loads(told.output)
    assert found["id"] == "town-probes"
    assert found["separation"]["layer 0"] == [0.0, 0.0, 0.0]
    lines = tmp_path / "lines.tsv"
    lines.write_text("the river bank\tbank\triver\na wolfram\twolfram\n", encoding="utf-8")
    told = CliRunner().invoke(cli, [*runs, "hidden-states", "town", "--sentences", str(lines), "--no-maps"])
    assert told.exit_code != 0
    assert "does not know the word 'wolfram'" in str(told.exception or told.output)
    assert not (town.path.parent / "town-probes-2").exists()


def test_a_run_of_hidden_states_outlives_its_parent_and_travels(town: RunFolder, tmp_path: Path) -> None:
    made = lamplighter.open(town.path).hidden_states(SENTENCES, maps=False)
    store = RunStore(town.path.parent)
    store.remove(town)
    copy = made.backup(tmp_path / "copy")
    told = RunCatalog(store).describe_fully(store.find(made.id))
    assert told.probes is not None
    assert told.probes.texts == [text for text, _, _ in SENTENCES]
    # A viewer who may not see the text of a run may not see its sentences either.
    assert without_text(told, "A run").probes is None
    assert store.find(made.id).vocabulary.tokens == made.tokens
    np.testing.assert_array_equal(copy.snapshot(), made.snapshot())
    with pytest.raises(lamplighter.InputError, match="watch"):
        copy.hidden_states()


@pytest.mark.parametrize(
    "change",
    [
        {"layers": []},
        {"layers": [1]},
        {"words": [-1]},
        {"words": [True]},
        {"texts": ["x" * 70_000]},
        {"more": 1},
        {"run": 7},
    ],
)
def test_probes_of_an_imported_run_are_checked(change: dict[str, object]) -> None:
    probed = {"run": "town", "layers": ["layer 0"], "words": [0], "texts": ["a bank"]}
    assert check_loop_facts({"probes": probed}, 100) == {"probes": probed}
    with pytest.raises(FormatError):
        check_loop_facts({"probes": probed | change}, 100)
