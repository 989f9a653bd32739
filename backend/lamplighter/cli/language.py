"""The language of the command line: `--lang`, else `LAMPLIGHTER_LANG`, else the system's, else English."""

from __future__ import annotations

import os
from contextvars import ContextVar
from pathlib import Path

import click

from lamplighter.contract.sentences import LANGUAGES, SENTENCES, Catalogue, Language

VARIABLE = "LAMPLIGHTER_LANG"
_SYSTEM = ("LC_ALL", "LC_MESSAGES", "LANG")
_TEXTS = Catalogue(Path(__file__).parent / "texts")
language: ContextVar[Language] = ContextVar("language", default="en")


def choose_language(context: click.Context, option: click.Parameter, given: str | None) -> None:
    """Set the language of the sentences to come. The first variable of the system that is set counts."""
    wanted = given or os.environ.get(VARIABLE)
    if not wanted:
        system = next(filter(None, map(os.environ.get, _SYSTEM)), "")
        wanted = "de" if system.lower().startswith("de") else "en"
    known: Language | None = next((one for one in LANGUAGES if one == wanted), None)
    if known is None:
        raise click.UsageError(f"{VARIABLE} is {wanted!r}, not one of {', '.join(LANGUAGES)}", context)
    language.set(known)


def tell(key: str, **values: float | str) -> str:
    """Return one of the command line's own sentences."""
    return _TEXTS.tell(key, values, language.get())


def tell_error(message: str, error: BaseException | None) -> str:
    """Return the sentence of an error in the chosen language if it has a code, else its English message."""
    if language.get() == "en":
        return message
    # Its patterns take a moment.
    from lamplighter.contract.recognition import recognise

    reason = getattr(error, "reason", None) or recognise(str(error or message)) or recognise(message)
    return SENTENCES.tell(reason.code, reason.values, language.get()) if reason else message
