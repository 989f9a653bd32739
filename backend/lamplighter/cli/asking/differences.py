"""The command `lamplighter diff`: the difference between two runs."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import click

from lamplighter.cli.common import common_options
from lamplighter.cli.named_run import RUN_ID, find_named_run
from lamplighter.cli.terminal import print_lines, show_progress
from lamplighter.contract.questions import MAX_STEP
from lamplighter.differences.answer import ChangedWord, DifferenceAnswer, NearWord, RunLosses
from lamplighter.differences.difference import Ordering, compare_folders

_RELATIONS = {
    "fork": "{run} is a fork of {other}",
    "parent": "{other} is a fork of {run}",
    "siblings": "both are forks of {ancestor}",
    "none": "neither comes from the other",
    "same": "two steps of one run",
}
_MOVED = {
    "run_ends": "{run} does not go so far",
    "other_ends": "{other} does not go so far",
    "before_first": "it is the first that both have",
    "not_kept": "it is the nearest before that both have kept",
    "other_held": "{other} has no later step: distances are what the later steps of {run} changed",
    "run_held": "{run} has no later step: distances are what the later steps of {other} changed",
}
_MAX_NEAR = 4


@click.command("diff")
@click.argument("run_id", metavar="RUN", type=RUN_ID)
@click.argument("other_id", metavar="OTHER", type=RUN_ID)
@click.option(
    "--at", type=click.IntRange(0, MAX_STEP), help="The step of RUN.  [default: the newest that both have]"
)
@click.option(
    "--other-at",
    type=click.IntRange(0, MAX_STEP),
    help="A step of OTHER.  [default: the same on the clock that both share]",
)
@click.option(
    "--by",
    type=click.Choice(get_args(Ordering)),
    default="aligned",
    show_default=True,
    help="The order of the words: by distance after a rotation, or without it, or by neighbours lost.",
)
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Words to list.")
@click.option(
    "--least-count", type=click.IntRange(0), default=0, help="Leave out words that are rarer in the text."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else.")
@common_options()
def diff_command(
    runs_dir: Path,
    run_id: str,
    other_id: str,
    at: int | None,
    other_at: int | None,
    by: Ordering,
    limit: int,
    least_count: int,
    as_json: bool,
) -> None:
    """Show the difference between two runs at one step: a fork and its parent, two seeds, two texts."""
    run, other = find_named_run(runs_dir, run_id), find_named_run(runs_dir, other_id)
    with show_progress("comparing", quiet=as_json) as show:
        found = compare_folders(run, other, at, other_at, show)
    told = found.to_answer(by, limit, least_count)
    print_lines([told.model_dump_json(by_alias=True)] if as_json else _describe(told))


def _describe(told: DifferenceAnswer) -> list[str]:
    names = {"run": told.run, "other": told.other, "ancestor": told.relation.ancestor}
    moved = "" if told.moved is None else f" ({_MOVED[told.moved].format(**names)})"
    words, spread = told.words, told.spread
    lines = [
        f"step {told.step:,} of {told.run} and step {told.other_step:,} of {told.other}{moved}",
        _RELATIONS[told.relation.kind].format(**names),
    ]
    if (first := told.first_difference) is not None and first.compared:
        lines.append(
            f"the records are equal in all of {first.compared:,} steps from step {first.from_:,} of {told.run}"
            if first.step is None
            else f"the first step whose records differ is {first.step:,} of {told.run}"
        )
    losses = told.losses
    held_out = losses.held_out
    lines += [
        *_tell_losses("loss of the batch", losses.batch),
        *_tell_losses(f"mean of {losses.recent.batches} batches", losses.recent),
        *(_tell_losses(f"loss on unread text, step {held_out.step:,}", held_out) if held_out else ()),
    ]
    if told.order.run and told.order.other:
        lines.append(
            f"order gained: {_number(told.order.run.information)} and {_number(told.order.other.information)} bits"
            f" (by chance {_number(told.order.run.information_chance)})"
        )
    lines.append(f"{words.shared:,} words in common, the rows of {words.equal:,} equal in every bit")
    half = spread.at.index(0.5)
    for title, values in (("distance, rotated", spread.aligned), ("distance as it is", spread.raw)):
        if values is not None:
            lines.append(
                f"{title}: median {_number(values[half])}, of rows {_number(spread.length)} and {_number(spread.other_length)} long"
            )
    lines.append(
        f"of {words.neighbours} neighbours {_number(spread.kept_mean)} are the same"
        + ("" if words.asked == words.shared else f" (mean of {words.asked:,} words)")
    )
    for null in told.nulls:
        what = "by chance" if null.step is None else f"{told.run} itself, since its step {null.step:,}"
        lines.append(
            f"{what}: {_number(null.aligned)} rotated, {_number(null.raw)} as it is, {_number(null.kept)} the same"
        )
    return [*lines, "", *map(_describe_word, told.items)]


def _tell_losses(title: str, pair: RunLosses) -> list[str]:
    if pair.difference is None:
        return []
    error = "" if pair.error is None else f", standard error {pair.error:.4f} by the choice of batches"
    return [f"{title}: {_number(pair.run)} and {_number(pair.other)} ({pair.difference:+.4f}{error})"]


def _describe_word(word: ChangedWord) -> str:
    near = (
        "" if word.kept is None else f"  {word.kept:>2} kept{_list('+', word.gained)}{_list('-', word.lost)}"
    )
    return f"{word.token:20} {_number(word.aligned):>7} rotated {_number(word.raw):>7} as it is{near}"


def _list(sign: str, words: list[NearWord] | None) -> str:
    return "".join(f"  {sign}{word.token}" for word in (words or ())[:_MAX_NEAR])


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3g}"
