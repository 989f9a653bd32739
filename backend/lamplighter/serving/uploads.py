"""Texts people brought, until a run is made of them: kept by opaque ids, the newest few.

A text comes as the raw body, streamed to the disk. Its size is checked as it comes; that it is text, once
all of it is there, as of any text that is read (`corpora/textfile.py`).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import anyio.to_thread

from lamplighter.corpora.corpus import CorpusError
from lamplighter.corpora.textfile import decode_text
from lamplighter.serving.problems import Refused

LARGEST = 64 << 20
"""Bytes of one text."""
KEPT = 20
"""Texts kept at a time; the oldest go first."""

_ID = re.compile(r"[0-9a-f]{24}")


class Uploads:
    """The folder of texts."""

    def __init__(self, folder: Path) -> None:
        """Keep texts in `folder`, which is made when the first comes."""
        self._folder = folder

    async def keep(self, chunks: AsyncIterator[bytes], name: str) -> tuple[str, int]:
        """Keep a text.

        Args:
            chunks: the text's bytes.
            name: what people call it; shown, never opened.

        Returns:
            Its id and size in bytes.

        Raises:
            Refused: too large (413), empty, not UTF-8 or not text (422). Nothing is kept then.
        """
        await anyio.to_thread.run_sync(lambda: self._folder.mkdir(exist_ok=True))
        upload = secrets.token_hex(12)
        part = self._folder / f"{upload}.part"
        try:
            size = await self._receive(chunks, part)
            await anyio.to_thread.run_sync(self._finish, upload, part, name)
        finally:
            await anyio.to_thread.run_sync(lambda: part.unlink(missing_ok=True))
        return upload, size

    def text(self, upload: str) -> tuple[str, str]:
        """A text and its name.

        Raises:
            Refused: it is not kept (any more) (422).
        """
        gone = Refused(422, "that upload is not here (any more); send the text again")
        # Looked up, not joined: an id that is not one of ours names no file.
        if not _ID.fullmatch(upload):
            raise gone
        try:
            text = (self._folder / f"{upload}.txt").read_bytes().decode("utf-8")
            return text, (self._folder / f"{upload}.name").read_text(encoding="utf-8")
        except FileNotFoundError:
            raise gone from None

    def drop(self, upload: str) -> None:
        """Keep a text no longer: a run is made of it."""
        if _ID.fullmatch(upload):
            self._remove(self._folder / f"{upload}.txt")

    async def _receive(self, chunks: AsyncIterator[bytes], part: Path) -> int:
        size = 0
        async with await anyio.open_file(part, "wb") as file:
            async for chunk in chunks:
                size += len(chunk)
                if size > LARGEST:
                    raise Refused(413, f"a text may have at most {LARGEST >> 20} MiB")
                await file.write(chunk)
        return size

    def _finish(self, upload: str, part: Path, name: str) -> None:
        try:
            text = decode_text(part.read_bytes(), "the text")
        except CorpusError as error:
            raise Refused(422, str(error)) from None
        part.write_bytes(text.encode())
        (self._folder / f"{upload}.name").write_text(name, encoding="utf-8")
        part.replace(self._folder / f"{upload}.txt")
        texts = sorted(self._folder.glob("*.txt"), key=lambda path: path.stat().st_mtime_ns)
        for old in texts[:-KEPT]:
            self._remove(old)

    @staticmethod
    def _remove(text: Path) -> None:
        text.unlink(missing_ok=True)
        text.with_suffix(".name").unlink(missing_ok=True)
