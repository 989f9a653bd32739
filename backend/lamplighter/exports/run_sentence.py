"""One sentence about a run, for use outside the app."""

from __future__ import annotations

from contextlib import suppress

from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.reading.district_count import count_districts
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import describe_fork

_WORDS_OF_SIZE = ((1e9, "billion"), (1e6, "million"))


def describe_run(run: RunFolder) -> str:
    """Return one sentence with the words that the model knows and has read, and the neighbourhoods found; for
    a fork, where it comes from and what it changes.
    """
    parent = None
    with suppress(*READ_ERRORS):
        parent = run.recipe.parent
    return _describe_learning(run) + ("" if parent is None else f" A fork {describe_fork(parent)}.")


def _describe_learning(run: RunFolder) -> str:
    try:
        status, words = read_status(run), len(run.vocabulary)
        districts = count_districts(run) or 0
    except READ_ERRORS:
        return "A run that cannot be read."
    if status.step == 0:
        return f"{words:,} words, before the first step."
    recipe = run.recipe
    read = ""
    if recipe.corpus.kind != "recorded":
        tokens = status.step * recipe.sequences * recipe.model.context
        read = f", {_approximately(tokens)} words read"
    found = ""
    if districts:
        found = f", {districts:,} neighbourhood{'' if districts == 1 else 's'} found"
    return f"A language model learns {words:,} words: {status.step:,} steps{read}{found}."


def _approximately(number: int) -> str:
    for size, word in _WORDS_OF_SIZE:
        if number >= size:
            return f"{number / size:.1f} {word}"
    return f"{number:,}"
