"""The files of the course: those that come with the app, and a folder of somebody's own laid over them."""

from __future__ import annotations

import os
import re
import stat
import threading
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from lamplighter.lessons.part import LessonError, Part
from lamplighter.lessons.part_parser import MAX_PART_BYTES, parse_part

LANGUAGE = "en"
"""The language of the texts that come with the app."""
MAX_PARTS = 40
"""Most parts of a folder."""
_MOST_ENTRIES = 1_000
"""Most entries of a folder that are looked at."""
_NAME = re.compile(r"(?P<number>\d{2})-[a-z0-9-]{1,60}\.md")


@dataclass(frozen=True)
class LessonFiles:
    """The parts of a folder, by number, and what is wrong with the others."""

    parts: dict[int, Part] = field(default_factory=dict[int, Part])
    problems: tuple[LessonError, ...] = ()


def read_folder(folder: Path) -> LessonFiles:
    """Return the parts in the files `NN-name.md` of a folder.

    Raises:
        OSError: the folder cannot be read.
    """
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in islice(entries, _MOST_ENTRIES) if entry.name.endswith(".md"))
    parts: dict[int, Part] = {}
    problems: list[LessonError] = []
    for name in names[:MAX_PARTS]:
        try:
            found = _NAME.fullmatch(name)
            number = int(found["number"]) if found else 0
            if number < 1:
                raise LessonError(
                    name[:80],
                    1,
                    "the name is no part's: write two digits from 01 on, - and a name, as in 01-start.md",
                )
            if number in parts:
                raise LessonError(name, 1, f"there is a part {number} already: give it another number")
            parts[number] = parse_part(name, number, _read_text(folder / name))
        except LessonError as error:
            problems.append(error)
    if len(names) > MAX_PARTS:
        problems.append(
            LessonError(names[MAX_PARTS][:80], 1, f"a folder has at most {MAX_PARTS} parts: take some away")
        )
    return LessonFiles(parts, tuple(problems))


def _read_text(path: Path) -> str:
    """Return the text of a file that is not too large.

    Raises:
        LessonError: it is no such file.
    """
    try:
        # A pipe would never end, and a link may lead to any file of this user's.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0))
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise LessonError(path.name, 1, "it is no file: put the text itself there")
            data = file.read(MAX_PART_BYTES + 1)
    except OSError as error:
        raise LessonError(
            path.name, 1, f"it cannot be read ({error.strerror}); a link is not followed"
        ) from error
    if len(data) > MAX_PART_BYTES:
        raise LessonError(path.name, 1, f"a part has at most {MAX_PART_BYTES:,} bytes: part it")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise LessonError(path.name, line, "it is no UTF-8: save it as UTF-8") from error


class LessonLibrary:
    """The parts of the course, read again when a file has changed. For any threads."""

    def __init__(self, folders: tuple[Path, ...]) -> None:
        """Use folders of which a later one replaces or adds parts."""
        self._folders = folders
        self._lock = threading.Lock()
        self._read: tuple[object, dict[int, Part]] = (None, {})

    def parts(self) -> dict[int, Part]:
        """Return the parts by number, ascending, without those in which something is wrong."""
        seen = tuple(_signature(folder) for folder in self._folders)
        with self._lock:
            if self._read[0] != seen:
                found: dict[int, Part] = {}
                for folder in self._folders:
                    try:
                        found |= read_folder(folder).parts
                    except OSError:
                        # A folder that is not there has no parts.
                        continue
                self._read = (seen, dict(sorted(found.items())))
            return self._read[1]


def _signature(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Return what changes when a file of a folder does."""
    try:
        with os.scandir(folder) as entries:
            files = [entry for entry in islice(entries, _MOST_ENTRIES) if entry.name.endswith(".md")]
            facts = [(entry.name, entry.stat(follow_symlinks=False)) for entry in files]
    except OSError:
        return ()
    return tuple(sorted((name, about.st_mtime_ns, about.st_size) for name, about in facts))
