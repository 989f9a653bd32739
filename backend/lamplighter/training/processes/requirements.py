"""What a run must be to be trained by several processes. What is not named here as possible is refused."""

from __future__ import annotations

import os
import sys

from lamplighter.contract.recipe import Recipe

MAX_PROCESSES = 64
LOOPBACK = {"linux": "lo", "darwin": "lo0"}
"""Loopback interface names by system; elsewhere gloo would listen on the network."""
_CORPORA = ("lamptown", "novels", "manuals", "repeats", "text")


class SplitError(ValueError):
    """Raised for a run that cannot be split between processes; the message says why, and what can be done."""


def require_splittable(recipe: Recipe, processes: int, vocabulary: int | None = None) -> None:
    """Check that a run can be trained by several processes. `vocabulary`: the number of tokens; None before
    the text is read: then the recipe's upper limit counts. Raises SplitError if it cannot.
    """
    rows = recipe.corpus.vocabulary_size if vocabulary is None else vocabulary
    if not 2 <= processes <= MAX_PROCESSES:
        raise SplitError(f"processes: {processes} is not from 2 to {MAX_PROCESSES}")
    if sys.platform not in LOOPBACK:
        raise SplitError("processes: several can train a run on Linux and macOS only")
    if processes > rows:
        raise SplitError(
            f"processes: {rows:,} rows cannot be split between {processes}: take fewer processes"
        )
    if processes > recipe.sequences:
        raise SplitError(
            f"processes: a batch of {recipe.sequences} sequences cannot be split between {processes}:"
            " raise --batch, or take fewer processes"
        )
    for refused, reason in (
        (recipe.model.tied, "tied weights (model.tied) give every row a gradient in every step"),
        (
            recipe.optimiser.kind == "adam",
            "the optimiser adam moves every row in every step; take lazy or sgd",
        ),
        (
            recipe.device not in ("auto", "cpu"),
            f"the device {recipe.device}: processes exchange by gloo, on a CPU",
        ),
        (recipe.model.negatives is not None, "a sampled softmax (model.negatives)"),
        (bool(recipe.optimiser.frozen), "a frozen matrix (optimiser.frozen)"),
        (recipe.parent is not None, "a fork, which begins with steps of one process"),
        (recipe.corpus.kind not in _CORPORA, f"the corpus kind {recipe.corpus.kind}"),
    ):
        if refused:
            raise SplitError(f"processes: this cannot be split: {reason}")


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
