"""The text of the course: Markdown without HTML, as a flat list of blocks, with two extensions.

`markdown-it-py` parses it. `[words](?word=dog)` opens a view of the app; where a view may name its place in
the course, `[?lesson=1.2]` shows its address as text. `{name|form}` is a number. A line `$$ y = W x + b $$`
is a plain-text formula. Anything not listed in `MarkdownReader` is rejected with its line number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from lamplighter.lessons.part import (
    NUMBER_FORMS,
    LessonError,
    NumberForm,
    NumberName,
    NumberNameError,
    Span,
    SpanStyle,
    parse_number_name,
)
from lamplighter.lessons.view_query import ViewQueryError, parse_view_query

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline
    from markdown_it.tree import SyntaxTreeNode

MAX_SPANS = 60
"""Maximum spans of a paragraph, list item or cell."""
MAX_LINES = 8
"""Maximum items of a list."""
MAX_ROWS = 24
"""Maximum rows of a table, or items of a numbered list."""
MAX_COLUMNS = 4
MAX_FORMULA = 200
"""Maximum characters of a formula."""

BlockKind = Literal["title", "heading", "paragraph", "list", "numbered", "quote", "table", "formula"]
_KINDS: dict[str, BlockKind] = {
    "h1": "title",
    "h2": "heading",
    "bullet_list": "list",
    "ordered_list": "numbered",
}
_STYLES: dict[str, SpanStyle] = {"em": "emphasis", "strong": "strong"}
_FORMS: dict[str, NumberForm] = {form: form for form in NUMBER_FORMS}

_VIEW = re.compile(
    r"\[(?P<address>\?[^\[\]\s]*)\](?!\()|\[(?P<label>[^\[\]]+)\]\((?P<target>[^()\s]*)\)",
)
_NUMBER = re.compile(r"\{([^{}]+)\}")
_FORMULA = re.compile(r"\s*\$\$([^$]+)\$\$\s*")
_LEFT_OVER = re.compile(r"[*`\[\]{}<>]|\$\$")
_NO_SIGN = re.compile(r"[\\{}<>_^]")
_BETWEEN_CELLS = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True)
class MarkdownBlock:
    """A block of text, as rows of cells; only a table has more, its header first."""

    kind: BlockKind
    line: int
    rows: tuple[tuple[tuple[Span, ...], ...], ...]


class MarkdownReader:
    """A parser for the text of one file."""

    def __init__(self, file: str, *, with_places: bool = False) -> None:
        """Read text of `file`. `with_places`: True if a view may name its place in the course, and stand
        without words.
        """
        self._file, self._with_places = file, with_places

    def read_blocks(self, lines: Sequence[tuple[int, str]]) -> Iterator[MarkdownBlock]:
        """Yield the blocks of numbered lines; raise LessonError for something unsupported, or too many."""
        from markdown_it.tree import SyntaxTreeNode

        # Within braces a bar separates a number's name from its form; it does not separate cells.
        texts = [
            _NUMBER.sub(_escape_bars, text) if text.lstrip().startswith("|") else text for _, text in lines
        ]
        numbers = [number for number, _ in lines]
        for node in SyntaxTreeNode(_parser().parse("\n".join(texts))).children:
            yield from self._read_block(node, numbers, texts)

    def _read_block(
        self, node: SyntaxTreeNode, numbers: list[int], texts: list[str]
    ) -> Iterator[MarkdownBlock]:
        line = _line_of(node, numbers)
        match node.type:
            case "heading" if node.tag in _KINDS:
                yield MarkdownBlock(_KINDS[node.tag], line, ((self._read_spans(node.children[0], line),),))
            case "paragraph":
                yield MarkdownBlock("paragraph", line, ((self._read_paragraph(node, line),),))
            case "formula":
                yield MarkdownBlock(
                    "formula", line, (((Span("plain", self._read_formula(node.content, line)),),),)
                )
            case "bullet_list" | "ordered_list":
                entries = [(_line_of(entry, numbers), entry.children) for entry in node.children]
                kind = _KINDS[node.type]
                self._require_few(line, len(entries), MAX_LINES if kind == "list" else MAX_ROWS)
                yield MarkdownBlock(kind, line, tuple((self._read_only(*entry),) for entry in entries))
            case "blockquote":
                for inner in node.children:
                    at = _line_of(inner, numbers)
                    yield MarkdownBlock("quote", at, ((self._read_paragraph(inner, at),),))
            case "table":
                yield MarkdownBlock("table", line, tuple(self._read_rows(node, numbers, texts)))
            case _:
                raise self._error(line, "a heading is ## and its words")

    def _read_only(self, line: int, children: Sequence[SyntaxTreeNode]) -> tuple[Span, ...]:
        """Read a list item, which must be one paragraph."""
        if len(children) != 1:
            raise self._error(
                line, "an entry of a list is one paragraph: no list or other piece stands in it"
            )
        return self._read_paragraph(children[0], line)

    def _read_paragraph(self, node: SyntaxTreeNode, line: int) -> tuple[Span, ...]:
        if node.type != "paragraph":
            raise self._error(line, "a list or a quote has paragraphs and nothing else in it")
        spans = self._read_spans(node.children[0], line)
        if spans and spans[0].text.startswith("|"):
            raise self._error(line, "a table is a head, a line |---|---| and rows")
        return spans

    def _read_rows(
        self, table: SyntaxTreeNode, numbers: list[int], texts: list[str]
    ) -> Iterator[tuple[tuple[Span, ...], ...]]:
        rows = [row for part in table.children for row in part.children]
        columns = len(rows[0].children)
        self._require_few(_line_of(table, numbers), len(rows) - 1, MAX_ROWS)
        for row in rows:
            line = _line_of(row, numbers)
            written = texts[row.map[0] if row.map else 0].strip()
            ends = written.startswith("|") and written.endswith("|")
            if not ends or len(_BETWEEN_CELLS.findall(written)) != columns + 1 or columns > MAX_COLUMNS:
                raise self._error(
                    line,
                    f"a row begins and ends with |, and each has as many cells as the head, at most {MAX_COLUMNS}",
                )
            yield tuple(self._read_spans(cell.children[0], line) for cell in row.children)

    def _read_spans(self, inline: SyntaxTreeNode, line: int) -> tuple[Span, ...]:
        spans: list[Span] = []
        for piece in self._read_pieces(inline.children, "plain", line):
            last = spans[-1] if spans else None
            if last and _is_words(last) and _is_words(piece) and last.style == piece.style:
                spans[-1] = Span(piece.style, last.text + piece.text)
            else:
                spans.append(piece)
        for span in filter(_is_words, spans):
            self._require_clean(line, span.text)
        if len(spans) > MAX_SPANS:
            raise self._error(line, f"a paragraph has at most {MAX_SPANS} pieces: part it")
        return tuple(spans)

    def _read_pieces(self, nodes: Sequence[SyntaxTreeNode], style: SpanStyle, line: int) -> Iterator[Span]:
        for node in nodes:
            match node.type:
                case "text":
                    if node.content:
                        yield Span(style, node.content)
                case "softbreak" | "hardbreak":
                    yield Span(style, " ")
                case "number":
                    yield Span(style, "", None, *self.read_number(line, node.content))
                case "em" | "strong" if style == "plain":
                    yield from self._read_pieces(node.children, _STYLES[node.type], line)
                case "code_inline" if style == "plain":
                    yield Span("code", node.content)
                case "view" if style == "plain" and (node.content or self._with_places):
                    self._require_clean(line, node.content)
                    yield Span("plain", node.content, view=self.read_view(line, node.info))
                case _:
                    raise self._left_over(line, node.markup)

    def _read_formula(self, text: str, line: int) -> str:
        if len(text) > MAX_FORMULA:
            raise self._error(line, f"a formula has at most {MAX_FORMULA} characters: part it")
        if found := _NO_SIGN.search(text):
            raise self._error(
                line,
                f"{found.group()} cannot stand in a formula: it is plain text, such as m̂ = m / (1 − β₁ᵗ), with √ × Σ, a₁ and x²"
                " as they are",
            )
        return text

    def read_number(self, line: int, text: str) -> tuple[NumberName, NumberForm]:
        """Return the name and the form of a number between braces, `name|form`, or raise LessonError."""
        name, _, form = text.partition("|")
        known = _FORMS.get(form or "decimal")
        if known is None:
            raise self._error(
                line, f"a number has no form {form[:20]!r}; there are {', '.join(NUMBER_FORMS)}"
            )
        try:
            return parse_number_name(name), known
        except NumberNameError as error:
            raise self._error(line, str(error)) from error

    def read_view(self, line: int, query: str) -> str:
        """Return a view's query in the form in which it is opened, or raise LessonError."""
        try:
            parse_view_query(query, with_place=self._with_places)
        except ViewQueryError as error:
            raise self._error(line, str(error)) from error
        return query

    def _require_clean(self, line: int, text: str) -> None:
        if found := _LEFT_OVER.search(text):
            raise self._left_over(line, found.group())

    def _require_few(self, line: int, rows: int, most: int) -> None:
        if rows > most:
            raise self._error(
                line,
                f"a list has at most {MAX_LINES} entries, and {MAX_ROWS} rows if it is numbered or a table",
            )

    def _left_over(self, line: int, sign: str) -> LessonError:
        return self._error(
            line,
            f"{sign!r} stands alone: there is no HTML here, * and ` come in pairs and not within one another, a link is"
            " [words](?word=dog), a number {purity_10nn@0} and a formula a line of its own, $$ y = W x + b $$",
        )

    def _error(self, line: int, message: str) -> LessonError:
        return LessonError(self._file, line, message)


