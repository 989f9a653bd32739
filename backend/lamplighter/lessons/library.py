"""The files of the course, in several languages: those that come with the app, and a folder of somebody's own laid over
them."""

from __future__ import annotations

import os
import re
import stat
import threading
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from lamplighter.lessons.part import LessonError, Part
from lamplighter.lessons.part_parser import MAX_PART_BYTES, parse_part

LANGUAGE = "en"
"""The language of the texts of a folder that are in none of its folders, and of every part that lacks another one."""
MAX_PARTS = 40
"""Most parts of a folder."""
_MOST_ENTRIES = 1_000
"""Most entries of a folder that are looked at."""
_MOST_LANGUAGES = 20
"""Most folders of languages that are read."""
_LANGUAGE = re.compile(r"[a-z]{2}")
_NAME = re.compile(r"(?P<number>\d{2})-[a-z0-9-]{1,60}\.md")


@dataclass(frozen=True)
class LessonFiles:
    """The parts of a folder, by number, and what is wrong with the others."""

    parts: dict[int, Part] = field(default_factory=dict[int, Part])
    problems: tuple[LessonError, ...] = ()


def list_languages(folder: Path) -> list[str]:
    """Return the languages that a folder may have parts in: its own, and those of its folders with two letters.

    Raises:
        OSError: the folder cannot be read.
    """
    with os.scandir(folder) as entries:
        found = {
            entry.name
            for entry in islice(entries, _MOST_ENTRIES)
            if _LANGUAGE.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
        }
    return [LANGUAGE, *sorted(found - {LANGUAGE})[:_MOST_LANGUAGES]]


def read_folder(folder: Path, language: str = LANGUAGE) -> LessonFiles:
    """Return the parts of a folder in a language: in the files `NN-name.md` of the folder named like it, and for `LANGUAGE`
    in the folder itself, too.

    Raises:
        OSError: the folder cannot be read.
    """
    names: list[str] = []
    for prefix in ("", f"{LANGUAGE}/") if language == LANGUAGE else (f"{language}/",):
        if prefix and not _is_folder(folder / prefix):
            continue
        with os.scandir(folder / prefix) as entries:
            names += sorted(
                prefix + entry.name for entry in islice(entries, _MOST_ENTRIES) if entry.name.endswith(".md")
            )
    parts: dict[int, Part] = {}
    problems: list[LessonError] = []
    for name in names[:MAX_PARTS]:
        try:
            found = _NAME.fullmatch(name.rpartition("/")[2])
            number = int(found["number"]) if found else 0
            if number < 1:
                raise LessonError(
                    name[:80],
                    1,
                    "the name is no part's: write two digits from 01 on, - and a name, as in 01-start.md",
                )
            if number in parts:
                raise LessonError(name, 1, f"there is a part {number} already: give it another number")
            part = parse_part(name, number, _read_text(folder, name))
            parts[number] = replace(part, language=language)
        except LessonError as error:
            problems.append(error)
    if len(names) > MAX_PARTS:
        problems.append(
            LessonError(names[MAX_PARTS][:80], 1, f"a folder has at most {MAX_PARTS} parts: take some away")
        )
    return LessonFiles(parts, tuple(problems))


def _is_folder(path: Path) -> bool:
    """Return whether there is a folder, and no link to one."""
    return path.is_dir() and not path.is_symlink()


def _read_text(folder: Path, name: str) -> str:
    """Return the text of a file that is not too large.

    Raises:
        LessonError: it is no such file.
    """
    try:
        # A pipe would never end, and a link may lead to any file of this user's.
        descriptor = os.open(
            folder / name, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
        )
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise LessonError(name, 1, "it is no file: put the text itself there")
            data = file.read(MAX_PART_BYTES + 1)
    except OSError as error:
        raise LessonError(name, 1, f"it cannot be read ({error.strerror}); a link is not followed") from error
    if len(data) > MAX_PART_BYTES:
        raise LessonError(name, 1, f"a part has at most {MAX_PART_BYTES:,} bytes: part it")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise LessonError(name, line, "it is no UTF-8: save it as UTF-8") from error


class LessonLibrary:
    """The parts of the course in all languages, read again when a file has changed. For any threads."""

    def __init__(self, folders: tuple[Path, ...]) -> None:
        """Use folders of which a later one replaces or adds parts."""
        self._folders = folders
        self._lock = threading.Lock()
        self._read: tuple[object, dict[int, dict[str, Part]]] = (None, {})

    def parts(self, language: str = LANGUAGE) -> dict[int, Part]:
        """Return the parts by number, ascending, without those in which something is wrong: each in a language, or else in
        `LANGUAGE`, or else in the first there is.
        """
        seen = tuple(_signature(folder) for folder in self._folders)
        with self._lock:
            if self._read[0] != seen:
                self._read = (seen, self._read_all())
            parts = self._read[1]
        return {
            number: texts.get(language) or texts.get(LANGUAGE) or next(iter(texts.values()))
            for number, texts in parts.items()
        }

    def _read_all(self) -> dict[int, dict[str, Part]]:
        found: dict[int, dict[str, Part]] = {}
        for folder in self._folders:
            try:
                for language in list_languages(folder):
                    for number, part in read_folder(folder, language).parts.items():
                        # Another text of the part leaves translations of the one before it behind.
                        kept = {} if language == LANGUAGE else found.get(number, {})
                        found[number] = {**kept, language: part}
            except OSError:
                # A folder that is not there has no parts.
                continue
        return dict(sorted(found.items()))


def _signature(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Return what changes when a file of a folder does, or of one of its languages."""
    facts: list[tuple[str, int, int]] = []
    try:
        for place in ("", *list_languages(folder)):
            if place and not _is_folder(folder / place):
                continue
            with os.scandir(folder / place) as entries:
                for entry in islice(entries, _MOST_ENTRIES):
                    if entry.name.endswith(".md"):
                        about = entry.stat(follow_symlinks=False)
                        facts.append((f"{place}/{entry.name}", about.st_mtime_ns, about.st_size))
    except OSError:
        return ()
    return tuple(sorted(facts))
