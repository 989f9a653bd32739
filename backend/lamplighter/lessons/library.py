"""The files of the course, in several languages: the app's own, overlaid with a user's folder."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TypeVar

from lamplighter.lessons.part import LessonError, Part
from lamplighter.lessons.part_parser import MAX_PART_BYTES, parse_part
from lamplighter.lessons.teacher_page import TeacherPage, parse_teacher_page
from lamplighter.platform.private_modes import open_foreign
from lamplighter.platform.static_folder import find_static

LANGUAGE = "en"
"""The language of texts outside a language folder, and the fallback for missing translations."""
MAX_PARTS = 40
"""Maximum parts of a folder."""
_MAX_ENTRIES = 1_000
"""Maximum entries of a folder that are read."""
_MAX_LANGUAGES = 20
"""Maximum language folders that are read."""
_Text = TypeVar("_Text", Part, TeacherPage)
_TEACHER = "teacher"
"""The folder of the teacher's pages, beside the parts of a language."""
_LANGUAGE = re.compile(r"[a-z]{2}")
_NAME = re.compile(r"(?P<number>\d{2})-[a-z0-9-]{1,60}\.md")


@dataclass(frozen=True)
class LessonFiles:
    """The parts of a folder and the teacher's pages, by number, and the problems of the rest."""

    parts: dict[int, Part] = field(default_factory=dict[int, Part])
    pages: dict[int, TeacherPage] = field(default_factory=dict[int, TeacherPage])
    problems: tuple[LessonError, ...] = ()


def find_lessons() -> Path:
    return find_static() / "lessons"


def list_languages(folder: Path) -> list[str]:
    """Return the languages a folder may have parts in: the default, and those of its two-letter subfolders."""
    with os.scandir(folder) as entries:
        found = {
            entry.name
            for entry in islice(entries, _MAX_ENTRIES)
            if _LANGUAGE.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
        }
    return [LANGUAGE, *sorted(found - {LANGUAGE})[:_MAX_LANGUAGES]]


def read_folder(folder: Path, language: str = LANGUAGE) -> LessonFiles:
    """Return a folder's parts in a language, and the teacher's pages about them. Parts are files `NN-name.md`
    in the language's subfolder, and for `LANGUAGE` also in the folder itself. The pages are in folders
    `teacher` beside the parts.
    """
    problems: list[LessonError] = []
    places = ("", f"{LANGUAGE}/") if language == LANGUAGE else (f"{language}/",)
    parts = _read_numbered(folder, places, 1, parse_part, problems)
    pages = _read_numbered(
        folder, tuple(f"{place}{_TEACHER}/" for place in places), 0, parse_teacher_page, problems
    )
    return LessonFiles(
        {number: replace(part, language=language) for number, part in parts.items()},
        {number: replace(page, language=language) for number, page in pages.items()},
        tuple(problems),
    )


def _read_numbered(
    folder: Path,
    places: tuple[str, ...],
    least: int,
    parse: Callable[[str, int, str], _Text],
    problems: list[LessonError],
) -> dict[int, _Text]:
    """Return the contents of the files `NN-name.md` in some places of a folder, by number, from `least` on.
    It appends the problems of others to `problems`.
    """
    names: list[str] = []
    for place in places:
        # Language and teacher folders must not be links.
        if not all(_is_folder(folder / one) for one in (place, *Path(place).parents[:-1]) if place):
            continue
        try:
            with os.scandir(folder / place) as entries:
                names += sorted(
                    place + entry.name
                    for entry in islice(entries, _MAX_ENTRIES)
                    if entry.name.endswith(".md")
                )
        except OSError as error:
            if not place:
                raise
            # The other parts are still read.
            problems.append(LessonError(place, 1, f"the folder cannot be read: {error.strerror}"))
    found: dict[int, _Text] = {}
    for name in names[:MAX_PARTS]:
        try:
            match = _NAME.fullmatch(name.rpartition("/")[2])
            number = int(match["number"]) if match else -1
            if number < least:
                raise LessonError(
                    name[:80],
                    1,
                    f"the file's name has no number: write two digits from 0{least} on, - and a name, as in 01-start.md",
                )
            if number in found:
                raise LessonError(name, 1, f"number {number} is there already: give it another one")
            found[number] = parse(name, number, _read_text(folder, name))
        except LessonError as error:
            problems.append(error)
    if len(names) > MAX_PARTS:
        problems.append(
            LessonError(names[MAX_PARTS][:80], 1, f"a folder has at most {MAX_PARTS} files: take some away")
        )
    return found


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _read_text(folder: Path, name: str) -> str:
    """Return the text of a regular file of limited size, or raise LessonError."""
    try:
        with open(folder / name, "rb", opener=open_foreign) as file:
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


