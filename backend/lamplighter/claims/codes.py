"""The codes of the board's sentences: the keys of their English texts, which the page has in each of its languages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import WithJsonSchema

TEXTS: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "texts" / "en.json").read_text(encoding="utf-8")
)
"""The English texts by kind and code; those of the claims by number and part."""


def _enum_of(kind: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": list(TEXTS[kind])})


SentenceCode = Annotated[str, _enum_of("sentences")]
FigureCode = Annotated[str, _enum_of("figures")]
WaitCode = Annotated[str, _enum_of("waits")]
LinkCode = Annotated[str, _enum_of("links")]
GroupCode = Annotated[str, _enum_of("groups")]
ClaimNumber = Annotated[
    int, WithJsonSchema({"type": "integer", "enum": [int(one) for one in TEXTS["claims"]]})
]
