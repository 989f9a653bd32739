"""The board of claims beside its controls: the state of each claim on five runs, and whether it was predicted.

They are the default run, one on the same text in random order, one on a town whose planted classes and relations are permuted
among its words, one whose model learns nothing, and one that diverges.

The predictions are in `docs/claims.md`, with reasons there for those that were wrong. A wrong one counts with its reason
or without: a typed reason only says that it was seen. A prediction counts where it could fail, which is in the cells of
claims: what follows from the recipe, the checks and the definition are the same in all five runs. Each column is
prepared by `lamplighter examine --prepare claims`. `LAMPLIGHTER_BENCH_CONTROLS` names a folder in which the runs are
kept between two calls, `LAMPLIGHTER_BENCH_STEPS` says how long they are. About twenty minutes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.support.report import report
from benchmarks.support.training import STEPS
from lamplighter.claims.claim import ClaimState
from lamplighter.claims.control import make_control_recipe
from lamplighter.contract.recipe import Recipe
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder, write_atomically
from lamplighter.runfolder.run_store import RunStore
from lamplighter.wire.vocabulary import Relation, Vocabulary

COLUMNS = ("default", "shuffled", "random labels", "untrained", "diverged")
STILL_RATE, DIVERGING_FACTOR, SEED = 1e-7, 30, 33
PREDICTIONS = Path(__file__).resolve().parent.parent / "docs" / "claims.md"
EXPLAINED = "| # | run | predicted | found | why |"
ABOUT_ORDER = (2, 3, 14, 24)
"""Claims that must not hold for words in random order."""
_RELABELLED = "random-labels"
_ABOUT_LABELS = ("measures.sqlite*", "examinations.sqlite*", "requests-*")
"""Files of a run that depend on its labels."""

Board = dict[int, dict[str, Any]]


def main() -> bool:
    """Measure and print. Returns whether every state is as predicted."""
    text = PREDICTIONS.read_text(encoding="utf-8")
    predicted, explained = read_predictions(text), read_explained(text)
    with tempfile.TemporaryDirectory(prefix="lamplighter-bench-") as folder:
        runs = Path(os.environ.get("LAMPLIGHTER_BENCH_CONTROLS") or folder)
        boards = {column: _read_board(run) for column, run in _make_runs(RunStore(runs)).items()}
    return compare(boards, predicted, explained)


def read_predictions(text: str) -> dict[int, dict[str, set[str]]]:
    """Return the allowed states of each claim in each column, from the table of a document.

    Raises:
        ValueError: there is no such table, or a cell of it is none.
    """
    header = f"| # | {' | '.join(COLUMNS)} |"
    if header not in text:
        raise ValueError(f"{PREDICTIONS.name} has no predictions: a table with the head {header}")
    found: dict[int, dict[str, set[str]]] = {}
    for number, *cells in _read_rows(text, header):
        allowed = [set(cell.split(" or ")) for cell in cells]
        if len(allowed) != len(COLUMNS) or not set().union(*allowed) <= set(ClaimState):
            row = " | ".join((number, *cells))
            raise ValueError(f"{PREDICTIONS.name}: {row} is no prediction of {len(COLUMNS)} states")
        found[int(number)] = dict(zip(COLUMNS, allowed, strict=True))
    return found


def read_explained(text: str) -> set[tuple[int, str, str]]:
    """Return the states that contradict a prediction and are explained in the document, as claim, column, state."""
    found: set[tuple[int, str, str]] = set()
    for number, column, _, state, _ in _read_rows(text, EXPLAINED):
        found |= {(int(number), each, state) for each in (COLUMNS if column == "all" else (column,))}
    return found


def _read_rows(text: str, header: str) -> Iterator[list[str]]:
    """Yield the cells of each row of a table."""
    for line in text.partition(header)[2].splitlines()[2:]:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("| ").split("|")]


def compare(
    boards: dict[str, Board],
    predicted: dict[int, dict[str, set[str]]],
    explained: AbstractSet[tuple[int, str, str]] = frozenset(),
) -> bool:
    """Print the boards beside the predictions. Returns whether the goals are met."""
    found = {
        (number, column, boards[column][number]["state"]): allowed
        for number, row in predicted.items()
        for column, allowed in row.items()
        if boards[column][number]["state"] not in allowed
    }
    wrong = [
        f"{number}, {column}: predicted {' or '.join(sorted(allowed))}, found {state}"
        for (number, column, state), allowed in found.items()
    ]
    claims = {number for number, row in boards["default"].items() if row["role"] == "claim"}
    could_fail = [(number, column) for number in predicted.keys() & claims for column in COLUMNS]
    failed = {(number, column) for number, column, _ in found}
    came_true = sum(cell not in failed for cell in could_fail)
    held = {
        column: sum(board[number]["state"] == "holds" for number in claims)
        for column, board in boards.items()
    }
    states, figures = (
        {
            number: {column: board[number][of] for column, board in boards.items()}
            for number in boards["default"]
        }
        for of in ("state", "figure")
    )
    # An explanation of a state that no longer occurs is out of date.
    unexplained = sorted(str(one) for one in found.keys() ^ explained)
    green = [number for number in ABOUT_ORDER if boards["shuffled"].get(number, {}).get("state") == "holds"]
    met = [
        report(
            "claims_controls_true",
            came_true / len(could_fail) if could_fail else 0.0,
            f"of {len(could_fail)} predictions that could fail came true, whatever reasons were given since",
            came_true=came_true,
            allowing_two_states=sum(len(predicted[number][column]) > 1 for number, column in could_fail),
            alike_in_all_columns=sorted(
                number
                for number in predicted.keys() & claims
                if len(set(map(frozenset, predicted[number].values()))) == 1
            ),
            not_counted=len(predicted) * len(COLUMNS) - len(could_fail),
            wrong=wrong,
        ),
        report(
            "claims_controls",
            len(unexplained),
            f"states of {len(predicted)} statements on {len(COLUMNS)} runs that are neither as predicted nor explained",
            unexplained=unexplained,
            without_a_prediction=sorted(claims - predicted.keys()),
            claims=len(claims),
            held=held,
            states=states,
            figures=figures,
        ),
        report(
            "claims_controls_held", held["default"] - held["shuffled"], "claims fewer hold on shuffled words"
        ),
        report(
            "claims_controls_green",
            len(green),
            "of the claims about order that hold on shuffled words",
            green=green,
        ),
    ]
    return all(met)


def _make_runs(store: RunStore) -> dict[str, RunFolder]:
    """Return a prepared run for each column, cached or newly trained."""
    recipe = Recipe(steps=int(os.environ.get("LAMPLIGHTER_BENCH_STEPS") or STEPS))
    rate = recipe.optimiser.learning_rate
    recipes = {
        "default": recipe,
        "shuffled": make_control_recipe(recipe),
        "untrained": _with_rate(recipe, STILL_RATE),
        "diverged": _with_rate(recipe, DIVERGING_FACTOR * rate),
    }
    runs = {column: _train(store, column, one) for column, one in recipes.items()}
    runs["random labels"] = _relabel(runs["default"], store.path / f"{_RELABELLED}-{recipe.steps}")
    # The controls first, because the board of the default run uses its control.
    for column in reversed(COLUMNS):
        print(f"preparing {column}", file=sys.stderr)
        _run_cli(runs[column], "examine", "RUN", "--prepare", "claims", "--yes")
    return {column: runs[column] for column in COLUMNS}


def _with_rate(recipe: Recipe, rate: float) -> Recipe:
    optimiser = recipe.optimiser.model_copy(update={"learning_rate": rate})
    return recipe.model_copy(update={"optimiser": optimiser})


def _train(store: RunStore, column: str, recipe: Recipe) -> RunFolder:
    """Return a finished run of a recipe, trained without a server."""
    kept = [run for run in store.runs() if run.recipe == recipe and not run.id.startswith(_RELABELLED)]
    run = kept[0] if kept else store.create(recipe)
    if not read_status(run).has_ended:
        print(f"training {column}, {recipe.steps:,} steps", file=sys.stderr)
        # A diverged run may fail, and is examined up to there.
        _run_cli(run, "train", "--resume", "RUN", "--json")
        if not read_status(run).has_ended:
            raise AssertionError(f"{column} was not trained to an end")
    return run


def _relabel(run: RunFolder, path: Path) -> RunFolder:
    """Return a copy of a run with its classes and relations permuted among the labelled words."""
    if not path.exists():
        making = path.with_name(f".making-{path.name}")
        shutil.rmtree(making, ignore_errors=True)
        shutil.copytree(run.path, making, ignore=shutil.ignore_patterns(*_ABOUT_LABELS))
        write_atomically(making / "vocabulary.json", deal_labels(run.vocabulary).to_json())
        making.rename(path)
    return RunFolder(path)


def deal_labels(vocabulary: Vocabulary) -> Vocabulary:
    """Return a vocabulary with the same classes and relations, permuted among the labelled words."""
    labelled = {token for members in vocabulary.classes.values() for token in members}
    labelled |= {token for one in vocabulary.relations for pair in one.pairs for token in pair}
    words = np.array(sorted(labelled))
    dealt = np.random.default_rng(SEED).permutation(words)
    to = dict(zip(words.tolist(), dealt.tolist(), strict=True))
    return Vocabulary(
        vocabulary.tokens,
        vocabulary.counts,
        {name: tuple(sorted(to[token] for token in members)) for name, members in vocabulary.classes.items()},
        tuple(
            Relation(one.name, tuple((to[left], to[right]) for left, right in one.pairs))
            for one in vocabulary.relations
        ),
        vocabulary.families,
    )


def _read_board(run: RunFolder) -> Board:
    """Return the role, the state and the first figure of each statement, by number."""
    found = json.loads(_run_cli(run, "claims", "RUN", "--json"))
    return {
        row["number"]: {
            "role": row["role"],
            "state": row["state"],
            "figure": row["figures"][0]["value"] if row["figures"] else None,
        }
        for row in found["items"]
    }


def _run_cli(run: RunFolder, *words: str) -> str:
    """Run a command on a run, whose path replaces `RUN`, and return its output. Reports a failure, because an
    unanswered question is a claim without a number."""
    named = [run.id if word == "RUN" else word for word in words]
    command = [sys.executable, "-m", "lamplighter", "--runs", str(run.path.parent), *named]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        print(f"{' '.join(named)} ended with {done.returncode}", file=sys.stderr)
    return done.stdout
