"""The commands that ask a run's model: `lamplighter examine`, a question, or an examiner for questions asked elsewhere;
`lamplighter planted`, whether it has found the word pairs that were planted in Lamptown; and `lamplighter hidden-states`,
those of words in their sentences, as another run.
"""

from __future__ import annotations

import json
import statistics
from itertools import pairwise
from pathlib import Path
from typing import Any

import click

from lamplighter.cli.asking.claims import prepare_claims
from lamplighter.cli.asking.lessons import prepare_lessons
from lamplighter.cli.common import common_options
from lamplighter.cli.named_run import RUN_ID, confirm_imported, find_members, find_named_run
from lamplighter.cli.terminal import (
    log_to_terminal,
    make_progress_bar,
    print_line,
    print_lines,
    show_progress,
)
from lamplighter.cli.workers import run_until_stopped
from lamplighter.contract.questions import KINDS, MAX_STEP, QuestionError, parse_question
from lamplighter.corpora.textfile import read_text
from lamplighter.geometry.pairs import mutual_ranks_of_units
from lamplighter.platform.printable import quote_foreign
from lamplighter.processes.asked_question import ExaminationRefusedError, check_question
from lamplighter.processes.examiner_pool import ExaminerWatch
from lamplighter.processes.local_examiner import ExaminationFailedError, LocalExaminer
from lamplighter.runfolder.errors import NoSnapshotError
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.measures import MeasuresReader
from living_map.rows import unit_rows

_FIELDS: dict[str, tuple[Any, str]] = {
    "prompt": (str, "speak, transplant: the text to continue."),
    "words": (
        int,
        "speak, transplant: number of words to generate; substitution: to replace; acquisition: to follow.",
    ),
    "seed": (int, "speak, rotation, substitution: random seed."),
    "temperature": (float, "speak: above 1 more random, below 1 less."),
    "token": (int, "microscope: the row to show, by its token's id."),
    "coordinate": (int, "microscope: the index of a number in that row."),
    "sequence": (int, "microscope: the index of a sequence in the batch."),
    "sentence": (str, "what_if, probe: the sentence."),
    "steps": (int, "what_if, bench, environment, deciles, better: training steps."),
    "places": (int, "better: number of points of the training at which to take the steps."),
    "after": (int, "what_if: training steps on the run's text afterwards."),
    "back": (int, "environment: training steps on the run's text after those on the other text."),
    "into": (str, "transplant: the word whose row is replaced."),
    "source": (str, "transplant: the word whose row takes its place."),
    "source_step": (int, "transplant: the step from which that row comes."),
    "other_sentence": (str, "probe: a second sentence."),
    "other_step": (int, "probe: a second step."),
    "readings": (int, "heads, acquisition: maximum number of kept states to read."),
}
"""The type and help of each field of a question, by name. Each question validates its own fields."""


def _question_options(command: Any) -> Any:
    for name, (kind, about) in reversed(_FIELDS.items()):
        command = click.option(f"--{name.replace('_', '-')}", name, type=kind, help=about)(command)
    return command