def _is_words(span: Span) -> bool:
    return span.number is None and span.view is None and span.style != "code"


def _line_of(node: SyntaxTreeNode, numbers: list[int]) -> int:
    return numbers[node.map[0] if node.map else 0]


def _escape_bars(found: re.Match[str]) -> str:
    return found.group().replace("|", r"\|")


@cache
def _parser() -> MarkdownIt:
    # Imported here, because only the course needs it.
    from markdown_it import MarkdownIt

    parser = MarkdownIt("zero").enable(
        ["heading", "list", "blockquote", "table", "emphasis", "backticks", "newline"]
    )
    parser.block.ruler.before("paragraph", "formula", _formula, {"alt": ["paragraph", "list", "blockquote"]})
    parser.inline.ruler.push("view", _view)
    parser.inline.ruler.push("number", _number)
    return parser


def _formula(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Parse a line that is a formula; a block rule of markdown-it."""
    found = _FORMULA.fullmatch(state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]])
    if found and not silent:
        state.line = start + 1
        token = state.push("formula", "", 0)
        token.content, token.map = found[1].strip(), [start, start + 1]
    return found is not None


def _view(state: StateInline, silent: bool) -> bool:
    """Parse a link to a view; an inline rule of markdown-it."""
    found = _VIEW.match(state.src, state.pos)
    if found and not silent:
        token = state.push("view", "", 0)
        token.markup, token.content = "[", " ".join((found["label"] or "").split())
        token.info = found["address"] or found["target"] or ""
    state.pos = found.end() if found else state.pos
    return found is not None


def _number(state: StateInline, silent: bool) -> bool:
    """Parse a number's name; an inline rule of markdown-it."""
    found = _NUMBER.match(state.src, state.pos)
    if found and not silent:
        state.push("number", "", 0).content = found[1]
    state.pos = found.end() if found else state.pos
    return found is not None
