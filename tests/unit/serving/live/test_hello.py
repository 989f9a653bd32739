"""The first message on the live socket has at most 256 KB, for any imported run."""

from __future__ import annotations

import json
from bisect import bisect_left
from pathlib import Path

import numpy as np
import pytest

from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.importing.checked_steps import copy_steps
from lamplighter.runfolder.importing.run_checks import (
    MAX_LAYERS,
    MAX_MESSAGE,
    MAX_NAME,
    RunChecks,
    check_vocabulary,
)
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.serving.schemas.base import to_json_text
from lamplighter.serving.schemas.messages import HelloMessage
from lamplighter.wire.vocabulary import Relation, Vocabulary
from tests.support.folders import BATCH_TOKENS, TOKENS, D, V, finished_run

MAX_HELLO = 256 << 10
ESCAPED = "\x01"
"""A character that takes six bytes of JSON, more than any other."""


def with_names(classes: int, relations: int, length: int) -> Vocabulary:
    names = [f"{number:04d}".ljust(length, ESCAPED) for number in range(max(classes, relations))]
    return Vocabulary(
        TOKENS,
        np.ones(V, dtype=np.int64),
        dict.fromkeys(names[:classes], ()),
        tuple(Relation(name, ()) for name in names[:relations]),
    )


def is_taken(vocabulary: Vocabulary) -> bool:
    try:
        check_vocabulary(vocabulary)
    except FormatError:
        return False
    return True


def longest(classes: bool, length: int) -> Vocabulary:
    """Return the vocabulary with the most and longest names that an import accepts."""

    def of(count: int) -> Vocabulary:
        return with_names(count if classes else 0, 0 if classes else count, length)

    return of(bisect_left(range(1, 10_000), True, key=lambda count: not is_taken(of(count))))


def imported(run: RunFolder, vocabulary: Vocabulary, layers: list[str], folder: Path) -> RunFolder:
    """Return the run as an import leaves it."""
    with StepsWriter(run.steps_path) as writer:
        writer.set_facts({"layers": layers, "message": ESCAPED * MAX_MESSAGE, "phase": "failed"})
        writer.close(sealed=True)
    check_vocabulary(vocabulary)
    recipe = json.loads((run.path / "recipe.json").read_text())
    recipe["corpus"]["name"] = ESCAPED * 200
    copy = RunFolder(folder / run.id)
    copy.path.mkdir(parents=True)
    (copy.path / "recipe.json").write_text(json.dumps(recipe))
    copy.write_corpus(run.token_ids, vocabulary, "{}")
    copy_steps(run.steps_path, copy.steps_path, RunChecks(V, D, BATCH_TOKENS, lambda: None))
    return copy


@pytest.mark.parametrize("classes", [True, False])
@pytest.mark.parametrize("length", [5, MAX_NAME])
def test_the_longest_imported_names_fit(classes: bool, length: int, tmp_path: Path) -> None:
    run = finished_run(tmp_path / "here")
    layers = [f"{number:03d}" + ESCAPED * 28 for number in range(MAX_LAYERS)]
    copy = imported(run, longest(classes, length), layers, tmp_path / "there")
    details = RunCatalog(RunStore(tmp_path / "there")).read_fully(copy)
    hello = to_json_text(HelloMessage(run=details, channels=["layout", "pulse", "rows"])).encode()
    assert MAX_HELLO // 2 < len(hello) <= MAX_HELLO


def test_longer_layer_names_are_refused(tmp_path: Path) -> None:
    run = finished_run(tmp_path / "here")
    layers = [f"{number:03d}" + ESCAPED * (MAX_NAME - 3) for number in range(MAX_LAYERS)]
    with pytest.raises(FormatError, match=r"layer names of more than 40,000 bytes"):
        imported(run, with_names(1, 1, 5), layers, tmp_path / "there")
