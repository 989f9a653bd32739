"""Text that a terminal or a log can show, whoever wrote it.

Phases, names and messages of a run may be a stranger's. A terminal obeys control characters in them, and direction
marks turn a line round.
"""

from __future__ import annotations

LONGEST_QUOTE = 200
"""Characters of somebody else's text in one of our messages."""


def escape_unprintable(text: str) -> str:
    """Return `text` with each character that is not printable as its code, `\\u001b`; line breaks too."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else _code(sign) for sign in text)


def quote_foreign(text: object) -> str:
    """Return somebody else's text as part of a message: one line, printable, not longer than `LONGEST_QUOTE`."""
    line = escape_unprintable(" ".join(str(text)[: 4 * LONGEST_QUOTE].split()))
    return line if len(line) <= LONGEST_QUOTE else f"{line[:LONGEST_QUOTE]}…"


def _code(sign: str) -> str:
    # The form of JSON, so that a line of JSON stays one.
    number = ord(sign)
    return f"\\u{number:04x}" if number < 0x1_0000 else f"\\U{number:08x}"
