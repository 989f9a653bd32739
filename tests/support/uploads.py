"""A text that is stored as an upload."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from lamplighter.serving.jobs.uploads import Uploads


def store_text(uploads: Uploads, text: str) -> str:
    """Store a text and return its id."""

    async def chunks() -> AsyncIterator[bytes]:
        yield text.encode()

    return asyncio.run(uploads.store(chunks(), "a.txt"))[0]
