"""The command `lamplighter class-report`: what the answers of a class say, and what they do not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from lamplighter.cli.terminal import print_line, print_lines
from lamplighter.lessons.class_answers import (
    FEW,
    LEVELS,
    ClassAnswers,
    ClassAnswersError,
    read_class_answers,
)

_CAVEATS = (
    "These are the answers of one class, and no sample of others.",
    "The file does not say which answers before and after are of one person. An answer may also be better after the "
    "lesson because it was the second: a class that writes both without the lesson would tell how much.",
)


@click.command("class-report")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else.")
def class_report_command(file: Path, as_json: bool) -> None:
    """Report the answers of a class, from the CSV that it was saved as: guesses beside what was measured, and the two
    written answers before beside after, once their column `level` is filled in with 0, 1 or 2."""
    try:
        answers = read_class_answers(file)
    except ClassAnswersError as error:
        raise click.ClickException(f"{file.name}: {error}") from error
    except OSError as error:
        raise click.ClickException(f"{file.name} cannot be read: {error.strerror or error}") from error
    if as_json:
        predicted, written = (
            [one.figures() for one in each] for each in (answers.predicted, answers.written)
        )
        # ASCII: the questions may hold signs that a terminal obeys.
        print_line(json.dumps({"predicted": predicted, "written": written, "caveats": _caveats(answers)}))
        return
    for one in answers.predicted:
        print_line(_title(one.question, one.part, one.stage))
        for line in _about_guesses(one.figures()):
            print_line(f"  {line}")
    for one in answers.written:
        print_line(_title(one.question))
        for line in _about_written(one.figures()):
            print_line(f"  {line}")
    print_lines(_caveats(answers))


def _caveats(answers: ClassAnswers) -> list[str]:
    return list(_CAVEATS if answers.written else _CAVEATS[:1])


def _title(question: str, part: str = "", stage: str = "") -> str:
    return f"{question} (part {part}, stage {stage})" if part else question


def _about_guesses(found: dict[str, Any]) -> Iterator[str]:
    answered, measured = found["answered"], found["measured"]
    at = f" at step {found['step']}" if found["step"] else ""
    if "choices" in found:
        said = ", ".join(f"{times} {choice}" for choice, times in found["guesses"].items())
        yield f"{answered} answered: {said}"
        if measured is not None:
            yield f"measured{at}: {measured}"
            yield (
                f"{found['right']} said so; at random {answered / found['choices']:.1f} would, and as many or more in "
                f"{found['by_luck']:.0%} of such classes"
            )
    else:
        low, middle, high = (f"{value:g}" for value in found["quartiles"])
        unit = f" {found['unit']}" if found["unit"] else ""
        yield f"{answered} answered: {middle}{unit} in the middle, half of them from {low} to {high}"
        if measured is not None:
            same = answered - found["lower"] - found["higher"]
            yield (
                f"measured{at}: {measured:g}{unit}; {found['lower']} guessed less, {found['higher']} more, {same} that"
            )
    if measured is None:
        yield "not measured when the file was saved"
    yield from _about_few(answered)


def _about_written(found: dict[str, Any]) -> Iterator[str]:
    for when in ("before", "after"):
        side = found[when]
        line = f"{when}: {side['answered']} answered, {side['marked']} marked"
        if side["marked"]:
            levels = ", ".join(f"level {level}: {side['levels'][level]}" for level in LEVELS)
            line += f"; {levels}; mean {side['mean']:.2f}"
        yield line
    if found["difference"] is None:
        yield "no difference yet: mark answers of both rounds with 0, 1 or 2 in the column level"
        return
    yield (
        f"difference of the means: {found['difference']:+.2f}. If the levels are shuffled between before and after, as much "
        f"or more comes in {found['by_chance']:.1%} of shuffles (they take each answer for another person's)"
    )
    yield from _about_few(min(found["before"]["marked"], found["after"]["marked"]))


def _about_few(answers: int) -> Iterator[str]:
    if answers < FEW:
        yield f"{answers} {'is' if answers == 1 else 'are'} few: one answer more or less would change this"
