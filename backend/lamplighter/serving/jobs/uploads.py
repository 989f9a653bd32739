"""Uploaded texts, kept under opaque ids until a run is made from them; only the newest few are kept.

A text is the raw request body, streamed to disk. Its size is checked as it arrives; the complete file is then checked
like every text (`corpora/textfile.py`).
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.to_thread

from lamplighter.contract.reason import Reason, give_reason
from lamplighter.corpora.corpus import CorpusError
from lamplighter.corpora.text_survey import TextSurvey, survey_text
from lamplighter.corpora.textfile import decode_text
from lamplighter.platform.private_modes import make_private_folder, open_like_folder
from lamplighter.runfolder.preparation import clear_preparations, preparation_folder
from lamplighter.web.http.problems import RefusedError

MAX_UPLOAD_BYTES = 64 << 20
"""Maximum size of one text, in bytes."""
MAX_UPLOADS = 20
"""Maximum number of texts kept; the oldest are removed first."""

_ID = re.compile(r"[0-9a-f]{24}")
_TIME_STEP_NS = 2_000_000_000
"""The coarsest time resolution of a file system: exFAT's."""


def too_large_error() -> RefusedError:
    most = MAX_UPLOAD_BYTES >> 20
    reason = give_reason("text_too_large", most=most)
    return RefusedError(413, f"a text may have at most {most} MiB", reason=reason)


class Uploads:
    """The folder of uploaded texts."""

    def __init__(self, folder: Path) -> None:
        """Keep texts in `folder`, which is created with the first one."""
        self._folder = folder

    async def store(self, chunks: AsyncIterator[bytes], name: str) -> tuple[str, int, TextSurvey]:
        """Store a text. `name` comes from the user; it is shown, never opened. Returns its id, its size in bytes,
        and its survey.

        Raises RefusedError: too large (413), empty, not UTF-8 or not text (422). Raises OSError if the disk is
        full. Nothing is stored after an error.
        """
        await anyio.to_thread.run_sync(self._create_folder)
        upload = secrets.token_hex(12)
        async with self._receiving_folder() as folder:
            part = folder / "text"
            size = await self._receive(chunks, part)
            survey = await anyio.to_thread.run_sync(self._finish, upload, part, name)
        return upload, size, survey

    def clear_leftovers(self) -> None:
        """Remove the partial uploads of killed servers. Never raises."""
        clear_preparations(self._folder, "receiving")

    def read_text(self, upload: str) -> tuple[str, str]:
        """Return a text and its name. Raises RefusedError (422)."""
        missing = RefusedError(
            422,
            "that upload does not exist or was removed; send the text again",
            reason=Reason("upload_gone"),
        )
        # Check the id before it becomes part of a path, so that no other text can name a file.
        if not _ID.fullmatch(upload):
            raise missing
        try:
            text = (self._folder / f"{upload}.txt").read_bytes().decode("utf-8")
            return text, (self._folder / f"{upload}.name").read_text(encoding="utf-8")
        except FileNotFoundError:
            raise missing from None

    def delete(self, upload: str) -> None:
        if _ID.fullmatch(upload):
            self._remove(self._folder / f"{upload}.txt")

    @asynccontextmanager
    async def _receiving_folder(self) -> AsyncGenerator[Path]:
        preparation = preparation_folder(self._folder, "receiving")
        folder = await anyio.to_thread.run_sync(preparation.__enter__)
        try:
            yield folder
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(preparation.__exit__, None, None, None)

    async def _receive(self, chunks: AsyncIterator[bytes], part: Path) -> int:
        size = 0
        async with await anyio.open_file(part, "wb", opener=open_like_folder) as file:
            async for chunk in chunks:
                size += len(chunk)
                if size > MAX_UPLOAD_BYTES:
                    raise too_large_error()
                await file.write(chunk)
        return size

    def _finish(self, upload: str, part: Path, name: str) -> TextSurvey:
        try:
            text = decode_text(part.read_bytes(), "This text" if not name else "This file")
        except CorpusError as error:
            raise RefusedError(422, str(error), reason=error.reason) from None
        part.write_bytes(text.encode())
        kept = self._folder / f"{upload}.txt"
        with open(kept.with_suffix(".name"), "w", encoding="utf-8", opener=open_like_folder) as file:
            file.write(name)
        self._make_newest(part)
        part.replace(kept)
        others = sorted((text for text in self._texts() if text != kept), key=_sent_at)
        for old in others[: -(MAX_UPLOADS - 1)]:
            self._remove(old)
        return survey_text(text)

    def _make_newest(self, part: Path) -> None:
        """Set the modification time of a text after that of all others, independently of the clock."""
        newest = max(map(_sent_at, self._texts()), default=0)
        if _sent_at(part) <= newest:
            os.utime(part, ns=(newest + _TIME_STEP_NS, newest + _TIME_STEP_NS))

    def _texts(self) -> list[Path]:
        return list(self._folder.glob("*.txt"))

    def _create_folder(self) -> None:
        make_private_folder(self._folder, exist_ok=True)

    @staticmethod
    def _remove(text: Path) -> None:
        text.unlink(missing_ok=True)
        text.with_suffix(".name").unlink(missing_ok=True)


def _sent_at(text: Path) -> int:
    try:
        return text.stat().st_mtime_ns
    except FileNotFoundError:
        # Another request has removed it.
        return 0
