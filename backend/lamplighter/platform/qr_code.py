"""QR codes of short texts, such as addresses."""

from __future__ import annotations

from functools import lru_cache

import segno

_QUIET_ZONE = 4
"""Width of the light margin required by the standard, in modules."""
_BLOCKS = {"11": " ", "01": "▀", "10": "▄", "00": "█"}
"""Two modules, one above the other, as one character. Light modules are drawn, since most terminals are dark."""


@lru_cache(8)
def qr_rows(text: str) -> list[str]:
    """Return the rows of a text's QR code including the quiet zone, one character per module. "1" is dark,
    "0" light. Raises ValueError if the text is too long for a code.
    """
    code = segno.make_qr(text, error="m")
    return ["".join("1" if module else "0" for module in row) for row in code.matrix_iter(border=_QUIET_ZONE)]


def qr_for_terminal(text: str) -> str:
    """Return a text's QR code as lines of block characters, to be shown light on dark; each line has two rows
    of modules. Raises ValueError if the text is too long for a code.
    """
    rows = [*qr_rows(text)]
    if len(rows) % 2:
        rows.append("0" * len(rows[0]))
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return "\n".join(
        "".join(_BLOCKS[upper + lower] for upper, lower in zip(above, below, strict=True))
        for above, below in pairs
    )
