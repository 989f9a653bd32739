"""Texts that were sent: the newest few are kept, whatever the clock says."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

from lamplighter.serving.jobs.uploads import MAX_UPLOADS, Uploads


def store_text(uploads: Uploads, text: str) -> str:
    """Store a text and return its id."""

    async def chunks() -> AsyncIterator[bytes]:
        yield text.encode()

    return asyncio.run(uploads.store(chunks(), "a.txt"))[0]


def test_a_clock_that_was_set_back_drops_no_text_just_sent(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)
    earlier = [store_text(uploads, f"text {number}") for number in range(MAX_UPLOADS)]
    tomorrow = time.time() + 86_400
    for upload in earlier:
        os.utime(tmp_path / f"{upload}.txt", (tomorrow, tomorrow))
    later = [
        store_text(Uploads(tmp_path), f"text {number}") for number in range(MAX_UPLOADS, MAX_UPLOADS + 3)
    ]
    assert [uploads.read_text(upload)[0] for upload in later] == ["text 20", "text 21", "text 22"]
    assert len(list(tmp_path.glob("*.txt"))) == MAX_UPLOADS
    # From now on the order is that in which they were sent.
    rest = [store_text(uploads, f"text {number}") for number in range(MAX_UPLOADS - 1)]
    assert {path.stem for path in tmp_path.glob("*.txt")} == {later[-1], *rest}
