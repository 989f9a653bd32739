"""Records every disk access of this process from Python: its kind, its target, and its thread.

Opened, listed and changed files come from Python's audit events; accesses without one (`stat`, and SQLite's
own files) from wrappers. They are active once this module is imported, and cost little while no test listens.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any

import apsw

_EVENTS = frozenset(
    {
        "open",
        "os.chmod",
        "os.link",
        "os.listdir",
        "os.mkdir",
        "os.remove",
        "os.rename",
        "os.rmdir",
        "os.scandir",
        "os.symlink",
        "os.truncate",
        "os.utime",
        "shutil.rmtree",
        "sqlite3.connect",
        "tempfile.mkdtemp",
        "tempfile.mkstemp",
    }
)
_SILENT = (
    "access", "copy_file_range", "fdatasync", "fsync", "ftruncate", "lstat", "pread", "pwrite", "readlink",
    "sendfile", "stat", "statvfs",
)  # fmt: skip
"""The functions of `os` that read or change files without an audit event."""
_ALLOWED = {
    ("importlib._bootstrap", "_find_and_load"): "a module is imported at its first use",
    ("linecache", "checkcache"): "a traceback in the log shows lines of its source",
    ("linecache", "updatecache"): "a traceback in the log shows lines of its source",
    ("fastapi.routing", "_extract_endpoint_context"): "FastAPI looks once for the source of each route",
}
"""Functions, each with its module, that may use the disk on the event loop, with the reason."""

FOUND = "the disk was used on the event loop: "
"""The beginning of the report of an access there."""


@dataclass(frozen=True)
class DiskAccess:
    """One access: its kind, such as "open" or "stat", and the file or the statement."""

    kind: str
    what: str


_listeners: list[Callable[[DiskAccess], None]] = []
_telling = threading.local()


@contextmanager
def disk_accesses() -> Generator[list[DiskAccess]]:
    """Record the accesses of all threads."""
    noted: list[DiskAccess] = []
    with _heard_by(noted.append):
        yield noted


class LoopGuard:
    """The accesses made on an event loop, where nothing may wait for a disk."""

    def __init__(self) -> None:
        self.found: list[str] = []
        """The accesses, each with its call stack."""

    @contextmanager
    def thread(self) -> Generator[None]:
        """Watch the loop that runs in this thread."""
        own = threading.get_ident()

        def note(access: DiskAccess) -> None:
            if threading.get_ident() == own and is_on_a_loop():
                self._note(access)

        with _heard_by(note):
            yield

    @contextmanager
    def process(self) -> Generator[None]:
        """Watch every loop of this process."""

        def note(access: DiskAccess) -> None:
            if is_on_a_loop():
                self._note(access)

        with _heard_by(note):
            yield

    async def call(self, coroutine: Any) -> Any:
        """Run a coroutine, and watch it alone, not its caller on the same loop."""
        return await _Watched(coroutine, self)

    def check(self) -> None:
        """Raise AssertionError if there was any access."""
        assert not self.found, "\n".join(FOUND + access for access in self.found)

    def _note(self, access: DiskAccess) -> None:
        way = traceback.StackSummary.extract(traceback.walk_stack(None), lookup_lines=False)
        callers = {
            (frame.f_globals.get("__name__", ""), frame.f_code.co_name)
            for frame, _ in traceback.walk_stack(None)
        }
        # Devices, and the kernel's list of descriptors, are on no disk.
        if callers.isdisjoint(_ALLOWED) and not access.what.startswith("/dev/"):
            shown = "".join(f"  {one.filename}:{one.lineno} {one.name}\n" for one in way[3:15])
            self._report(f"{access.kind} {access.what}\n{shown}")

    def _report(self, access: str) -> None:
        self.found.append(access)


class _Watched:
    """An awaitable that listens while its coroutine runs, but not while it waits."""

    def __init__(self, coroutine: Any, guard: LoopGuard) -> None:
        self._coroutine = coroutine
        self._guard = guard

    def __await__(self) -> Generator[Any, Any, Any]:
        step, given = self._coroutine.send, None
        while True:
            try:
                with self._guard.thread():
                    waiting_for = step(given)
            except StopIteration as ended:
                return ended.value
            try:
                step, given = self._coroutine.send, (yield waiting_for)
            except BaseException as error:  # noqa: BLE001  (a cancellation is one)
                step, given = self._coroutine.throw, error


def is_on_a_loop() -> bool:
    """Return whether an event loop runs in this thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


@contextmanager
def _heard_by(listener: Callable[[DiskAccess], None]) -> Generator[None]:
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def _tell(kind: str, what: object) -> None:
    # A listener, or the formatting of a stack, may use the disk itself.
    if not _listeners or getattr(_telling, "now", False):
        return
    _telling.now = True
    try:
        access = DiskAccess(kind, str(what))
        for listener in tuple(_listeners):
            listener(access)
    finally:
        _telling.now = False


def _hear_event(event: str, arguments: tuple[Any, ...]) -> None:
    # A file descriptor may belong to a pipe.
    if _listeners and event in _EVENTS and not isinstance(arguments[0], int):
        _tell(event, arguments[0])


def _telling_first(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def told(*arguments: Any, **options: Any) -> Any:
        if _listeners:
            _tell(name, arguments[0] if arguments else "")
        return function(*arguments, **options)

    for supporting in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
        if function in supporting:
            supporting.add(told)
    return told


def _hear_connection(connection: apsw.Connection) -> None:
    _tell("sqlite", connection.filename)
    if _listeners:
        # A connection may be opened in one thread and used in another.
        connection.set_exec_trace(_hear_statement)


def _hear_statement(_cursor: object, statement: str, _values: object) -> bool:
    _tell("sqlite", statement)
    return True


sys.addaudithook(_hear_event)
for _name in _SILENT:
    if hasattr(os, _name):
        setattr(os, _name, _telling_first(_name, getattr(os, _name)))
apsw.connection_hooks.append(_hear_connection)
