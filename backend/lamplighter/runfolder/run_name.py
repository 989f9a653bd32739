"""The name of a run, for people to read; its id stays what addresses and commands use.

It is kept in `name.txt`. A run made before there were names has the one that its recipe gives it. Such a name may be that of
a text's file, or the text's first words. So each run has a plain name as well, in `plain-name.txt`, for those who may not see
its text: "A text 3", until a person gives the run a name, which is for everybody.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from itertools import count
from pathlib import Path

from lamplighter.recipe import Recipe
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.run_folder import RunFolder, write_atomically

NAME_FILE = "name.txt"
PLAIN_NAME_FILE = "plain-name.txt"
MAX_RUN_NAME = 80
"""Maximum characters of a name."""
_MAX_BYTES = 4 * MAX_RUN_NAME + 2
_FIRST_WORDS = 5
"""Words of a text without a name that name its run."""
_FIRST_BYTES = 1_000
_MOST_OF_A_NAME = 1_000


def clean_run_name(text: str) -> str:
    """Return a name as it is kept: one line, single spaces, composed characters.

    Raises:
        ValueError: nothing is left of it, it is too long, or it holds characters that cannot be seen.
    """
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name:
        raise ValueError("a name needs at least one character that can be seen")
    if len(name) > MAX_RUN_NAME:
        raise ValueError(f"a name may have at most {MAX_RUN_NAME} characters, this one has {len(name):,}")
    if not name.isprintable():
        raise ValueError("a name may not hold characters that cannot be seen: type it by hand")
    return name


def read_run_name(run: RunFolder, *, plain: bool = False) -> str | None:
    """Return the name, or the plain name, that is kept in the folder of a run; None if there is none that can be shown."""
    path = run.path / (PLAIN_NAME_FILE if plain else NAME_FILE)
    with suppress(OSError, ValueError), path.open("rb") as file:
        return clean_run_name(file.read(_MAX_BYTES + 1).decode("utf-8"))
    return None


def plain_run_name(run: RunFolder) -> str:
    """Return the name of a run for those who may not see its text. That of a run without one has no number."""
    return read_run_name(run, plain=True) or derive_run_name(run, plain=True)


def write_run_name(folder: Path, name: str, plain_name: str | None = None) -> None:
    """Keep the name of the run in `folder`, and its plain name; None: a person gave the name, which is for everybody.

    Raises:
        ValueError: the name is refused (see `clean_run_name`).
    """
    kept, plain = clean_run_name(name), clean_run_name(name if plain_name is None else plain_name)
    write_atomically(folder / NAME_FILE, kept)
    write_atomically(folder / PLAIN_NAME_FILE, plain)


def derive_run_name(run: RunFolder, *, plain: bool = False) -> str:
    """Return the name that follows from a run's recipe, and from its text where that has no name; the id of a run whose
    recipe cannot be read. A plain name follows from the kind of the text alone."""
    try:
        recipe = run.recipe
    except FormatError:
        return run.id
    corpus = recipe.corpus
    shuffled = ", shuffled" if corpus.shuffle_words else ""
    # A seed that nobody chose says nothing to most who read the name.
    seed = f" · seed {recipe.seed}" if recipe.seed != Recipe.model_fields["seed"].default else ""
    match corpus.kind:
        case "lamptown":
            return f"Lamptown{shuffled}{seed}"
        case "novels":
            return f"Two novels{shuffled}{seed}"
        case "manuals":
            return f"Python manuals{shuffled}{seed}"
        case "text":
            words = "" if plain else _printable(corpus.name) or _first_words(run)
            return (words or "A text") + shuffled
        case "recorded":
            return ("" if plain else _printable(corpus.name)) or "A recorded run"


def numbered_name(name: str, taken: Iterable[str]) -> str:
    """Return `name`, with the first free number from 2 behind it if it is taken: "Lamptown 2", "Lamptown · seed 3 (2)"."""
    others = set(taken)
    if name not in others:
        return name
    # Behind another number it needs brackets to be seen as one of its own.
    suffixes = (f" ({number})" if name[-1:].isdigit() else f" {number}" for number in count(2))
    numbered = (_shortened(name, MAX_RUN_NAME - len(suffix)) + suffix for suffix in suffixes)
    return next(one for one in numbered if one not in others)


def _first_words(run: RunFolder) -> str:
    with suppress(OSError), run.source_path.open("rb") as file:
        words = file.read(_FIRST_BYTES).decode("utf-8", errors="ignore").split()
        return _printable(" ".join(words[:_FIRST_WORDS]))
    return ""


def _printable(text: str) -> str:
    """Return what of a text can be part of a name."""
    composed = unicodedata.normalize("NFC", text[:_MOST_OF_A_NAME])
    seen = "".join(sign if sign.isprintable() else " " for sign in composed)
    # Room for a mark that its words are shuffled, and for a number.
    return _shortened(" ".join(seen.split()), MAX_RUN_NAME - 16)


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"
