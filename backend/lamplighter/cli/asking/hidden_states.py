"""The command `lamplighter hidden-states`: the hidden states of words in their sentences, as another run."""

from __future__ import annotations

import json
from pathlib import Path

import click

from lamplighter.cli.common import common_options
from lamplighter.cli.named_run import RUN_ID, find_named_run
from lamplighter.cli.terminal import print_line, show_progress
from lamplighter.corpora.textfile import read_text
from lamplighter.runfolder.run_folder import RunFolder


@click.command("hidden-states")
@click.argument("name", metavar="RUN", type=RUN_ID)
@click.option(
    "--word", "words", multiple=True, help="A word to find in the text that training does not read."
)
@click.option(
    "--sentences",
    type=click.Path(path_type=Path),
    help="A file with a sentence in each line, and after tabs the word and its meaning.",
)
@click.option("--no-maps", is_flag=True, help="Do not lay out the maps of the past now.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else.")
@common_options()
def hidden_states_command(
    runs_dir: Path, name: str, words: tuple[str, ...], sentences: Path | None, no_maps: bool, as_json: bool
) -> None:
    """Read what each layer of the model makes of words in their sentences, at all kept states of RUN, as a run beside it.

    Without --word and --sentences the words are those of Lamptown that have two meanings, or frequent words of another text.
    """
    from lamplighter.client.probing.probe_set import read_sentences
    from lamplighter.client.probing.trained_run import record_hidden_states
    from lamplighter.processes.reprojection_job import ReprojectionFailedError, reproject_in_child

    if words and sentences is not None:
        raise click.UsageError("give --word or --sentences, not both")
    run = find_named_run(runs_dir, name)
    problem = None
    with show_progress("reading", quiet=as_json) as show:
        given = None
        if sentences is not None:
            lines = read_text(sentences).splitlines()
            given = read_sentences([line.split("\t") for line in lines if line.strip()])
        made = record_hidden_states(run, given, words, show)
    if not no_maps:
        with show_progress("maps", quiet=as_json) as show:
            try:
                reproject_in_child(made.path, show)
            except ReprojectionFailedError as error:
                problem = str(error)
    told = _measure_ends(made)
    if as_json:
        print_line(json.dumps({"id": made.id, "separation": told}))
        return
    for layer, (first, last, chance) in told.items():
        print_line(
            f"{layer}: separation of meanings {first:.2f} at the first state, {last:.2f} at the last; shuffled meanings"
            f" stay below {chance:.2f} in 95 of 100"
        )
    print_line(f"{made.id}: see it with: lamplighter --runs {runs_dir}")
    if problem:
        print_line(f"its maps are not laid out: {problem}")


def _measure_ends(run: RunFolder) -> dict[str, tuple[float, float, float]]:
    """Return the separation of meanings in each layer at the first and at the last step, and that of shuffled ones."""
    from lamplighter.analysis.measures import measure_snapshot
    from lamplighter.runfolder.reading.matrix_history import MatrixHistory

    with MatrixHistory(run) as history:
        last = history.steps.newest_step()[1]
        ends = [
            measure_snapshot(run, step, history.snapshot(step, nearest=True).vectors, None)
            for step in (0, last)
        ]
    return {
        name.removeprefix("separation "): (ends[0][name], value, ends[1][name.replace(" ", "_chance ", 1)])
        for name, value in ends[1].items()
        if name.startswith("separation ")
    }
