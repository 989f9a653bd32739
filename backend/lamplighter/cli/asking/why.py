"""The command `lamplighter why`: the steps of a run that stand out, what was in one of them, and where its curves turn."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from lamplighter.cli.common import common_options
from lamplighter.cli.named_run import RUN_ID, find_named_run
from lamplighter.cli.terminal import print_lines, show_progress
from lamplighter.contract.questions import MAX_STEP
from lamplighter.outliers.answer import (
    OutlyingStep,
    OutlyingSteps,
    StepCause,
    StepFigure,
    TopLoss,
    TurningPoint,
    TurningPoints,
)
from lamplighter.outliers.reading import MAX_LISTED, explain, find_outlying_steps
from lamplighter.outliers.step_figures import enough_steps
from lamplighter.outliers.turning_points import find_turning_points
from lamplighter.runfolder.step_numbers import StepNumbers, read_step_numbers
from lamplighter.runfolder.tables.steps_reader import StepsReader

_NAMES = {"loss": "loss", "gradient_norm": "gradient norm", "rows_moved": "rows moved"}
_MAX_TEXTS = 8


@click.command("why")
@click.argument("run_id", metavar="RUN", type=RUN_ID)
@click.option(
    "--step", type=click.IntRange(1, MAX_STEP), help="Tell what was in this step, as the loop numbers it."
)
@click.option(
    "--from",
    "first",
    type=click.IntRange(1, MAX_STEP),
    default=1,
    show_default=True,
    help="The first step to judge.",
)
@click.option("--to", "last", type=click.IntRange(1, MAX_STEP), help="The last.  [default: the newest]")
@click.option(
    "--limit",
    type=click.IntRange(1, MAX_LISTED),
    default=10,
    show_default=True,
    help="Maximum number of stretches to list.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else.")
@common_options()
def why_command(
    runs_dir: Path, run_id: str, step: int | None, first: int, last: int | None, limit: int, as_json: bool
) -> None:
    """Show the steps that stand out from those around them, and the turning points of the whole run, at which its curves
    speed up again or go the other way; or, with --step, what was in one: the words that carried its loss and the rows that
    moved."""
    run = find_named_run(runs_dir, run_id)
    with StepsReader(run.steps_path) as reader:
        numbers, newest = read_step_numbers(reader.facts()), reader.newest_step()[1]
    if step is None:
        first = numbers.step_of(first - 1, newest) + 1
        last = None if last is None else numbers.step_of(last, newest)
        with show_progress("reading the steps", quiet=as_json) as show:
            told = find_outlying_steps(run, first, last, limit, show)
            turning = find_turning_points(run)
        whole = told.model_dump() | {"turning_points": turning.model_dump()}
        lines = (
            [json.dumps(whole)] if as_json else [*_describe_list(told, numbers), *_describe_turning(turning)]
        )
    else:
        try:
            with show_progress("reading the step", quiet=as_json):
                place = numbers.step_of(step, newest)
                if numbers.number_of(place) != step:
                    raise LookupError(step)
                cause = explain(run, place)
        except LookupError:
            raise click.ClickException(
                f"{run.id} has no step {step:,}{_nearest(numbers, step, newest)}"
            ) from None
        lines = (
            [cause.model_dump_json()] if as_json else _describe_cause(cause, numbers, run.vocabulary.tokens)
        )
    print_lines(lines)


def _nearest(numbers: StepNumbers, step: int, newest: int) -> str:
    """Return the recorded steps beside one that is not, in words."""
    before = numbers.step_of(step, newest)
    beside = [
        number for one in (before, before + 1) if 1 <= one <= newest and (number := numbers.number_of(one))
    ]
    return f": recorded are {' and '.join(f'{one:,}' for one in beside)}" if beside else ""


def _describe_list(told: OutlyingSteps, numbers: StepNumbers) -> list[str]:
    if not told.found and not enough_steps(1, told.last):
        return [f"{told.last:,} steps are too few to say which stands out"]
    if not told.found and not told.figures:
        return [
            "no step can be judged: neither losses, gradient norms nor moved rows are in the record of all steps"
        ]
    names = ", ".join(_NAMES[figure] for figure in told.figures)
    first, last = (_name(one, numbers.number_of(one)) for one in (told.first, told.last))
    judged = f"of steps {first} to {last}" + (f", judged by {names}" if names else "")
    if not told.found:
        return [f"no step stands out, {judged}"]
    stretches = sum(item.until > item.step for item in told.items) > 0
    noun = (
        ("stretch" if told.found == 1 else "stretches")
        if stretches
        else ("step" if told.found == 1 else "steps")
    )
    shown = "" if told.found == len(told.items) else f" ({len(told.items)} shown)"
    return [
        f"{told.found:,} {noun} {'stands' if told.found == 1 else 'stand'} out{shown}, {judged}:"
        f" by chance {told.limit} would",
        *map(_describe_item, told.items),
    ]


def _name(step: int, number: int | None) -> str:
    """Return the number of a step in the loop, or the step's own where that is unknown."""
    return f"{step if number is None else number:,}"


