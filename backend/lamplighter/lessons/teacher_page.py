"""A page for the teacher: how to teach a part of the course, or what to know before the first.

It is Markdown like a stage, plus tables, numbered lists and quotes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from lamplighter.contract.documented_model import DocumentedRecord
from lamplighter.lessons.markdown import MarkdownBlock, MarkdownReader
from lamplighter.lessons.part import LessonError, Span

MAX_PAGE_LINE = 2_000
"""Maximum characters of a line."""
MAX_SECTIONS = 12
MAX_SECTION_BLOCKS = 16

TeacherBlockKind = Literal["paragraph", "list", "numbered", "quote", "table"]


@dataclass(frozen=True)
class TeacherBlock(DocumentedRecord):
    """A piece of a section."""

    kind: TeacherBlockKind
    """A paragraph, a list, a numbered list, a quoted paragraph, or a table."""
    rows: tuple[tuple[tuple[Span, ...], ...], ...]
    """Rows of cells; only a table has more than one cell per row. The first row of a table is its header."""


@dataclass(frozen=True)
class TeacherSection(DocumentedRecord):
    """A heading and the blocks below it."""

    title: str
    """The title; empty above the first heading."""
    worksheet: bool
    """True for text that pupils write on."""
    blocks: tuple[TeacherBlock, ...]


@dataclass(frozen=True)
class TeacherPage:
    """The page of one part."""

    number: int
    """The number of the part; 0 for the page to read before the first."""
    title: str
    sections: tuple[TeacherSection, ...]
    language: str = "en"
    """The language of its text (ISO 639)."""

    def spans(self) -> Iterator[Span]:
        for section in self.sections:
            for block in section.blocks:
                for row in block.rows:
                    for cell in row:
                        yield from cell


def parse_teacher_page(file: str, number: int, text: str) -> TeacherPage:
    """Parse a teacher's page of bounded size, or raise LessonError. `file`: its name, for messages."""
    return _TeacherPageParser(file, number, text).parse()


def _make_section(title: str, blocks: list[TeacherBlock]) -> TeacherSection:
    """Return a section: a worksheet if each item of a numbered list begins with an address shown as text."""
    worksheet = any(
        block.kind == "numbered"
        and all(entry and entry[0].view is not None and not entry[0].text for (entry,) in block.rows)
        for block in blocks
    )
    return TeacherSection(title, worksheet, tuple(blocks))


class _TeacherPageParser:
    """Parses one file."""

    def __init__(self, file: str, number: int, text: str) -> None:
        self._file, self._number, self._text = file, number, text
        self._markdown = MarkdownReader(file, with_places=True)

    def parse(self) -> TeacherPage:
        lines = list(enumerate(self._text.splitlines(), 1))
        for number, line in lines:
            if len(line) > MAX_PAGE_LINE:
                raise self._error(number, f"a line has at most {MAX_PAGE_LINE:,} characters: part it")
            if not line.replace("\t", " ").isprintable():
                raise self._error(number, "a sign in this line cannot be shown: take it out")
        title, sections = "", list[TeacherSection]()
        heading, blocks = "", list[TeacherBlock]()
        for place, block in enumerate(self._markdown.read_blocks(lines)):
            if place == 0 and block.kind != "title":
                break
            match block.kind:
                case "title" if place == 0:
                    title = self._heading(block)
                case "title":
                    raise self._error(block.line, "a heading is ## and its words: the title alone has one #")
                case "heading":
                    if heading or blocks:
                        sections.append(_make_section(heading, blocks))
                    heading, blocks = self._heading(block), []
                case "formula":
                    raise self._error(block.line, "a teacher's page has no formulas: say it in words")
                case _:
                    blocks.append(TeacherBlock(block.kind, block.rows))
            if len(blocks) > MAX_SECTION_BLOCKS or len(sections) >= MAX_SECTIONS:
                raise self._error(
                    block.line,
                    f"a page has at most {MAX_SECTIONS} sections, each of at most {MAX_SECTION_BLOCKS} pieces: leave some out",
                )
        if not title:
            raise self._error(1, "the first line is no title: write # and the title")
        sections.append(_make_section(heading, blocks))
        return TeacherPage(self._number, title, tuple(sections))

    def _heading(self, block: MarkdownBlock) -> str:
        ((spans,),) = block.rows
        words = "".join(span.text for span in spans)
        if len(words) > 100 or spans != (Span("plain", words),):
            raise self._error(block.line, "a heading is at most 100 characters of plain text")
        return words

    def _error(self, line: int, message: str) -> LessonError:
        return LessonError(self._file, line, message)
