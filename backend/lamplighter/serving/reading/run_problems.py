"""The problem responses for errors about runs, which any route may raise."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.contract.reason import Reason
from lamplighter.contract.sentences import say
from lamplighter.corpora.corpus import CorpusError
from lamplighter.exports.output import MissingPackageError
from lamplighter.runfolder.errors import (
    FormatError,
    MatrixTooLargeError,
    MissingVocabularyError,
    NoOutputMatrixError,
    NoSnapshotError,
    NotComparableError,
    ReadOnlyFolderError,
    is_outage,
)
from lamplighter.runfolder.lineage import LineageChangedError
from lamplighter.runfolder.run_store import NoSuchRunError, NoSuchSetError, RunBusyError
from lamplighter.runfolder.writing.free_space import NO_ROOM_ERRORS, has_no_room
from lamplighter.web.http.problems import install_error_handlers, problem_response
from lamplighter.wire.binary import FrameError

log = logging.getLogger(__name__)

UNREADABLE = say("run_unreadable", error="the presenter can see why")
"""The reason that a class is given."""
DISK_FULL = (
    "the disk is full: make room on it, then ask again. Nothing that was recorded is lost, and what waits for room goes"
    " on by itself"
)
_LOG_SECONDS = 60.0
_RETRY_SECONDS = 5
"""Seconds after which to ask again for what lies in a store that does not answer."""
_PROBLEMS: dict[type[Exception], tuple[int, str]] = {
    NoSuchRunError: (404, "{}"),
    NoSuchSetError: (404, "{}"),
    NoSnapshotError: (404, "{}"),
    MatrixTooLargeError: (422, "{}"),
    NoOutputMatrixError: (404, "{}"),
    NotComparableError: (422, "{}"),
    MissingVocabularyError: (404, say("run_lost_text")),
    RunBusyError: (409, "{}"),
    ReadOnlyFolderError: (409, "{}"),
    CorpusError: (409, "{}"),
    PermissionError: (409, say("other_user")),
    LineageChangedError: (409, say("attempt_began")),
    MissingPackageError: (501, "{}"),
}
"""The status and the detail of each error's problem; `{}` stands for the error's message."""


class DiskFullLog:
    """The log of requests that found the disk full: one line a minute, with their number."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next_line = float("-inf")
        self._unsaid = 0

    def note(self, error: BaseException) -> None:
        """Log an error, unless another was logged less than a minute ago."""
        self._unsaid += 1
        if (now := self._clock()) < self._next_line:
            return
        log.warning("the disk is full (%s); requests refused since the last line: %d", error, self._unsaid)
        self._unsaid, self._next_line = 0, now + _LOG_SECONDS


def install_run_error_handlers(app: FastAPI, *, for_class: bool = False) -> None:
    """Answer errors about runs, and those of any web server, with a problem response each. Those for a class do not say why a
    run cannot be read: that may quote what is in its files.
    """
    install_error_handlers(app)
    disk_full_log = DiskFullLog()

    def unreadable(_: Request, error: Exception) -> Response:
        if is_outage(error):
            return problem_response(503, say("store_silent"), headers={"Retry-After": str(_RETRY_SECONDS)})
        return problem_response(409, UNREADABLE if for_class else say("run_unreadable", error=str(error)))

    async def disk_full(request: Request, error: Exception) -> Response:
        if is_outage(error):
            return unreadable(request, error)
        if not has_no_room(error):
            raise error
        disk_full_log.note(error)
        return problem_response(507, DISK_FULL, reason=Reason("disk_full"))

    for kind, (status, detail) in _PROBLEMS.items():
        app.add_exception_handler(kind, _make_handler(status, detail))
    for kind in (FormatError, FrameError):
        app.add_exception_handler(kind, unreadable)
    for kind in NO_ROOM_ERRORS:
        app.add_exception_handler(kind, disk_full)


def _make_handler(status: int, detail: str) -> Callable[[Request, Exception], Response]:
    def answer(_: Request, error: Exception) -> Response:
        return problem_response(status, detail.format(error), reason=getattr(error, "reason", None))

    return answer
