"""The command `lamplighter class-report`: what the answers of a class say, and what they do not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from lamplighter.cli.language import language, tell
from lamplighter.cli.terminal import print_line, print_lines
from lamplighter.lessons.class_answers import (
    FEW,
    LEVELS,
    ClassAnswers,
    ClassAnswersError,
    read_class_answers,
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
        raise click.ClickException(f"{file.name}: {error.tell(language.get())}") from error
    except OSError as error:
        told = error.strerror or str(error)
        raise click.ClickException(tell("file_unreadable", file=file.name, error=told)) from error
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
    return [tell("one_class"), *([tell("same_people_unknown")] if answers.written else [])]


def _title(question: str, part: str = "", stage: str = "") -> str:
    return tell("question_in_part", question=question, part=part, stage=stage)


def _about_guesses(found: dict[str, Any]) -> Iterator[str]:
    answered, measured, step = found["answered"], found["measured"], found["step"] or ""
    if "choices" in found:
        said = ", ".join(f"{times} {choice}" for choice, times in found["guesses"].items())
        yield tell("choices_answered", answered=answered, said=said)
        if measured is not None:
            yield tell("measured", step=step, measured=measured)
            random, by_luck = answered / found["choices"], 100 * found["by_luck"]
            yield tell("right_by_luck", right=found["right"], random=random, by_luck=by_luck)
    else:
        low, middle, high = found["quartiles"]
        unit = f" {found['unit']}" if found["unit"] else ""
        yield tell("numbers_answered", answered=answered, middle=middle, unit=unit, low=low, high=high)
        if measured is not None:
            lower, higher = found["lower"], found["higher"]
            compared = {"lower": lower, "higher": higher, "same": answered - lower - higher}
            yield tell("number_measured", step=step, measured=measured, unit=unit, **compared)
    if measured is None:
        yield tell("not_measured")
    yield from _about_few(answered)


def _about_written(found: dict[str, Any]) -> Iterator[str]:
    for when in ("before", "after"):
        side = found[when]
        line = tell(when, answered=side["answered"], marked=side["marked"])
        if side["marked"]:
            levels = ", ".join(tell("level", level=level, times=side["levels"][level]) for level in LEVELS)
            line += f"; {levels}; {tell('mean', mean=side['mean'])}"
        yield line
    if found["difference"] is None:
        yield tell("no_difference")
        return
    yield tell("difference", difference=found["difference"], by_chance=100 * found["by_chance"])
    yield from _about_few(min(found["before"]["marked"], found["after"]["marked"]))


def _about_few(answers: int) -> Iterator[str]:
    if answers < FEW:
        yield tell("few", answers=answers)
