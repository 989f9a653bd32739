"""Extraction of English prose from docstrings: code, tables, markup and signatures are removed."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

_MIN_WORDS = 6
"""Minimum words of a paragraph; shorter ones are headings, types and names."""
_PLAIN_SHARE = 0.75
"""Minimum share of plain words, not code, in a paragraph."""

_UNDERLINE = re.compile(r"\s*([=\-~^\"'*#+`.])\1{2,}[\s=\-~^+|]*")
_DIRECTIVE = re.compile(r"\s*\.\. ?(?P<name>[\w:\-]*)")
_ADMONITIONS = (
    "note",
    "warning",
    "versionadded",
    "versionchanged",
    "deprecated",
    "seealso",
    "tip",
    "important",
)
_PARAMETER = re.compile(
    r"\s*(?:\*{0,2}[\w.,\s*`'\"|]{1,60}\s:\s|[:@](?:param|type|return|rtype|raises|arg|keyword)\b[^:]*:|"
    r"\*{0,2}[\w`]{1,40}\s*\([^)]*\)\s*:)"
)
_BULLET = re.compile(r"\s*(?:[-*+•]|\(?\w{1,2}[.)])\s+")
_ROLE = re.compile(r":[\w:+.\-]+:`~?\.?([^`<]*?)(?:\s*<[^>]*>)?`")
_LINK = re.compile(r"`([^`<]*?)\s*<[^>]*>`_{0,2}")
_TICKS = re.compile(r"`{1,2}([^`]*)`{1,2}_{0,2}")
_FOOTNOTE = re.compile(r"\s*\[[\w#*]{1,12}\]_")
_MATH = re.compile(r":math:`[^`]*`|\$[^$]*\$|\\\([^)]*\\\)")
_STARS = re.compile(r"\*{1,2}([^*\s](?:[^*]*[^*\s])?)\*{1,2}")
_ADDRESS = re.compile(r"<?(?:https?|ftp)://\S+")
_PLAIN = re.compile(r"[(\"'“]*[A-Za-z][a-z'’\-]*[)\"'”]*[.,;:!?]*|[0-9]+[.,]?|[A-Z]{2,5}s?[.,;:]?")
_SKIPPED_SECTIONS = frozenset({"references", "see also", "methods", "attributes", "routine listings"})


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _text_lines(docstring: str) -> Iterator[str]:
    """Yield the lines that may be prose, with an empty line after each paragraph."""
    lines = inspect.cleandoc(docstring).splitlines()
    block: int | None = None  # indent of the line that opened a block of code, maths or a table
    skipping = False  # inside a section that is a list of names
    index = 0
    while index < len(lines):
        line = lines[index]
        following = lines[index + 1] if index + 1 < len(lines) else ""
        index += 1
        if not line.strip():
            yield ""
            continue
        if block is not None:
            if _indent(line) > block:
                continue
            block = None
        if line.strip() and _indent(following) == _indent(line) and _UNDERLINE.fullmatch(following):
            skipping = line.strip().lower() in _SKIPPED_SECTIONS
            index += 1
            yield ""
            continue
        if skipping or _UNDERLINE.fullmatch(line):
            yield ""
            continue
        if line.lstrip().startswith(">>>"):
            while index < len(lines) and lines[index].strip():
                index += 1
            yield ""
            continue
        directive = _DIRECTIVE.match(line)
        if directive:
            yield ""
            if directive["name"].rstrip(":") not in _ADMONITIONS:
                block = _indent(line)
            continue
        if _PARAMETER.match(line):
            yield ""
            described = line.split(" : ", 1)[0] if " : " in line else line
            _, colon, rest = described.partition("):")
            if colon and len(rest.split()) >= _MIN_WORDS:
                yield rest
            continue
        if _BULLET.match(line):
            yield ""
            line = _BULLET.sub("", line, count=1)
        if line.rstrip().endswith("::"):
            block = _indent(line)
            yield line.rstrip()[:-1]
            yield ""
            continue
        yield line


def _without_markup(text: str) -> str:
    text = _MATH.sub("", text)
    text = _ROLE.sub(r"\1", text)
    text = _LINK.sub(r"\1", text)
    text = _TICKS.sub(lambda found: found[1].lstrip("~"), text)
    text = _FOOTNOTE.sub("", text)
    text = _ADDRESS.sub("", text)
    text = _STARS.sub(r"\1", text)
    return " ".join(text.split())


def _is_prose(text: str) -> bool:
    words = text.split()
    if len(words) < _MIN_WORDS or text[-1] not in ".!?:":
        return False
    plain = sum(1 for word in words if _PLAIN.fullmatch(word))
    return plain >= _PLAIN_SHARE * len(words)


def extract_prose(docstring: str) -> list[str]:
    """Return the paragraphs of a docstring that read as English, each on one line.

    Removes doctests, code and maths blocks, directives, tables, headings, `name : type` lines, lists of names
    (References, See Also), and the markup of roles, links and emphasis. Keeps a paragraph if it is a sentence of at
    least six words, three quarters of them plain words.
    """
    kept: list[str] = []
    lines: list[str] = []
    for line in [*_text_lines(docstring), ""]:
        if line.strip():
            lines.append(line.strip())
        elif lines:
            text = _without_markup(" ".join(lines))
            if text and _is_prose(text):
                kept.append(text)
            lines = []
    return kept
