"""The display name of a run; addresses and commands use its id.

The name is kept in `name.txt`; older runs without one derive it from the recipe. A derived name may reveal the file
name or the first words of a text. So each run also has a plain name in `plain-name.txt`, such as "A text 3", for
viewers who may not see the text. A name given by a person replaces both.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from itertools import count
from pathlib import Path

from lamplighter.contract.fork_parent import ChangeValue, ForkParent
from lamplighter.contract.recipe import Recipe
from lamplighter.platform.private_modes import open_regular
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.run_folder import RunFolder, write_atomically

NAME_FILE = "name.txt"
PLAIN_NAME_FILE = "plain-name.txt"
MAX_RUN_NAME = 80
"""Maximum characters of a name."""
_MAX_BYTES = 4 * MAX_RUN_NAME + 2
_FIRST_WORDS = 5
"""Words of an unnamed text that name its run."""
_FIRST_BYTES = 1_000
_MAX_READ = 1_000
_MAX_DERIVED = MAX_RUN_NAME - 16
"""Maximum characters of a derived name: leaves room for a note that the words are shuffled, and for a number."""


def clean_run_name(text: str) -> str:
    """Return a normalised name: one line, single spaces, composed characters. Raises ValueError if the name
    is empty or too long, or has invisible characters.
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
    """Return the name, or the plain name, kept in the folder of a run; None if there is no valid one."""
    path = run.path / (PLAIN_NAME_FILE if plain else NAME_FILE)
    with suppress(OSError, ValueError), open(path, "rb", opener=open_regular) as file:
        return clean_run_name(file.read(_MAX_BYTES + 1).decode("utf-8"))
    return None


def plain_run_name(run: RunFolder) -> str:
    """Return the name of a run for viewers who may not see its text; without a number if it was never kept."""
    return read_run_name(run, plain=True) or derive_run_name(run, plain=True)


def write_run_name(folder: Path, name: str, plain_name: str | None = None) -> None:
    """Store the name and the plain name of the run in `folder`. None: a person gave the name, which serves as
    both. Raises ValueError if the name is invalid (see `clean_run_name`).
    """
    kept, plain = clean_run_name(name), clean_run_name(name if plain_name is None else plain_name)
    write_atomically(folder / NAME_FILE, kept)
    write_atomically(folder / PLAIN_NAME_FILE, plain)


def derive_run_name(run: RunFolder, *, plain: bool = False) -> str:
    """Derive a run's name from its recipe, or from its text if that is unnamed; return the id if the recipe is
    unreadable. A plain name depends only on the kind of text."""
    try:
        recipe = run.recipe
    except FormatError:
        return run.id
    name = _name_text(run, recipe, plain=plain)
    return (
        name if recipe.parent is None else _shortened(f"{name} {describe_fork(recipe.parent)}", _MAX_DERIVED)
    )


def _name_text(run: RunFolder, recipe: Recipe, *, plain: bool) -> str:
    corpus = recipe.corpus
    shuffled = ", shuffled" if corpus.shuffle_words else ""
    # The default seed means nothing to most readers.
    seed = f" · seed {recipe.text_seed}" if recipe.text_seed != Recipe.model_fields["seed"].default else ""
    match corpus.kind:
        case "lamptown":
            return f"Lamptown{shuffled}{seed}"
        case "novels":
            return f"Two novels{shuffled}{seed}"
        case "manuals":
            return f"Python manuals{shuffled}{seed}"
        case "repeats":
            return f"Words that come again{shuffled}{seed}"
        case "modular":
            return f"Sums on a clock of {corpus.modulus}{seed}"
        case "text":
            words = "" if plain else _printable(corpus.name) or _first_words(run)
            return (words or "A text") + shuffled
        case "recorded":
            return ("" if plain else _printable(corpus.name)) or "A recorded run"


def describe_fork(parent: ForkParent) -> str:
    """Return where a fork comes from and what it changes: "from 812, learning rate 0.01"."""
    changes = [_describe_change(change.field, change.after) for change in parent.changes]
    return ", ".join([f"from {parent.step}", *(changes or ["unchanged"])])


def _describe_change(field: str, value: ChangeValue) -> str:
    match field:
        case "corpus.kind":
            return "the other town" if value == "othertown" else "another text"
        case "corpus.shuffle_words":
            return "words shuffled" if value else "words in order"
        case "corpus.planted":
            return "words planted"
        case "optimiser.frozen":
            return f"{str(value).replace(' ', ' and ')} frozen" if value else "nothing frozen"
        case _:
            name = field if field == "optimiser.kind" else field.rpartition(".")[2]
            shown = f"{value:g}" if isinstance(value, float) else value
            return f"{name.removesuffix('.kind').replace('_', ' ')} {shown}"


def numbered_name(name: str, taken: Iterable[str]) -> str:
    """Return `name`, with the first free number from 2 if it is taken: "Lamptown 2", "Lamptown · seed 3 (2)"."""
    others = set(taken)
    if name not in others:
        return name
    # Brackets separate it from a number at the end of the name.
    suffixes = (f" ({number})" if name[-1:].isdigit() else f" {number}" for number in count(2))
    numbered = (_shortened(name, MAX_RUN_NAME - len(suffix)) + suffix for suffix in suffixes)
    return next(one for one in numbered if one not in others)


def _first_words(run: RunFolder) -> str:
    with suppress(OSError), open(run.source_path, "rb", opener=open_regular) as file:
        words = file.read(_FIRST_BYTES).decode("utf-8", errors="ignore").split()
        return _printable(" ".join(words[:_FIRST_WORDS]))
    return ""


def _printable(text: str) -> str:
    """Return the printable part of a text, shortened for a name."""
    composed = unicodedata.normalize("NFC", text[:_MAX_READ])
    seen = "".join(sign if sign.isprintable() else " " for sign in composed)
    return _shortened(" ".join(seen.split()), _MAX_DERIVED)


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"
