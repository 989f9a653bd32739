"""The commands `lamplighter lessons`: tools for authors of the course."""

from __future__ import annotations

from pathlib import Path

import click

from lamplighter.claims.gathering import read_moment
from lamplighter.cli.asking.claims import WantedAnswer, ask_all, find_prepared, wanted_by_claims
from lamplighter.cli.common import common_options
from lamplighter.cli.named_run import RUN_ID, find_named_run
from lamplighter.cli.terminal import print_line, print_lines
from lamplighter.contract.questions import canonical_question
from lamplighter.lessons.check import (
    list_missing_aims,
    list_problems,
    list_typed_figures,
    list_unknown_numbers,
)
from lamplighter.lessons.library import LANGUAGE, course_library, find_lessons, list_languages, read_folder
from lamplighter.lessons.numbers import find_questions, missing_words
from lamplighter.lessons.part import Part


def prepare_lessons(runs_dir: Path, run_id: str, *, yes: bool, lessons: Path | None = None) -> list[str]:
    """Ask all open questions of the course, and those of the board of claims, on which its numbers depend.
    Answers are kept, so that the command can be stopped and repeated. Numbers that stay unknown are printed.

    `lessons`: a folder of texts that replace or add parts of the course. Return the problems of the
    unanswered questions.
    """
    run = find_prepared(runs_dir, run_id)
    moment, parts = read_moment(run), course_library(lessons).parts().values()
    wanted = {_key_of(one): one for one in wanted_by_claims(run)}
    told: list[Part] = []
    for part in parts:
        if lacking := missing_words(part, run.vocabulary):
            print_line(
                f"part {part.number} is left out: the vocabulary of {run.id} lacks {', '.join(lacking)}"
            )
            continue
        told.append(part)
        for one in find_questions(run, part, moment).values():
            asked = WantedAnswer(one.question, f"part {part.number}")
            # A step that the run has not reached cannot be asked about; it is listed below as unknown.
            if (one.entry is None or one.entry.state != "done") and one.question.last_step <= moment.step:
                wanted.setdefault(_key_of(asked), asked)
    problems = ask_all(run, list(wanted.values()), yes=yes)
    unknown = list_unknown_numbers(told, run)
    print_lines(unknown)
    if not unknown:
        print_line("all numbers of the course are known")
    return problems


def _key_of(wanted: WantedAnswer) -> str:
    return canonical_question(wanted.question)


@click.group("lessons")
@common_options()
def lessons_group(runs_dir: Path) -> None:
    """Write parts of the course."""


@lessons_group.command("check")
@click.argument(
    "folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path, file_okay=False, exists=True)
)
@click.option(
    "--run",
    "run_id",
    metavar="RUN",
    type=RUN_ID,
    help="Also list the numbers that this run lacks, and those that wait for an answer.",
)
@common_options()
def check_command(runs_dir: Path, folder: Path | None, run_id: str | None) -> None:
    """Check the texts in a folder, or those of the app without DIR, for views, words, measures and examinations that do
    not exist."""
    ours = read_folder(find_lessons()).parts
    folder = folder or find_lessons()
    run = None if run_id is None else find_named_run(runs_dir, run_id)
    problems = list_problems(folder, ours) + list_missing_aims(folder) + list_typed_figures(folder, ours)
    if run is not None:
        problems += list_unknown_numbers(read_folder(folder).parts.values(), run)
    print_lines(problems)
    if problems:
        raise click.ClickException(
            f"{len(problems)} lines of the texts are wrong: correct them and check again"
        )
    for language in list_languages(folder):
        for part in read_folder(folder, language).parts.values():
            translated = "" if language == LANGUAGE else f" in {language!r}"
            print_line(
                f"part {part.number}{translated}, {part.title}: {len(part.stages)} stages, {len(part.numbers)} numbers"
            )
