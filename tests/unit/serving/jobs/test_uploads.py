"""Uploaded texts: the newest few are kept, independently of the clock, and none that is too large."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lamplighter.serving.jobs.uploads import MAX_UPLOADS, Uploads
from lamplighter.web.http.problems import RefusedError
from tests.support.uploads import store_text


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


@pytest.mark.parametrize(("beyond", "status"), [(1, 413), (0, 422)])
def test_a_text_of_more_than_64_mib_is_refused_while_it_comes_in(
    tmp_path: Path, beyond: int, status: int
) -> None:
    """Without a declared length only what has come in is known. Bytes that are no text are refused as such, at the limit."""

    async def chunks() -> AsyncIterator[bytes]:
        for size in (*[1 << 20] * 64, beyond):
            yield b"\xff" * size

    with pytest.raises(RefusedError) as refused:
        asyncio.run(Uploads(tmp_path).store(chunks(), "a.txt"))
    assert refused.value.status == status
    assert ("at most 64 MiB" in str(refused.value.detail)) == (status == 413)
    assert list(tmp_path.iterdir()) == []
