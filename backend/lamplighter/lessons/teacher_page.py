"""A page for the teacher: how to teach one part of the course, or what to know before the first. It is Markdown like a stage,
and has tables, numbered lists and quotes, too."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from lamplighter.lessons.markdown import MarkdownReader
from lamplighter.lessons.part import LessonError, Span

MAX_PAGE_LINE = 2_000
"""Most characters of a line."""
MAX_SECTIONS = 12
MAX_SECTION_BLOCKS = 16
MAX_ROWS = 24
"""Most rows of a table, or entries of a numbered list."""
MAX_COLUMNS = 4

TeacherBlockKind = Literal["paragraph", "list", "numbered", "quote", "table"]
_ENTRY = re.compile(r"\d{1,2}\. (.+)")
_BETWEEN_CELLS = re.compile(r"\|(?![^{}]*\})")
_RULE = re.compile(r"\|(?: *:?-{3,}:? *\|)+")


@dataclass(frozen=True)
class TeacherBlock:
    """A piece of a section: rows of cells, of which only a table has more than one. The first row of a table is its head."""

    kind: TeacherBlockKind
    rows: tuple[tuple[tuple[Span, ...], ...], ...]


@dataclass(frozen=True)
class TeacherSection:
    """A section: what stands below one heading. One with a numbered list of addresses is a worksheet."""

    title: str
    """The heading; empty above the first one."""
    blocks: tuple[TeacherBlock, ...]

    @property
    def is_worksheet(self) -> bool:
        """Return whether pupils write on it: each entry of a numbered list begins with an address that is written out."""
        return any(
            block.kind == "numbered"
            and all(entry and entry[0].view is not None and not entry[0].text for (entry,) in block.rows)
            for block in self.blocks
        )


@dataclass(frozen=True)
class TeacherPage:
    """The page of one part."""

    number: int
    """The number of the part; 0: the page to read before the first."""
    title: str
    sections: tuple[TeacherSection, ...]
    language: str = "en"
    """The language of its text (ISO 639)."""

    def spans(self) -> Iterator[Span]:
        """Yield the pieces of its text, in order."""
        for section in self.sections:
            for block in section.blocks:
                for row in block.rows:
                    for cell in row:
                        yield from cell


def parse_teacher_page(file: str, number: int, text: str) -> TeacherPage:
    """Return the page in a text, whose size is bounded by whoever has read it.

    Args:
        file: the file's name, for messages.
        number: the number of the part.
        text: the whole text.

    Raises:
        LessonError: it is no such page; the message names the line.
    """
    return _TeacherPageParser(file, number, text).parse()


class _TeacherPageParser:
    """The parsing of one file."""

    def __init__(self, file: str, number: int, text: str) -> None:
        self._file, self._number, self._text = file, number, text
        self._markdown = MarkdownReader(file, with_places=True)

    def parse(self) -> TeacherPage:
        lines = [(number, line.strip()) for number, line in enumerate(self._text.splitlines(), 1)]
        for number, line in lines:
            if len(line) > MAX_PAGE_LINE:
                raise self._error(number, f"a line has at most {MAX_PAGE_LINE:,} characters: part it")
            if not line.replace("\t", " ").isprintable():
                raise self._error(number, "a sign in this line cannot be shown: take it out")
        if not lines or not lines[0][1].startswith("# "):
            raise self._error(1, "the first line is no title: write # and the title")
        title, sections = self._heading(*lines[0]), list[TeacherSection]()
        heading, blocks = "", list[TeacherBlock]()
        for piece in _pieces(lines[1:]):
            at, first = piece[0]
            if first.startswith("#"):
                if not first.startswith("## ") or len(piece) > 1:
                    raise self._error(at, "a heading is ## and its words, between empty lines")
                if heading or blocks:
                    sections.append(TeacherSection(heading, tuple(blocks)))
                heading, blocks = self._heading(at, first), []
            else:
                blocks += self._read_piece(piece)
            if len(blocks) > MAX_SECTION_BLOCKS or len(sections) >= MAX_SECTIONS:
                raise self._error(
                    at,
                    f"a page has at most {MAX_SECTIONS} sections, each of at most {MAX_SECTION_BLOCKS} pieces: leave some out",
                )
        sections.append(TeacherSection(heading, tuple(blocks)))
        return TeacherPage(self._number, title, tuple(sections))

    def _heading(self, at: int, line: str) -> str:
        words = line.lstrip("#").strip()
        spans = self._markdown.read_spans(at, words)
        if len(words) > 100 or [(span.style, span.text) for span in spans] != [("plain", words)]:
            raise self._error(at, "a heading is at most 100 characters of plain text")
        return words

    def _read_piece(self, piece: Sequence[tuple[int, str]]) -> list[TeacherBlock]:
        """Read lines without an empty one among them."""
        first = piece[0][1]
        if first.startswith("|"):
            return [self._table(piece)]
        if _ENTRY.fullmatch(first):
            return [self._numbered(piece)]
        if first.startswith(">"):
            return self._quote(piece)
        blocks = self._markdown.read_blocks(piece)
        if any(block.kind == "formula" for block in blocks):
            raise self._error(piece[0][0], "a teacher's page has no formulas: say it in words")
        return [
            TeacherBlock(
                "list" if block.kind == "list" else "paragraph", tuple((line,) for line in block.lines)
            )
            for block in blocks
        ]

    def _numbered(self, piece: Sequence[tuple[int, str]]) -> TeacherBlock:
        entries: list[tuple[int, list[str]]] = []
        for at, line in piece:
            if found := _ENTRY.fullmatch(line):
                entries.append((at, [found[1]]))
            else:
                entries[-1][1].append(line)
        self._require_few(piece[0][0], len(entries))
        return TeacherBlock(
            "numbered", tuple((self._markdown.read_spans(at, " ".join(text)),) for at, text in entries)
        )

    def _quote(self, piece: Sequence[tuple[int, str]]) -> list[TeacherBlock]:
        """Read what is quoted: a line `>` alone parts paragraphs."""
        if any(not line.startswith(">") for _, line in piece):
            raise self._error(piece[0][0], "each line of a quote begins with >")
        inner = [(at, line[1:].strip()) for at, line in piece]
        return [
            TeacherBlock("quote", ((self._markdown.read_spans(lines[0][0], _joined(lines)),),))
            for lines in _pieces(inner)
        ]

    def _table(self, piece: Sequence[tuple[int, str]]) -> TeacherBlock:
        at = piece[0][0]
        if len(piece) < 3 or not _RULE.fullmatch(piece[1][1]):
            raise self._error(at, "a table is a head, a line |---|---| and rows")
        self._require_few(at, len(piece) - 2)
        rows: list[tuple[tuple[Span, ...], ...]] = []
        for number, line in (piece[0], *piece[2:]):
            if not line.startswith("|") or not line.endswith("|"):
                raise self._error(number, "a row of a table begins and ends with |")
            cells = _BETWEEN_CELLS.split(line)[1:-1]
            if len(cells) > MAX_COLUMNS or (rows and len(cells) != len(rows[0])):
                raise self._error(
                    number, f"each row has as many cells as the head, and at most {MAX_COLUMNS}"
                )
            rows.append(tuple(self._markdown.read_spans(number, cell.strip()) for cell in cells))
        return TeacherBlock("table", tuple(rows))

    def _require_few(self, at: int, rows: int) -> None:
        if rows > MAX_ROWS:
            raise self._error(at, f"a table or a numbered list has at most {MAX_ROWS} rows: part it")

    def _error(self, line: int, message: str) -> LessonError:
        return LessonError(self._file, line, message)


def _pieces(lines: Sequence[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    """Yield the runs of lines between empty ones."""
    piece: list[tuple[int, str]] = []
    for line in lines:
        if line[1]:
            piece.append(line)
        elif piece:
            yield piece
            piece = []
    if piece:
        yield piece


def _joined(lines: Sequence[tuple[int, str]]) -> str:
    return " ".join(text for _, text in lines)
