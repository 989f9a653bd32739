"""Decoding of the user's text files, with one-line errors."""

from __future__ import annotations

import re
from pathlib import Path

from lamplighter.contract.reason import Reason, give_reason

from .corpus import CorpusError

MAX_BYTES = 256 * 1024 * 1024
"""Maximum size of one text."""
MIN_TOKENS = 1_000
"""Minimum tokens that a model can learn from."""
CLEAR_WORDS = 200_000
"""Words of real prose needed for clear districts (docs/decisions/0017)."""
_SAVE_AS = 'Save it as "Plain text (UTF-8)" and try again. (Word documents and PDFs can\'t be read directly.)'

_WORD = re.compile(r"\w+(?:['’]\w+)*")
_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")


def read_text(path: Path) -> str:
    """Read a UTF-8 text file; raise CorpusError if it cannot be read, or is not text (`decode_text`)."""
    try:
        if path.is_dir():
            raise CorpusError(f"{path} is a folder: name one text file in it")
        with path.open("rb") as file:
            # Reading one byte more than allowed detects a file that is too large, even if it has no size, such as a
            # pipe.
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise CorpusError(f"{path}: there is no such file: check the name") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise CorpusError(f"{path} cannot be read: {reason}") from error
    return decode_text(data, str(path))


def decode_text(data: bytes, name: str) -> str:
    r"""Decode strict UTF-8, or raise CorpusError; a byte order mark is allowed, line ends become `\n`.

    `name`: what the data are called in error messages.
    """
    if len(data) > MAX_BYTES:
        raise CorpusError(
            f"{name} is too large: at most {MAX_BYTES // 2**20} MB are read; bring a part of it",
            give_reason("text_too_large", most=MAX_BYTES // 2**20),
        )
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise CorpusError(
            f"{name} isn't plain UTF-8 text (it is UTF-16). {_SAVE_AS}", Reason("text_not_plain")
        )
    nul = data.find(b"\0")
    if nul >= 0:
        raise CorpusError(
            f"{name} isn't plain text (byte {nul} is 0x00). {_SAVE_AS}", Reason("text_not_plain")
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The decoder counts from after the byte order mark; report the position from the start of the file.
        offset = error.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
        raise CorpusError(
            f"{name} isn't plain UTF-8 text (byte {offset} is 0x{data[offset]:02x}). {_SAVE_AS}",
            Reason("text_not_plain"),
        ) from error
    if not text.strip():
        raise CorpusError(
            f"{name} is empty. {MIN_TOKENS:,} words are needed.", give_reason("text_empty", needed=MIN_TOKENS)
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def count_words(text: str) -> int:
    """Return the number of words in a text, without its punctuation marks."""
    return sum(1 for _ in _WORD.finditer(text))


def explain_too_short(words: int) -> str:
    """Return the message that rejects a text of `words` words. It does not name the text, since a class may see it."""
    many = "1 word" if words == 1 else f"{words:,} words"
    return (
        f"This text has {many}. {MIN_TOKENS:,} are needed; clear neighbourhoods need about {CLEAR_WORDS:,}."
    )


def split_paragraphs(text: str) -> list[str]:
    """Split a text at blank lines into documents, with runs of white space replaced by single spaces."""
    return [" ".join(part.split()) for part in _BLANK_LINES.split(text) if part.strip()]
