"""The commands `lamplighter lessons`: what whoever writes a part of the course needs."""

from __future__ import annotations

from pathlib import Path

import click

from lamplighter.cli.common import common_options
from lamplighter.cli.terminal import print_line
from lamplighter.lessons.check import list_problems
from lamplighter.lessons.library import LANGUAGE, list_languages, read_folder


@click.group("lessons")
@common_options()
def lessons_group(runs_dir: Path) -> None:
    """Write parts of the course."""


@lessons_group.command("check")
@click.argument(
    "folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path, file_okay=False, exists=True)
)
@common_options()
def check_command(runs_dir: Path, folder: Path | None) -> None:
    """Say which view, word, measure or examination does not exist that the texts in a folder name; without DIR, those that
    come with the app."""
    # The server's modules take a moment to import, and a folder of one's own needs none of them.
    from lamplighter.serving.http.assets import find_lessons

    folder = folder or find_lessons()
    problems = list_problems(folder)
    for problem in problems:
        print_line(problem)
    if problems:
        raise click.ClickException(
            f"{len(problems)} of the texts' lines are wrong: mend them, and check again"
        )
    for language in list_languages(folder):
        for part in read_folder(folder, language).parts.values():
            translated = "" if language == LANGUAGE else f" in {language!r}"
            print_line(
                f"part {part.number}{translated}, {part.title}: {len(part.stages)} stages, {len(part.numbers)} numbers"
            )
