"""The command `lamplighter planted`: whether the model has found the word pairs that were planted in Lamptown."""

from __future__ import annotations

import json
import statistics
from itertools import pairwise
from pathlib import Path
from typing import Any

import click

from lamplighter.cli.common import common_options
from lamplighter.cli.named_run import RUN_ID, find_named_run
from lamplighter.cli.terminal import print_line, show_progress
from lamplighter.geometry.pairs import mutual_ranks_of_units
from lamplighter.platform.printable import quote_foreign
from lamplighter.runfolder.errors import NoSnapshotError
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.measures import MeasuresReader
from living_map.rows import unit_rows

FOUND = 5
"""The largest rank, of the worse of two, at which a pair counts as found: each word is among the five nearest of the
other."""
MAX_STEPS = 8
"""The maximum number of steps shown."""


@click.command("planted")
@click.argument("run_id", metavar="RUN", type=RUN_ID)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else.")
@common_options()
def planted_command(runs_dir: Path, run_id: str, as_json: bool) -> None:
    """Show whether the model has found the word pairs that `lamplighter train --plant FILE` planted in Lamptown.

    A pair counts as found when each of its words is among the five nearest of the other, and nearer than any word of
    another planted pair, which shares its kind but not its sign. The rank expected by chance is shown for comparison.
    """
    run = find_named_run(runs_dir, run_id)
    pairs = run.recipe.corpus.planted_pairs
    if not pairs:
        raise click.ClickException(
            f"nothing is planted in {run.id}; start a run with planted words with: lamplighter train --plant FILE"
        )
    if not run.is_prepared:
        raise click.ClickException(f"{run.id} has not read its corpus yet, so there is nothing to find")
    known = set(run.vocabulary.tokens)
    if lacking := [word for pair in pairs for word in pair if word not in known]:
        raise click.ClickException(
            f"{run.id} has no token {', '.join(map(quote_foreign, lacking))}: its vocabulary is too small, or it splits words"
        )
    try:
        with show_progress("measuring", quiet=as_json):
            told = _measure(run, pairs)
    except (FileNotFoundError, NoSnapshotError) as error:
        raise click.ClickException(f"{run.id} has not started yet, so there is nothing to find") from error
    if as_json:
        print_line(json.dumps(told))
        return
    for one in told["pairs"]:
        by_step = ", ".join(f"{rank:,.0f} at step {step:,}" for step, rank in one["ranks"])
        sign = "[+] found" if one["found"] else "[ ] not found"
        print_line(f"{sign:<13} {one['pair'][0]} and {one['pair'][1]}: rank {by_step}")
    print_line(f"by chance the rank is about {told['by_chance']:,.0f}")
    if told["across_pairs"] is not None:
        print_line(
            f"words of two different pairs, step {told['step']:,}: rank {told['across_pairs']:,.0f}, the median"
        )


def _measure(run: RunFolder, pairs: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """Return the worse rank of each pair by step, and the ranks for comparison at the newest kept step."""
    by_step: dict[int, dict[str, float]] = {}
    with MatrixHistory(run) as history:
        lineage = history.steps.lineage()
        step = history.steps.newest_step()[1]
        units = unit_rows(history.snapshot(step).vectors)
    if run.measures_path.exists():
        with MeasuresReader(run.measures_path) as reader:
            by_step = reader.by_step(lineage=lineage)
    ids = {word: run.vocabulary.tokens.index(word) for pair in pairs for word in pair}

    def rank(one: str, other: str) -> int:
        return max(mutual_ranks_of_units(units, ids[one], ids[other]))

    def apart(one: str, other: str) -> bool:
        """Return whether two words are nearer to each other than to all words of other pairs."""
        rest = [row for word, row in ids.items() if word not in (one, other)]
        cosine = units[ids[one]] @ units[ids[other]]
        return not rest or bool((units[rest] @ units[[ids[one], ids[other]]].T).max() < cosine)

    told: list[dict[str, Any]] = []
    for one, other in pairs:
        name = f"rank {one}/{other}"
        known = [(at, values[name]) for at, values in sorted(by_step.items()) if name in values and at < step]
        stride = max(1, -(-len(known) // (MAX_STEPS - 1)))
        now = float(rank(one, other))
        told.append(
            {
                "pair": [one, other],
                "ranks": [*known[::stride], (step, now)],
                "found": now <= FOUND and apart(one, other),
            }
        )
    across = [rank(first[0], second[1]) for first, second in pairwise(pairs)]
    return {
        "step": step,
        "pairs": told,
        # The expected rank of one word among all others in random order.
        "by_chance": len(run.vocabulary) / 2,
        "across_pairs": statistics.median(across) if across else None,
    }
