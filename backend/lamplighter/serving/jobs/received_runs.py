"""Runs that arrive in fragments from other machines: those of followed folders, and those that are pushed.

This server is the only writer of their records here. While fragments arrive it holds the trainer's role, so that the page shows
the run as alive.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import anyio.to_thread

from lamplighter.runfolder.errors import READ_ERRORS, FormatError
from lamplighter.runfolder.fragments.fragment import FOLDER, Fragment, Position, opens, read_opening
from lamplighter.runfolder.fragments.fragment_folder import (
    SIGN_OF_LIFE_SECONDS,
    list_fragments,
    read_fragment,
    unread_fragments,
)
from lamplighter.runfolder.fragments.received_run import (
    Arrival,
    GapError,
    OtherContentError,
    ReceivedRun,
    create_received_run,
    read_arrival,
)
from lamplighter.runfolder.role_lock import RoleTakenError
from lamplighter.runfolder.run_folder import RunFolder, list_folders
from lamplighter.runfolder.run_store import TRASH, NoSuchRunError, RunStore

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.5
_IDLE_SECONDS = 2.5 * SIGN_OF_LIFE_SECONDS
"""Seconds without a fragment after which a run counts as left by its loop."""
_GAP_SECONDS = 10.0
"""Seconds for which a missing fragment is waited for before that is said."""
_STOP_SECONDS = 3.0
"""Seconds for which the end of what goes on is waited for."""


class OtherOriginError(Exception):
    """An error for a run of that id which came from elsewhere, or is another of that name."""


class InTrashError(Exception):
    """An error for a run that a person moved to the trash: it does not come back by itself."""


@dataclass
class _OpenRun:
    lock: threading.Lock = field(default_factory=threading.Lock)
    record: ReceivedRun | None = None
    file: tuple[int, int] | None = None
    """The device and the inode of its file: another may have the name by now."""
    used: float = 0.0


class ReceivedRuns:
    """The runs of a store that arrive in fragments. Thread-safe."""

    def __init__(self, run_store: RunStore, followed: tuple[Path, ...] = ()) -> None:
        """Receive runs into a store. `followed`: folders whose runs are taken over as they grow."""
        self._run_store, self._followed = run_store, followed
        self._open: dict[str, _OpenRun] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._gaps: dict[str, float] = {}
        self._taken: dict[Path, set[str]] = {}
        """Names of fragments that were taken over, by the run's folder."""
        self._refused: dict[Path, tuple[int, int]] = {}
        """Size and time of change of the files that are no fragments of their run: they are read again once they have changed."""
        self._said: set[str] = set()
        self._thread = threading.Thread(target=self._work, name="received runs", daemon=True)

    def start(self) -> None:
        self._thread.start()

    async def stop(self) -> None:
        self._stop.set()
        if self._thread.ident is not None:
            # A file system that no longer answers must not keep the server.
            await anyio.to_thread.run_sync(self._thread.join, _STOP_SECONDS)
        await anyio.to_thread.run_sync(self._close_records, 0.0)

    def position(self, run_id: str, origin: str) -> tuple[Position, str | None] | None:
        """Return how far a run has arrived, and its identity if it is known; None if it has not begun to.

        Raises OtherOriginError; READ_ERRORS or RoleTakenError if it cannot be read (now).
        """
        found = self.find_received(run_id, origin)
        if found is None:
            return None
        with self._opened(found[0]) as record:
            return record.position, found[1].identity

    def take_over(self, run_id: str, fragment: Fragment, origin: str, key: str | None = None) -> bool:
        """Take over a fragment from `origin`; an opening creates the run, and steps need the run's key. Return
        whether anything was new.

        Raises OtherOriginError; InTrashError for an opening; GapError, OtherContentError, FormatError as
        `ReceivedRun.take_over`; RoleTakenError while another process holds the record; OSError, apsw.FullError,
        apsw.IOError if the disk is full or cannot be written.
        """
        if fragment.header.kind == "opening":
            with self._held(run_id) as held:
                found = self.find_received(run_id, origin)
                if found is None:
                    self._let_go(held)
                    self._require_not_in_trash(run_id, fragment)
                    create_received_run(self._run_store.path / run_id, fragment, origin)
                elif found[1].opening not in (None, fragment.digest):
                    raise OtherOriginError(run_id)
            return found is None
        found = self.find_received(run_id, origin)
        if found is None:
            raise GapError(Position())
        run, arrival = found
        if arrival.identity is not None and not opens(key, arrival.identity):
            raise OtherOriginError(run_id)
        with self._opened(run) as record:
            return record.take_over(fragment)

    def _require_not_in_trash(self, run_id: str, opening: Fragment) -> None:
        trashed = (read_arrival(run.path) for run in self._run_store.trashed() if run.id.startswith(run_id))
        identities = {arrival.identity for arrival in trashed if arrival is not None} - {None}
        if identities and read_opening(opening).identity in identities:
            raise InTrashError(run_id)

    def find_received(self, run_id: str, origin: str) -> tuple[RunFolder, Arrival] | None:
        """Return a received run, and where it came from; None if there is none of that id. Raises
        OtherOriginError.
        """
        try:
            run = self._run_store.find(run_id)
        except NoSuchRunError:
            return None
        arrival = read_arrival(run.path)
        if arrival is None or arrival.origin != origin:
            raise OtherOriginError(run_id)
        return run, arrival

    def count_runs(self, origin: str) -> int:
        arrivals = (read_arrival(run.path) for run in self._run_store.runs())
        return sum(arrival is not None and arrival.origin == origin for arrival in arrivals)

    @contextmanager
    def _held(self, run_id: str) -> Generator[_OpenRun]:
        with self._lock:
            held = self._open.setdefault(run_id, _OpenRun())
        with held.lock:
            yield held

    @contextmanager
    def _opened(self, run: RunFolder) -> Generator[ReceivedRun]:
        with self._held(run.id) as held:
            if held.record is not None and held.file != _inode(run.steps_path):
                self._let_go(held)
            if held.record is None:
                held.record, held.used = ReceivedRun(run), time.monotonic()
                held.file = _inode(run.steps_path)
            before = held.record.position
            try:
                yield held.record
            except GapError:
                raise
            except BaseException:
                self._let_go(held)
                raise
            if held.record.position != before:
                held.used = time.monotonic()
            if held.record.has_ended:
                self._close(held)

    @staticmethod
    def _close(held: _OpenRun) -> None:
        record, held.record = held.record, None
        if record is not None:
            record.close()

    def _let_go(self, held: _OpenRun) -> None:
        with suppress(*READ_ERRORS):
            self._close(held)

    def _close_records(self, idle_seconds: float) -> None:
        """Close the records that nothing arrived for, so that their runs no longer count as alive."""
        with self._lock:
            open_runs = list(self._open.values())
        for held in open_runs:
            if not held.lock.acquire(timeout=_STOP_SECONDS):
                continue
            try:
                if time.monotonic() - held.used >= idle_seconds:
                    self._close(held)
            except READ_ERRORS as error:
                self._say_once(f"a record is not closed well: {error}")
            finally:
                held.lock.release()

    def _work(self) -> None:
        while not self._stop.wait(_POLL_SECONDS):
            for folder in self._followed:
                try:
                    for path in list_folders(folder):
                        if not self._stop.is_set():
                            self._follow(path)
                except OSError as error:
                    self._say_once(f"{folder} cannot be followed now: {error.strerror or error}")
            self._close_records(_IDLE_SECONDS)

    def _follow(self, source: Path) -> None:
        """Take over what is new in the fragments of a run."""
        run_id, origin = source.name, f"folder {source}"
        try:
            self._take_over_new(source, run_id, origin)
        except OtherOriginError:
            self._say_once(f"{source} is not followed: {run_id} is the id of another run here")
        except RoleTakenError:
            pass  # It is being compacted.
        except (*READ_ERRORS, OtherContentError) as error:
            self._say_once(f"{source} cannot be followed now: {error}")

    def _take_over_new(self, source: Path, run_id: str, origin: str) -> None:
        taken = self._taken.setdefault(source, set())
        found = [one for one in list_fragments(source) if not self._is_refused(one.path)]
        if all(one.path.name in taken for one in found):
            return
        openings = [one.name.digest for one in found if one.name[:3] == (0, 0, 0)]
        received = self.find_received(run_id, origin)
        if received is None:
            # What a person moved to the trash does not come back; and steps wait for the opening.
            if not openings or (self._run_store.path / TRASH / run_id).exists():
                return
            with self._refusing(found[0].path):
                self.take_over(run_id, read_fragment(found[0].path), origin)
            received = self.find_received(run_id, origin)
        if received is None:
            return
        run, arrival = received
        if arrival.opening is not None and openings and not any(map(arrival.opening.startswith, openings)):
            raise OtherOriginError(run_id)
        with self._opened(run) as record:
            try:
                for fragment in unread_fragments(found, record.position, self._read):
                    with self._refusing(source / FOLDER / fragment.file_name):
                        record.take_over(fragment)
                    if self._stop.is_set():
                        return
            except GapError:
                self._wait_for_gap(record)
                return
        taken.update(one.path.name for one in found)
        self._gaps.pop(run_id, None)

    def _is_refused(self, path: Path) -> bool:
        return path in self._refused and self._refused[path] == _stamp(path)

    def _read(self, path: Path) -> Fragment:
        with self._refusing(path):
            return read_fragment(path)

    @contextmanager
    def _refusing(self, path: Path) -> Generator[None]:
        """Remember a file that is no fragment of its run."""
        try:
            yield
        except (FormatError, OtherContentError) as error:
            self._refused[path] = _stamp(path)
            raise FormatError(f"{path.name}: {error}") from error

    def _wait_for_gap(self, record: ReceivedRun) -> None:
        since = self._gaps.setdefault(record.run.id, time.monotonic())
        if time.monotonic() - since > _GAP_SECONDS:
            self._gaps[record.run.id] = math.inf
            record.note_gap()

    def _say_once(self, message: str) -> None:
        if message not in self._said:
            self._said.add(message)
            log.warning("%s", message)


def _inode(path: Path) -> tuple[int, int] | None:
    with suppress(OSError):
        facts = path.stat()
        return facts.st_dev, facts.st_ino
    return None


def _stamp(path: Path) -> tuple[int, int]:
    with suppress(OSError):
        facts = path.lstat()
        return facts.st_size, facts.st_mtime_ns
    return 0, 0
