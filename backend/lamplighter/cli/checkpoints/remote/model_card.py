"""The licence that a model's card names."""

from __future__ import annotations

import re

from lamplighter.cli.checkpoints.remote.errors import FetchError
from lamplighter.cli.checkpoints.remote.ranged_client import RangedClient
from lamplighter.platform.printable import quote_foreign

_MAX_CARD = 1_000_000
_LICENCE = re.compile(r"^license(?:_name)?:\s*[\"']?([^\s\"'#\[\]]{1,60})", re.M)


def read_licence(client: RangedClient, card: str) -> str | None:
    """Return the licence in the head of a model card, at the address `card`; None if it names none or cannot be read."""
    try:
        text = client.read_file(card, _MAX_CARD).decode("utf-8", "replace")
    except FetchError:
        return None
    _, _, rest = text.partition("---\n")
    match = _LICENCE.search(rest.partition("\n---")[0])
    return quote_foreign(match[1]) if match else None
