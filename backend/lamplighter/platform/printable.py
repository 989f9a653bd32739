"""Safe output of untrusted text to a terminal or a log.

Phases, names and messages of a run may be untrusted. A terminal obeys their control characters, and direction marks
reverse a line.
"""

from __future__ import annotations

_UNSEEN = frozenset(
    chr(number)
    for first, last in (
        (0x034F, 0x034F),  # joiner of graphemes
        (0x115F, 0x1160),  # fillers of Hangul
        (0x17B4, 0x17B5),  # inherent vowels of Khmer
        (0x180B, 0x180F),  # variations of Mongolian
        (0x3164, 0x3164),
        (0xFE00, 0xFE0E),  # variations; the next one makes an emoji
        (0xFFA0, 0xFFA0),
        (0xE0100, 0xE01EF),  # variations
    )
    for number in range(first, last + 1)
)
"""Characters that Python calls printable and that show nothing, so that only a program reads them."""
MAX_QUOTE = 200
"""Maximum characters of untrusted text in a message."""


def escape_unprintable(text: str) -> str:
    """Return `text` with unprintable characters, including line breaks, as codes such as `\\u001b`."""
    if text.isprintable() and _UNSEEN.isdisjoint(text):
        return text
    return "".join(sign if sign.isprintable() and sign not in _UNSEEN else _code(sign) for sign in text)


def quote_foreign(text: object) -> str:
    """Return untrusted text for use in a message: one printable line of at most `MAX_QUOTE` characters."""
    line = escape_unprintable(" ".join(str(text)[: 4 * MAX_QUOTE].split()))
    return line if len(line) <= MAX_QUOTE else f"{line[:MAX_QUOTE]}…"


def _code(sign: str) -> str:
    # The escapes of JSON, so that a line of JSON stays valid.
    number = ord(sign)
    return f"\\u{number:04x}" if number < 0x1_0000 else f"\\U{number:08x}"
