"""The text of a stage: a small part of Markdown, as a tree of two levels. There is no HTML in it, and only formulas are nested.

Paragraphs are parted by empty lines; lines that begin with `- ` are a list; a line `$$ y = W x + b $$` is a formula. Within them stand `*emphasis*`, `**strong**`,
`` `code` ``, `[words](?word=dog)`, which opens a view of the app, and `{name|form}`, a number. Where a view may name its place in
the course, `[?lesson=1.2]` is a view whose address is written out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lamplighter.lessons.formula import FormulaError, parse_formula, write_formula
from lamplighter.lessons.number_name import NumberNameError, parse_number_name
from lamplighter.lessons.part import (
    NUMBER_FORMS,
    LessonError,
    NamedNumber,
    NumberForm,
    Span,
    SpanStyle,
    TextBlock,
)
from lamplighter.lessons.view_query import ViewQueryError, parse_view_query

MAX_SPANS = 60
"""Most pieces of a paragraph or an entry of a list."""
MAX_BLOCKS = 12
"""Most paragraphs, lists and formulas of a stage."""
MAX_LINES = 8
"""Most entries of a list."""

_TOKEN = re.compile(
    r"\[(?P<address>\?[^\[\]\s]*)\](?!\()|"
    r"\*\*(?=\S)(?P<strong>[^*]+)(?<=\S)\*\*|\*(?=\S)(?P<emphasis>[^*]+)(?<=\S)\*|`(?P<code>[^`]+)`"
    r"|\[(?P<label>[^\[\]]+)\]\((?P<target>[^()\s]*)\)|\{(?P<number>[^{}]+)\}"
)
_LEFT_OVER = re.compile(r"[*`\[\]{}<>]|\$\$")
_FORMULA = re.compile(r"\$\$(?P<formula>[^$]+)\$\$")
_FORMS: dict[str, NumberForm] = {form: form for form in NUMBER_FORMS}
_NUMBER = re.compile(r"\{([^{}]+)\}")


class MarkdownReader:
    """A reader of the lines of one file."""

    def __init__(self, file: str, *, with_places: bool = False) -> None:
        """Read lines of `file`, a name for messages.

        Args:
            file: the name.
            with_places: True: a view may name its place in the course, and stand without words.
        """
        self._file, self._with_places = file, with_places

    def read_blocks(self, lines: Sequence[tuple[int, str]]) -> tuple[TextBlock, ...]:
        """Return the paragraphs, lists and formulas of numbered lines.

        Raises:
            LessonError: something in them is none of what may stand there, or they are too many.
        """
        blocks: list[TextBlock] = []
        gathered: list[tuple[int, str]] = []
        entries: list[tuple[Span, ...]] = []

        def end() -> None:
            if gathered:
                spans = self.read_spans(gathered[0][0], " ".join(text for _, text in gathered))
                if entries_open:
                    entries.append(spans)
                else:
                    blocks.append(TextBlock("paragraph", (spans,)))
                gathered.clear()

        def end_list() -> None:
            if entries:
                blocks.append(TextBlock("list", tuple(entries)))
                entries.clear()

        entries_open = False
        for number, line in lines:
            text = line.strip()
            if not text:
                end()
                end_list()
                entries_open = False
            elif found := _FORMULA.fullmatch(text):
                end()
                end_list()
                entries_open = False
                blocks.append(self.read_formula(number, found["formula"]))
            elif text.startswith("- "):
                end()
                if not entries_open:
                    end_list()
                entries_open = True
                gathered.append((number, text[2:].strip()))
            else:
                gathered.append((number, text))
            if len(blocks) > MAX_BLOCKS or len(entries) > MAX_LINES:
                raise self._too_long(number)
        end()
        end_list()
        if len(blocks) > MAX_BLOCKS:
            raise self._too_long(lines[-1][0])
        return tuple(blocks)

    def _too_long(self, line: int) -> LessonError:
        return LessonError(
            self._file,
            line,
            f"at most {MAX_BLOCKS} paragraphs stand in one place, and at most {MAX_LINES} entries in a list: make it shorter",
        )

    def read_spans(self, line: int, text: str) -> tuple[Span, ...]:
        """Return the pieces of a paragraph that begins at a line.

        Raises:
            LessonError: a sign is left over, a number or a view does not exist, or there are too many pieces.
        """
        spans: list[Span] = []
        position = 0
        for found in _TOKEN.finditer(text):
            self._add_plain(spans, line, text[position : found.start()])
            position = found.end()
            fields = found.groupdict()
            if fields["number"] is not None:
                spans.append(Span("plain", "", number=self.read_number(line, fields["number"])))
            elif fields["address"] is not None:
                if not self._with_places:
                    self._require_clean(line, found.group())
                spans.append(Span("plain", "", view=self.read_view(line, fields["address"])))
            elif fields["label"] is not None:
                self._require_clean(line, fields["label"])
                spans.append(Span("plain", fields["label"], view=self.read_view(line, fields["target"])))
            elif fields["code"] is not None:
                spans.append(Span("code", fields["code"]))
            elif fields["strong"] is not None:
                self._add_styled(spans, line, "strong", fields["strong"])
            else:
                self._add_styled(spans, line, "emphasis", fields["emphasis"])
            if len(spans) > MAX_SPANS:
                raise LessonError(self._file, line, f"a paragraph has at most {MAX_SPANS} pieces: part it")
        self._add_plain(spans, line, text[position:])
        return tuple(spans)

    def read_formula(self, line: int, text: str) -> TextBlock:
        """Return the block of a formula.

        Raises:
            LessonError: it is none.
        """
        try:
            formula = parse_formula(text)
        except FormulaError as error:
            raise LessonError(self._file, line, str(error)) from error
        return TextBlock("formula", ((Span("plain", write_formula(formula)),),), formula)

    def read_number(self, line: int, text: str) -> NamedNumber:
        """Return the number that stands between braces: a name and, after a bar, its form.

        Raises:
            LessonError: there is no such number or form.
        """
        name, _, form = text.partition("|")
        known = _FORMS.get(form or "decimal")
        if known is None:
            raise LessonError(
                self._file, line, f"a number has no form {form[:20]!r}; there are {', '.join(NUMBER_FORMS)}"
            )
        try:
            return NamedNumber(parse_number_name(name), known)
        except NumberNameError as error:
            raise LessonError(self._file, line, str(error)) from error

    def read_view(self, line: int, query: str) -> str:
        """Return a view's query as it may be opened.

        Raises:
            LessonError: it is no view of the app.
        """
        try:
            parse_view_query(query, with_place=self._with_places)
        except ViewQueryError as error:
            raise LessonError(self._file, line, str(error)) from error
        return query

    def _add_plain(self, spans: list[Span], line: int, text: str) -> None:
        if text:
            self._require_clean(line, text)
            spans.append(Span("plain", text))

    def _add_styled(self, spans: list[Span], line: int, style: SpanStyle, text: str) -> None:
        """Add words in one style, with the numbers among them."""
        for place, piece in enumerate(_NUMBER.split(text)):
            if place % 2:
                spans.append(Span(style, "", number=self.read_number(line, piece)))
            elif piece:
                self._require_clean(line, piece)
                spans.append(Span(style, piece))

    def _require_clean(self, line: int, text: str) -> None:
        if found := _LEFT_OVER.search(text):
            raise LessonError(
                self._file,
                line,
                f"{found.group()!r} stands alone: there is no HTML here, * and ` come in pairs, a link is [words](?word=dog),"
                " a number {purity_10nn@0} and a formula a line of its own, $$ y = W x + b $$",
            )
