"""The command `lamplighter examine`: a question about a run's model, or an examiner for questions asked elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from lamplighter.cli.asking.claims import prepare_claims
from lamplighter.cli.asking.lessons import prepare_lessons
from lamplighter.cli.common import common_options
from lamplighter.cli.named_run import RUN_ID, confirm_imported, find_members, find_named_run
from lamplighter.cli.terminal import log_to_terminal, make_progress_bar, print_line, print_lines
from lamplighter.cli.workers import run_until_stopped
from lamplighter.contract.questions import KINDS, MAX_STEP, QuestionError, parse_question
from lamplighter.processes.asked_question import ExaminationRefusedError, check_question
from lamplighter.processes.examiner_pool import ExaminerWatch
from lamplighter.processes.local_examiner import ExaminationFailedError, LocalExaminer
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore

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
