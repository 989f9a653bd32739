"""The command `lamplighter why`: the steps of a run that stand out, what was in one of them, and where its curves turn."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from lamplighter.cli.common import common_options
from lamplighter.cli.named_run import RUN_ID, find_named_run
from lamplighter.cli.terminal import print_line, show_progress
from lamplighter.contract.questions import MAX_STEP
from lamplighter.outliers.answer import OutlyingStep, OutlyingSteps, StepCause, StepFigure, TopLoss
from lamplighter.outliers.reading import MAX_LISTED, explain, find_outlying_steps
from lamplighter.outliers.step_figures import enough_steps
from lamplighter.outliers.turning_points.answer import TurningPoint, TurningPoints
from lamplighter.outliers.turning_points.reading import find_turning_points

_NAMES = {"loss": "loss", "gradient_norm": "gradient norm", "rows_moved": "rows moved"}
_MAX_TEXTS = 8


@click.command("why")
@click.argument("run_id", metavar="RUN", type=RUN_ID)
@click.option("--step", type=click.IntRange(1, MAX_STEP), help="Tell what was in this step.")
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
    help="Maximum number of steps to list.",
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
    if step is None:
        with show_progress("reading the steps", quiet=as_json) as show:
            told = find_outlying_steps(run, first, last, limit, show)
            turning = find_turning_points(run)
        whole = told.model_dump() | {"turning_points": turning.model_dump()}
        lines = [json.dumps(whole)] if as_json else [*_describe_list(told), *_describe_turning(turning)]
    else:
        try:
            with show_progress("reading the step", quiet=as_json):
                cause = explain(run, step)
        except LookupError:
            raise click.ClickException(
                f"{run.id} has no step {step:,}: `lamplighter runs list` tells how far it is"
            ) from None
        lines = [cause.model_dump_json()] if as_json else _describe_cause(cause, run.vocabulary.tokens)
    for line in lines:
        print_line(line)


def _describe_list(told: OutlyingSteps) -> list[str]:
    if not enough_steps(1, told.last):
        return [f"{told.last:,} steps are too few to say which stands out"]
    if not told.figures:
        return [
            "no step can be judged: neither losses, gradient norms nor moved rows are in the record of all steps"
        ]
    names = ", ".join(_NAMES[figure] for figure in told.figures)
    judged = f"of steps {told.first:,} to {told.last:,}, judged by {names}"
    if not told.found:
        return [f"no step stands out, {judged}"]
    shown = "" if told.found == len(told.items) else f" ({len(told.items)} shown)"
    return [
        f"{told.found:,} {'step stands' if told.found == 1 else 'steps stand'} out{shown}, {judged}:"
        f" by chance {told.limit} would",
        *map(_describe_step, told.items),
    ]


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
    how = {"begins": f"begins to {verb[:-1]}", "speeds_up": f"{verb} faster", "reverses": f"turns and {verb}"}
    return (
        f"  step {item.step:>7,}  {item.curve} {how[item.kind]}, from {item.value:.4g} by {item.change:+.3g}"
        f" (steps {item.between[0]:,} to {item.between[1]:,}, by chance {item.by_chance:.1g})"
    )


def _describe_step(item: OutlyingStep) -> str:
    return f"  step {item.step:>7,}  " + "; ".join(map(_describe_figure, item.figures))


def _describe_figure(one: StepFigure) -> str:
    return (
        f"{_NAMES[one.figure]} {one.value:.4g} where {one.expected:.4g} was expected ({one.spreads:+.1f} spreads,"
        f" by chance {one.by_chance:.1g})"
    )


def _describe_cause(cause: StepCause, tokens: Sequence[str]) -> list[str]:
    lines = [f"step {cause.step:,}, beside steps {cause.around[0]:,} to {cause.around[1]:,}"]
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
