"""Formulas of the course: what is read is a bounded tree, and whatever else a text tries is refused."""

from __future__ import annotations

import random

import pytest

from lamplighter.lessons.formula import (
    MAX_DEPTH,
    MAX_FORMULA,
    MAX_NODES,
    FormulaError,
    FormulaNode,
    parse_formula,
    write_formula,
)
from lamplighter.lessons.part import LessonError
from lamplighter.lessons.part_parser import parse_part
from lamplighter.serving.schemas.lessons import describe_part

HEAD = "title: A part\nminutes: 5\n\n# look: A stage\n\n"


def depth(node: FormulaNode) -> int:
    return 1 + max(map(depth, node.parts), default=0)


def count(node: FormulaNode) -> int:
    return 1 + sum(map(count, node.parts))


def test_a_formula_is_a_tree_of_signs_and_groups() -> None:
    row = parse_formula(r"\text{new } w = \frac{\hat{m}}{\sqrt{v} + \epsilon} - 0.9 \beta_1^{t+1}")
    assert [part.kind for part in row.parts] == [
        "text", "identifier", "operator", "fraction", "operator", "number", "superscript",
    ]  # fmt: skip
    upper, lower = row.parts[3].parts
    assert upper == FormulaNode("hat", parts=(FormulaNode("identifier", "m"),))
    assert [part.kind for part in lower.parts] == ["root", "operator", "identifier"]
    base, power = row.parts[6].parts
    assert (base.kind, [part.text for part in base.parts]) == ("subscript", ["β", "1"])
    assert [part.text for part in power.parts] == ["t", "+", "1"]
    assert write_formula(row) == "new w = m-hat / (√(v) + ε) − 0.9 β_1^t + 1"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("   ", "is empty"),
        (r"\frac{}{b}", "is empty"),
        ("<mi>x</mi>", "cannot stand in a formula"),
        (r"\href{javascript:alert}{x}", "cannot stand in a formula"),
        (r"\input{a}", r"no \input"),
        (r"\text{<b>}", "cannot stand in a formula"),
        (r"\text{}", r"no \text"),
        (r"\frac{a}", "a group in braces is missing"),
        (r"\frac a b", "a group in braces is missing"),
        (r"\hat m", "a group in braces is missing"),
        ("a_", "ends too early"),
        ("_a", "no _ here"),
        ("a__b", "no _ here"),
        ("a_b^c_d", "at most one _"),
        ("a}", "closes nothing"),
        ("{a", "is not closed"),
        ("٣ + x", "cannot stand in a formula"),
        ("a & b", "cannot stand in a formula"),
        ("{purity_10nn@0}", "cannot stand in a formula"),
        ("{" * 8 + "a" + "}" * 8, "groups within one another"),
        (r"\sqrt{" * 9 + "a" + "}" * 9, "groups within one another"),
        ("x" * (MAX_FORMULA + 1), "at most 200 characters"),
        ("x" * (MAX_NODES + 1), "at most 120 pieces"),
    ],
)
def test_what_is_no_formula_is_refused(text: str, said: str) -> None:
    with pytest.raises(FormulaError) as caught:
        parse_formula(text)
    assert said in str(caught.value)


def test_any_text_is_a_bounded_tree_or_refused() -> None:
    pieces = [*"ab1.+-=/(),_^{}{}{} $<&", r"\frac", r"\sqrt", r"\hat", r"\beta", r"\text{a b}", r"\x"]
    rng, read = random.Random(0), 0
    for _ in range(4_000):
        text = "".join(rng.choices(pieces, k=rng.randint(1, 12)))
        try:
            found = parse_formula(text)
        except FormulaError:
            continue
        read += 1
        # A group may carry two scripts and be in a row of its own.
        assert depth(found) <= 4 * (MAX_DEPTH + 1)
        assert count(found) <= MAX_NODES
        assert write_formula(found)
    assert read > 100


def test_a_formula_stands_on_a_line_of_its_own() -> None:
    part = parse_part(
        "01-a.md", 1, HEAD + "Before it.\n$$ y = W x + b $$\n- an entry\n$$ a $$\n\nIt costs 5 $.\n"
    )
    assert [block.kind for block in part.stages[0].blocks] == [
        "paragraph", "formula", "list", "formula", "paragraph",
    ]  # fmt: skip
    told = describe_part(part, step=0, training=False, missing_words=[], questions={}, numbers={})
    block = told.stages[0].blocks[1]
    assert block.lines[0][0].text == "y = W x + b"
    assert block.formula is not None
    assert [(one.kind, one.text) for one in block.formula.parts][:3] == [
        ("identifier", "y"), ("operator", "="), ("identifier", "W"),
    ]  # fmt: skip
    assert told.stages[0].blocks[0].formula is None


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("fine\n\n$$ \\evil $$\n", 8, "no \\evil"),
        ("so $$ a $$ it is\n", 6, "stands alone"),
        ("$$\na\n$$\n", 6, "stands alone"),
        ("$$ a $$\n" * 20, 18, "at most 12"),
    ],
)
def test_a_wrong_formula_is_named_with_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(LessonError) as caught:
        parse_part("01-a.md", 1, HEAD + text)
    assert str(caught.value).startswith(f"01-a.md:{line}: ")
    assert said in str(caught.value)
