"""The folder `fragments/` of a run: one process writes it, any number on any machines read it.

A fragment gets its final name by a rename, the only operation that every network file system makes atomic. There is no lock, no
memory mapping, and no file is changed once it has its name.
"""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from lamplighter.platform import failpoint
from lamplighter.platform.folder_sync import replace_durably, sync_file
from lamplighter.platform.network_folder import is_network_folder
from lamplighter.platform.private_modes import make_private_folder, open_foreign, open_like_folder
from lamplighter.runfolder.errors import READ_ERRORS, FormatError
from lamplighter.runfolder.fragments.fragment import (
    FOLDER,
    MAX_FRAGMENT_BYTES,
    Fragment,
    FragmentName,
    Position,
    decode_fragment,
    make_opening,
    parse_fragment_name,
)
from lamplighter.runfolder.fragments.fragment_source import FragmentSource
from lamplighter.runfolder.run_folder import RunFolder

log = logging.getLogger(__name__)

VARIABLE = "LAMPLIGHTER_FRAGMENTS"
EVERY_SECONDS = 1.0
SIGN_OF_LIFE_SECONDS = 20.0
"""Seconds without news after which a fragment says that its writer is still there."""
_MAX_FILE_BYTES = MAX_FRAGMENT_BYTES + (1 << 20)


def wants_fragments(folder: Path) -> bool:
    """Return whether a run in this folder is also written as fragments: the file system is a network's, or the environment
    says so (`LAMPLIGHTER_FRAGMENTS=1`; `0`: never)."""
    told = os.environ.get(VARIABLE, "")
    return told == "1" if told in ("0", "1") else is_network_folder(folder)


class NamedFragment(NamedTuple):
    """A file in the folder."""

    name: FragmentName
    path: Path


def list_fragments(run: Path) -> list[NamedFragment]:
    """Return the fragments of a run in the order of their steps; empty if there is no such folder. Raises
    OSError if the folder cannot be listed now.
    """
    found: list[NamedFragment] = []
    try:
        with os.scandir(run / FOLDER) as entries:
            for entry in entries:
                if (name := parse_fragment_name(entry.name)) is not None:
                    found.append(NamedFragment(name, run / FOLDER / entry.name))
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(found)


def read_fragment(path: Path) -> Fragment:
    """Read a fragment, and compare it with its name. Raises FormatError if it is no file, damaged, too large,
    or another than its name says, OSError if it cannot be read now.
    """
    try:
        with open(path, "rb", opener=open_foreign) as file:
            data = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.ELOOP, errno.ENXIO):
            raise FormatError("it is no file") from None
        raise
    if len(data) > _MAX_FILE_BYTES:
        raise FormatError(f"it has more than {_MAX_FILE_BYTES:,} bytes")
    fragment = decode_fragment(data)
    if fragment.file_name != path.name:
        raise FormatError("it is damaged: its content has another digest")
    return fragment


def unread_fragments(
    found: Iterable[NamedFragment],
    position: Position,
    read: Callable[[Path], Fragment] = read_fragment,
) -> Iterator[Fragment]:
    """Yield those of a run's fragments, given in the order of their steps, that lead beyond a position, in
    the order in which they were made. Raises READ_ERRORS if one cannot be read.
    """
    here = (position.attempt, position.step)
    waiting: list[Fragment] = []
    for name, path in found:
        at = (name.attempt, name.last)
        if at < here or at == (0, 0):
            continue
        if waiting and (waiting[0].header.attempt, waiting[0].header.last) != at:
            yield from _in_order(waiting, position)
            waiting = []
        waiting.append(read(path))
    yield from _in_order(waiting, position)


def _in_order(fragments: list[Fragment], position: Position) -> Iterator[Fragment]:
    # Of one step there are several where only events or facts were new.
    for fragment in sorted(fragments, key=lambda one: one.header.to.made):
        if fragment.header.to.made > position.made:
            yield fragment


class FragmentWriter:
    """The writer of a run's fragments: a thread that adds what is new in the record, once a second."""

    def __init__(self, run: RunFolder, every: float | None = None) -> None:
        self._run, self._every = run, EVERY_SECONDS if every is None else every
        self._source: FragmentSource | None = None
        self._stop = threading.Event()
        self._said: set[str] = set()
        self._quiet = 0.0
        self._thread = threading.Thread(
            target=self._write_repeatedly, name=f"fragments of {run.id}", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Write what is left, and end. Call it before the record is sealed."""
        self._stop.set()
        self._thread.join()
        self._try_write()

    def _write_repeatedly(self) -> None:
        while not self._stop.wait(self._every):
            self._quiet += self._every
            self._try_write()

    def _try_write(self) -> None:
        try:
            if self._source is None:
                self._source = FragmentSource(self._run, self._begin())
            behind = True
            while behind and (fragment := self._source.make_next(sign_of_life=self._is_quiet())) is not None:
                write_fragment(self._run.path, fragment)
                self._source.advance()
                self._quiet, behind = 0.0, self._source.is_behind
        except FileNotFoundError:
            pass  # The run has not begun.
        except READ_ERRORS as error:
            # The loop goes on, and what is missing is written later, from the record.
            if (why := str(error)) not in self._said:
                self._said.add(why)
                log.warning("%s: its fragments cannot be written now (%s); trying again", self._run.id, why)

    def _is_quiet(self) -> bool:
        return self._quiet >= SIGN_OF_LIFE_SECONDS

    def _begin(self) -> Position:
        """Return where the fragments in the folder end; write the opening if there is none."""
        found = list_fragments(self._run.path)
        if not found:
            write_fragment(self._run.path, make_opening(self._run))
            return Position()
        at = [one for one in found if one.name[:2] == found[-1].name[:2]]
        return max((read_fragment(one.path).header.to for one in at), key=lambda position: position.made)


def write_fragment(run: Path, fragment: Fragment) -> None:
    """Write a fragment into the folder of a run: whole, under its name, or not at all. Raises OSError if it
    cannot be written.
    """
    folder = run / FOLDER
    make_private_folder(folder, exist_ok=True)
    target = folder / fragment.file_name
    temporary = folder / f".{fragment.file_name}.part"
    with failpoint.trigger_within("fragment"), open(temporary, "wb", opener=open_like_folder) as file:
        file.write(fragment.data)
    sync_file(temporary)
    replace_durably(temporary, target)