@dataclass(frozen=True)
class _LibraryTexts:
    """The parts and the teacher's pages of a library, by number and language."""

    parts: dict[int, dict[str, Part]] = field(default_factory=dict[int, dict[str, Part]])
    pages: dict[int, dict[str, TeacherPage]] = field(default_factory=dict[int, dict[str, TeacherPage]])


class LessonLibrary:
    """The parts of the course in all languages, reloaded when a file has changed. Thread-safe."""

    def __init__(self, folders: tuple[Path, ...]) -> None:
        """Use these folders; later ones replace or add parts."""
        self._folders = folders
        self._lock = threading.Lock()
        self._read: tuple[object, _LibraryTexts] = (None, _LibraryTexts())

    def parts(self, language: str = LANGUAGE) -> dict[int, Part]:
        """Return the valid parts by number, in `language`, or else `LANGUAGE`, or else the first one."""
        return self.texts(language)[0]

    def teacher_pages(self, language: str = LANGUAGE) -> dict[int, TeacherPage]:
        """Return the teacher's pages by part, with the same fallback; 0 is the first page."""
        return self.texts(language)[1]

    def texts(self, language: str = LANGUAGE) -> tuple[dict[int, Part], dict[int, TeacherPage]]:
        """Return the parts and the teacher's pages at one moment, after a single check of the folders."""
        read = self._read_changed()
        return _choose(read.parts, language), _choose(read.pages, language)

    def _read_changed(self) -> _LibraryTexts:
        seen = tuple(_signature(folder) for folder in self._folders)
        with self._lock:
            if self._read[0] != seen:
                self._read = (seen, self._read_all())
            return self._read[1]

    def _read_all(self) -> _LibraryTexts:
        parts, pages = dict[int, dict[str, Part]](), dict[int, dict[str, TeacherPage]]()
        for folder in self._folders:
            try:
                for language in list_languages(folder):
                    found = read_folder(folder, language)
                    for number, part in found.parts.items():
                        if language == LANGUAGE:
                            # A replaced part drops the translations and the teacher's pages of the original.
                            parts.pop(number, None)
                            pages.pop(number, None)
                        parts.setdefault(number, {})[language] = part
                    for number, page in found.pages.items():
                        if language == LANGUAGE:
                            pages.pop(number, None)
                        pages.setdefault(number, {})[language] = page
            except OSError:
                # A missing folder has no parts.
                continue
        return _LibraryTexts(dict(sorted(parts.items())), pages)


def _choose(texts: Mapping[int, Mapping[str, _Text]], language: str) -> dict[int, _Text]:
    return {
        number: found.get(language) or found.get(LANGUAGE) or next(iter(found.values()))
        for number, found in texts.items()
    }


def _signature(folder: Path) -> tuple[tuple[str, int, int], ...]:
    facts: list[tuple[str, int, int]] = []
    try:
        for place in (
            one
            for language in ("", *list_languages(folder))
            for one in (language, f"{language}/{_TEACHER}".lstrip("/"))
        ):
            if place and not _is_folder(folder / place):
                continue
            with suppress(OSError), os.scandir(folder / place) as entries:
                for entry in islice(entries, _MAX_ENTRIES):
                    if entry.name.endswith(".md"):
                        about = entry.stat(follow_symlinks=False)
                        facts.append((f"{place}/{entry.name}", about.st_mtime_ns, about.st_size))
    except OSError:
        # The folder itself is gone.
        return ()
    return tuple(sorted(facts))


def course_library(lessons: Path | None = None) -> LessonLibrary:
    """Return the course that comes with the app, overlaid with the texts in another folder."""
    return LessonLibrary((find_lessons(), *([lessons] if lessons else [])))
