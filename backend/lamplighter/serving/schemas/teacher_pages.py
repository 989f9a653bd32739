"""Schemas of the teacher's pages about the parts of the course."""

from __future__ import annotations

from typing import Literal

from lamplighter.lessons.teacher_page import TeacherPage, TeacherSection
from lamplighter.serving.schemas.base import ApiModel
from lamplighter.serving.schemas.lessons import LessonSpan, describe_span


class TeacherPageBlock(ApiModel):
    """A paragraph, a list, a numbered list, a paragraph of a quote, or a table."""

    kind: Literal["paragraph", "list", "numbered", "quote", "table"]
    rows: list[list[list[LessonSpan]]]
    """Rows of cells, of which only a table has more than one. The first row of a table is its head."""


class TeacherPageSection(ApiModel):
    """A heading and the blocks below it."""

    title: str
    """The heading; empty above the first one."""
    worksheet: bool
    """True for what pupils write on."""
    blocks: list[TeacherPageBlock]


class TeacherPageAnswer(ApiModel):
    """A page for the teacher. The numbers that it names are among those of its part on a run."""

    number: int
    """The number of the part; 0: the page to read before the first."""
    title: str
    language: str
    """The language of its text (ISO 639)."""
    sections: list[TeacherPageSection]


def describe_teacher_page(page: TeacherPage) -> TeacherPageAnswer:
    """Return a teacher's page as the interface has it."""
    return TeacherPageAnswer(
        number=page.number,
        title=page.title,
        language=page.language,
        sections=[_describe_section(section) for section in page.sections],
    )


def _describe_section(section: TeacherSection) -> TeacherPageSection:
    return TeacherPageSection(
        title=section.title,
        worksheet=section.is_worksheet,
        blocks=[
            TeacherPageBlock(
                kind=block.kind,
                rows=[[[describe_span(span) for span in cell] for cell in row] for row in block.rows],
            )
            for block in section.blocks
        ],
    )
