"""Formulas of the course: a line of plain text, and never anything else."""

from __future__ import annotations

import pytest

from lamplighter.lessons.markdown import MAX_FORMULA
from lamplighter.lessons.part import LessonError
from lamplighter.lessons.part_parser import parse_part

HEAD = "title: A part\nminutes: 5\n\n# look: A stage\n\n"


def test_a_formula_has_its_own_line() -> None:
    part = parse_part(
        "01-a.md", 1, HEAD + "Before it.\n$$ m̂ = m / (1 − β₁ᵗ) $$\n- an entry\n$$ a $$\n\nIt costs 5 $.\n"
    )
    assert [block.kind for block in part.stages[0].blocks] == [
        "paragraph", "formula", "list", "formula", "paragraph",
    ]  # fmt: skip
    ((span,),) = part.stages[0].blocks[1].lines
    assert (span.style, span.text) == ("plain", "m̂ = m / (1 − β₁ᵗ)")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("fine\n\n$$ \\frac{a}{b} $$\n", 8, "\\ cannot stand in a formula"),
        ("$$ W_2 $$\n", 6, "_ cannot stand"),
        ("$$ a^2 $$\n", 6, "^ cannot stand"),
        ("$$ {purity_10nn@0} $$\n", 6, "{ cannot stand"),
        ("$$ <mi>x</mi> $$\n", 6, "< cannot stand"),
        ("$$ " + "x " * MAX_FORMULA + "$$\n", 6, "at most 200 characters"),
        ("so $$ a $$ it is\n", 6, "stands alone"),
        ("$$\na\n$$\n", 6, "stands alone"),
        ("$$ a $$\n" * 20, 18, "at most 12"),
    ],
)
def test_an_invalid_formula_is_reported_with_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(LessonError) as caught:
        parse_part("01-a.md", 1, HEAD + text)
    assert str(caught.value).startswith(f"01-a.md:{line}: ")
    assert said in str(caught.value)
