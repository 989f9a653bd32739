r"""The formulas of the course: a small part of LaTeX's notation, as a tree that the page draws as MathML.

There are letters, numbers, `+ - = / ( ) ,`, `\times`, Greek names such as `\beta`, `\text{of words}`, `\frac{a}{b}`, `\sqrt{a}`,
`\hat{m}`, and `_` and `^` with one sign or a group in braces behind them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

MAX_FORMULA = 200
"""Most characters of a formula."""
MAX_NODES = 120
MAX_DEPTH = 6
"""Most groups within one another."""

FormulaKind = Literal[
    "row", "identifier", "number", "operator", "text", "fraction", "root", "hat", "superscript", "subscript"
]

_GREEK: dict[str, str] = dict(
    zip(
        [
            "alpha",
            "beta",
            "gamma",
            "delta",
            "epsilon",
            "eta",
            "theta",
            "lambda",
            "mu",
            "pi",
            "rho",
            "sigma",
            "tau",
        ],
        "αβγδεηθλμπρστ",
        strict=True,
    )
)
_OPERATORS = {"-": "−", r"\times": "×", **{sign: sign for sign in "+=/(),"}}
_GROUPS: dict[str, tuple[FormulaKind, int]] = {
    r"\frac": ("fraction", 2),
    r"\sqrt": ("root", 1),
    r"\hat": ("hat", 1),
}
_SCRIPTS: dict[str, FormulaKind] = {"_": "subscript", "^": "superscript"}
_TOKEN = re.compile(
    r"\s*(?:(?P<words>\\text\{[A-Za-z ]{1,40}\})|(?P<sign>\\[a-z]{1,10}|[A-Za-z]|[0-9]{1,9}(?:\.[0-9]{1,9})?|[-+=/(),_^{}]))",
    re.ASCII,
)


class FormulaError(ValueError):
    """An error for what is no formula; the message says what may stand there."""


@dataclass(frozen=True)
class FormulaNode:
    """A sign of a formula, or a group with its parts in order: of a fraction, the upper and the lower; of a script, what it
    stands at and itself."""

    kind: FormulaKind
    text: str = ""
    """The sign; empty for a group."""
    parts: tuple[FormulaNode, ...] = ()


def parse_formula(text: str) -> FormulaNode:
    """Return the row of signs that a formula is.

    Raises:
        FormulaError: something in it is none of what may stand there, or there is too much of it.
    """
    return _FormulaParser(text).parse()


def write_formula(node: FormulaNode) -> str:
    """Return a formula as one line of text, for whoever hears it or cannot show it."""
    parts = [write_formula(part) for part in node.parts]
    match node.kind:
        case "row":
            return " ".join(parts)
        case "fraction":
            upper, lower = (f"({part})" if " " in part else part for part in parts)
            return f"{upper} / {lower}"
        case "root":
            return f"√({parts[0]})"
        case "hat":
            return f"{parts[0]}-hat"
        case "superscript":
            return f"{parts[0]}^{parts[1]}"
        case "subscript":
            return f"{parts[0]}_{parts[1]}"
        case "identifier" | "number" | "operator" | "text":
            return node.text


class _FormulaParser:
    """The parsing of one formula."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_FORMULA:
            raise FormulaError(f"a formula has at most {MAX_FORMULA} characters: part it")
        self._tokens: list[str] = []
        text, position = text.strip(), 0
        while position < len(text):
            found = _TOKEN.match(text, position)
            if found is None:
                raise FormulaError(
                    f"{text[position : position + 10]!r} cannot stand in a formula: there are letters, numbers, + - = / ( ) ,"
                    r" \frac{a}{b}, \sqrt{a}, \hat{a}, a_b, a^b, \times, \text{words} and names such as \beta"
                )
            self._tokens.append(found["words"] or found["sign"])
            position = found.end()
        self._at, self._nodes = 0, 0

    def parse(self) -> FormulaNode:
        row = self._row(0)
        if self._at < len(self._tokens):
            raise FormulaError("a } in this formula closes nothing: leave it out")
        return row

    def _row(self, depth: int) -> FormulaNode:
        parts: list[FormulaNode] = []
        while self._at < len(self._tokens) and self._tokens[self._at] != "}":
            parts.append(self._with_scripts(depth))
        if not parts:
            raise FormulaError(
                "a formula, or a group of it, is empty: write something into it, or leave it out"
            )
        return parts[0] if len(parts) == 1 and depth else self._node("row", parts=tuple(parts))

    def _with_scripts(self, depth: int) -> FormulaNode:
        found, used = self._piece(depth), set[FormulaKind]()
        while self._at < len(self._tokens) and (kind := _SCRIPTS.get(self._tokens[self._at])):
            if kind in used:
                raise FormulaError("a sign has at most one _ and one ^: put the rest into braces")
            used.add(kind)
            self._at += 1
            found = self._node(kind, parts=(found, self._piece(depth)))
        return found

    def _piece(self, depth: int) -> FormulaNode:
        """Read a sign, a named group, or a group in braces."""
        if self._at >= len(self._tokens):
            raise FormulaError("this formula ends too early: something is missing behind its last sign")
        token = self._tokens[self._at]
        if token == "{":
            return self._group(depth)
        self._at += 1
        if token in _GROUPS:
            kind, parts = _GROUPS[token]
            return self._node(kind, parts=tuple(self._group(depth) for _ in range(parts)))
        if token in _OPERATORS:
            return self._node("operator", _OPERATORS[token])
        if token.startswith(r"\text{"):
            return self._node("text", token[len(r"\text{") : -1].strip())
        if token[0].isdigit():
            return self._node("number", token)
        sign = _GREEK.get(token[1:], "") if token.startswith("\\") else token
        if not sign.isalpha():
            raise FormulaError(f"a formula has no {token} here: write a letter, a number or a group")
        return self._node("identifier", sign)

    def _group(self, depth: int) -> FormulaNode:
        if depth >= MAX_DEPTH:
            raise FormulaError(f"a formula has at most {MAX_DEPTH} groups within one another")
        if self._at >= len(self._tokens) or self._tokens[self._at] != "{":
            raise FormulaError(r"a group in braces is missing: write \frac{a}{b} or \sqrt{a}")
        self._at += 1
        row = self._row(depth + 1)
        if self._at >= len(self._tokens):
            raise FormulaError("a { in this formula is not closed: write } behind it")
        self._at += 1
        return row

    def _node(self, kind: FormulaKind, text: str = "", parts: tuple[FormulaNode, ...] = ()) -> FormulaNode:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise FormulaError(f"a formula has at most {MAX_NODES} pieces: part it")
        return FormulaNode(kind, text, parts)