@click.command("examine")
@click.argument("run_id", metavar="RUN", type=RUN_ID, required=False)
@click.argument("kind", type=click.Choice(KINDS), required=False)
@click.option("--step", type=click.IntRange(0, MAX_STEP), help="The step to go to.  [default: the newest]")
@_question_options
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON, and nothing else.")
@click.option("--yes", is_flag=True, help="Do not ask before opening the model of an imported run.")
@click.option(
    "--watch",
    is_flag=True,
    help="Ask nothing: answer the questions about the runs of the folder, until stopped.",
)
@click.option(
    "--prepare",
    type=click.Choice(["claims", "lessons"]),
    help="Ask all open questions of the board of claims, or of the course; for the board, also make the measures and"
    " the map.",
)
@common_options()
def examine_command(
    runs_dir: Path,
    run_id: str | None,
    kind: str | None,
    step: int | None,
    as_json: bool,
    yes: bool,
    watch: bool,
    prepare: str | None,
    **fields: Any,
) -> None:
    """Ask about the model of a run as it was after any step. Ctrl-C cancels."""
    if watch:
        if run_id is not None:
            raise click.UsageError("--watch is for all runs: do not name one")
        _watch(RunStore(runs_dir))
        return
    if prepare is not None:
        if run_id is None or kind is not None:
            raise click.UsageError(f"--prepare {prepare} needs a run, and takes no question")
        if prepare == "claims":
            _prepare_claims(runs_dir, run_id, yes=yes)
        elif problems := prepare_lessons(runs_dir, run_id, yes=yes):
            raise click.ClickException("; ".join(problems))
        return
    if run_id is None or kind is None:
        raise click.UsageError(
            f"name a run and what to ask ({', '.join(KINDS)}), or --watch to answer questions asked elsewhere"
        )
    run = find_named_run(runs_dir, run_id)
    given = {name: value for name, value in fields.items() if value is not None}
    answer = _ask(
        run, {"kind": kind, "step": read_status(run).step if step is None else step} | given, yes, as_json
    )
    if as_json:
        print_line(json.dumps(answer))
    else:
        _print_answer(run, answer)


def _prepare_claims(runs_dir: Path, name: str, *, yes: bool) -> None:
    members = find_members(runs_dir, name)
    if members is None:
        prepare_claims(runs_dir, name, yes=yes)
        return
    problems: list[str] = []
    for _, run in members:
        if not read_status(run).has_ended:
            print_line(f"{run.id} is not over: it is left out")
            continue
        try:
            prepare_claims(runs_dir, str(run.path), yes=yes)
        except click.ClickException as error:
            print_line(f"{run.id}: {error.message}", err=True)
            problems.append(run.id)
    if problems:
        raise click.ClickException(f"not all could be asked of {', '.join(problems)}")


def _ask(run: RunFolder, fields: dict[str, Any], yes: bool, quiet: bool) -> dict[str, Any]:
    try:
        asked = check_question(run, parse_question(fields))
    except (QuestionError, ExaminationRefusedError) as error:
        raise click.ClickException(str(error)) from error
    if not yes:
        confirm_imported(run, "ask its model")
    examiner = LocalExaminer(run, "cli")
    try:
        with make_progress_bar(quiet=quiet) as bar:
            task = bar.add_task(f"step {asked.question.step:,}", total=1.0)
            return examiner.examine(
                asked,
                lambda entry: bar.update(
                    task, completed=entry.share, description=entry.activity or f"step {asked.question.step:,}"
                ),
            )
    except ExaminationFailedError as error:
        raise click.ClickException(str(error)) from error
    finally:
        examiner.close()


def _print_answer(run: RunFolder, answer: dict[str, Any]) -> None:
    if answer["kind"] == "speak":
        tokens = run.vocabulary.tokens
        prompt = " ".join(tokens[token_id] for token_id in answer["prompt"])
        for name, title in (("greedy", "the likeliest words"), ("sampled", "words by chance")):
            said = " ".join(tokens[word["id"]] for word in answer[name])
            print_line(f"{title}: {prompt} | {said}")
    else:
        # Line by line, because a line break within a line is printed as a code.
        print_lines(json.dumps(answer, indent=1).splitlines())
    print_line(_describe_replay(answer), err=True)


def _describe_replay(answer: dict[str, Any]) -> str:
    replayed = answer["replayed"]
    where = f"step {answer['step']:,}, from step {replayed['from']:,}"
    match replayed["equal"]:
        case None:
            return where
        case True:
            return f"{where}: every recomputed step equals the record to the last bit"
        case _:
            off = replayed["difference"]
            return f"{where}: recomputed on this machine, it differs from the record" + (
                "" if off is None else f" by {off:.2g}"
            )


def _watch(run_store: RunStore) -> None:
    log_to_terminal()
    watch = ExaminerWatch(run_store)
    run_until_stopped(watch.start, f"looking for questions about the runs in {run_store.path}; Ctrl-C stops")
    watch.stop()


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
    from lamplighter.processes.child_job import ReprojectionFailedError, reproject_in_child

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