def _describe_turning(told: TurningPoints) -> list[str]:
    judged = f"of {len(told.judged)} {'curve' if len(told.judged) == 1 else 'curves'}"
    if not told.items:
        return [f"no turning point {judged}"]
    return [
        f"{len(told.items)} turning {'point' if len(told.items) == 1 else 'points'} {judged}: by chance {told.limit} would be",
        *map(_describe_turn, sorted(told.items, key=lambda item: item.step)),
    ]


def _describe_turn(item: TurningPoint) -> str:
    verb = "rises" if item.change > 0 else "falls"
    first, last = map(_name, item.between, item.between_numbers)
    how = {"begins": f"begins to {verb[:-1]}", "speeds_up": f"{verb} faster", "reverses": f"turns and {verb}"}
    return (
        f"  step {_name(item.step, item.number):>7}  {item.curve} {how[item.kind]}, from {item.value:.4g} by {item.change:+.3g}"
        f" (steps {first} to {last}, by chance {item.by_chance:.1g})"
    )


def _describe_item(item: OutlyingStep) -> str:
    first, last = _name(item.step, item.number), _name(item.until, item.until_number)
    where = f"from step {first} on" if item.kind == "jump" else f"step {first}"
    if item.kind != "jump" and item.until > item.step:
        where = f"steps {first} to {last}"
    return f"  {where:>16}  " + "; ".join(map(_describe_figure, item.figures))


def _describe_figure(one: StepFigure) -> str:
    if one.value is None:
        return f"{_NAMES[one.figure]} is no finite number"
    return (
        f"{_NAMES[one.figure]} {one.value:.4g} where {one.expected:.4g} was expected ({one.spreads:+.1f} spreads,"
        f" by chance {one.by_chance:.1g})"
    )


def _describe_cause(cause: StepCause, numbers: StepNumbers, tokens: Sequence[str]) -> list[str]:
    around = " to ".join(_name(one, numbers.number_of(one)) for one in cause.around)
    lines = [f"step {_name(cause.step, cause.number)}, beside steps {around}"]
    lines += [f"  {_describe_figure(one)}" for one in cause.figures]
    if cause.top_losses:
        share = (
            ""
            if cause.top_share is None
            else f": {cause.top_share:.0%} of the loss{_usually(cause.usual_top_share)}"
        )
        lines.append(f"the {len(cause.top_losses)} hardest predictions{share}")
        lines += [_describe_loss(one, tokens) for one in cause.top_losses[:_MAX_TEXTS]]
    else:
        lines.append("its hardest predictions were not kept")
    if cause.rows:
        lines.append("the rows that moved farthest")
        for row in cause.rows[:_MAX_TEXTS]:
            usual = "" if row.usual is None else f"  usually {row.usual:.3g}"
            lines.append(f"  {tokens[row.token_id]:20} {row.distance:.3g}{usual}")
    return lines


def _usually(share: float | None) -> str:
    return "" if share is None else f", usually {share:.0%}"


def _describe_loss(one: TopLoss, tokens: Sequence[str]) -> str:
    target = "an unknown token" if one.target is None else tokens[one.target]
    before = " ".join(tokens[token] for token in one.before[-8:])
    return f"  {one.loss:6.2f} nats  {before} → {target}"
