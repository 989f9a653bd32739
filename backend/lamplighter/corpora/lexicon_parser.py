"""The parser of Lamptown's lexicon: tables, classes, families, relations and the sentences of each topic.

The files in `lexicon/` are plain text. `[table animal sg=animals pl=animals_plural prep]` starts a table whose columns
are planted classes (a column without `=` is not one); each line below is a row of related words, the most frequent row
first. `[class colours]` starts a class without rows. `[topic animals 2]` starts a topic's sentences (with twice the
number of documents that its size would give it). Their slots: `{colours}` is a word of a class, `{animal.sg}` a column
of the current row, `{animal2.sg}` of another row. A sentence with a slot `.mf` stands for two: one with the row's `m`
and he, his, him, the other with its `f` and she, her, her. So does one with a slot `.ab`, for the two words of a
kindred row, `a` and `b`. `[relation plural animal.sg animal.pl]` plants pairs, `[homonym spring weather vehicles]`
names a word with a different meaning in each of two topics. `[family people]` starts a family of classes, one per line,
each with its displayed name (`peoples: nationalities`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources

_HEADER = re.compile(r"\[(table|class|topic|relation|homonym|family) ([^\]]+)\]")
_SLOT = re.compile(r"\{(?P<stem>[a-z_]+)(?P<other>2?)(?:\.(?P<column>[a-z]+))?\}")
_HE = {"(he)": "he", "(his)": "his", "(him)": "him", "(himself)": "himself"}
_SHE = {"(he)": "she", "(his)": "her", "(him)": "her", "(himself)": "herself"}


@dataclass(frozen=True)
class SentenceSlot:
    """A slot of a sentence: a word of a class, or a column of one of the rows a document uses."""

    source: str
    """Name of the class or the table."""
    row_index: int
    """0 for the current row, 1 for another row of the same table."""
    column: int | None
    """Column of the table; None for a class."""


Sentence = tuple[str | SentenceSlot, ...]
Pattern = tuple[Sentence, ...]
"""The versions of a sentence: one, or two for a gendered slot, or two for a slot of kindred words."""


@dataclass(frozen=True)
class LexiconTable:
    """Rows of related words, the most frequent row first."""

    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]


@dataclass
class Lexicon:
    """The word lists and sentence patterns of Lamptown."""

    classes: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """The planted classes, including those of tables, with their words, each once."""
    tables: dict[str, LexiconTable] = field(default_factory=dict[str, LexiconTable])
    topics: dict[str, list[Pattern]] = field(default_factory=dict[str, list[Pattern]])
    topic_emphasis: dict[str, float] = field(default_factory=dict[str, float])
    """Factor on the number of a topic's documents, relative to its size."""
    relations: dict[str, list[tuple[str, str]]] = field(default_factory=dict[str, list[tuple[str, str]]])
    """Pairs of words, by the relation's name."""
    homonyms: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    """Words with two meanings, and the two topics in which they are planted."""
    families: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Families of classes: name to classes."""
    class_names: dict[str, str] = field(default_factory=dict[str, str])
    """The displayed name of each class."""

    def words(self) -> frozenset[str]:
        """Return all words of the generated text, and the sign for unknown words."""
        words = {word for members in self.classes.values() for word in members} | {"a", "an", "<unk>"}
        for patterns in self.topics.values():
            for sentence in (sentence for pattern in patterns for sentence in pattern):
                words.update(piece for piece in sentence if isinstance(piece, str))
        return frozenset(words)


def _parse_sentence(line: str, tables: dict[str, LexiconTable]) -> Sentence:
    parts: list[str | SentenceSlot] = []
    for word in line.split():
        match = _SLOT.fullmatch(word)
        if match is None:
            parts.append(word)
            continue
        stem, column = match["stem"], match["column"]
        index = None if column is None else tables[stem].columns.index(column)
        parts.append(SentenceSlot(stem, 1 if match["other"] else 0, index))
    return tuple(parts)


def _gender_versions(line: str) -> list[str]:
    if ".mf}" not in line:
        return [line]
    versions: list[str] = []
    for column, pronouns in ((".m}", _HE), (".f}", _SHE)):
        version = line.replace(".mf}", column)
        for mark, pronoun in pronouns.items():
            version = version.replace(mark, pronoun)
        versions.append(version)
    return versions


def _sentence_versions(line: str) -> list[str]:
    kindred = [line.replace(".ab}", column) for column in (".a}", ".b}")] if ".ab}" in line else [line]
    return [version for sentence in kindred for version in _gender_versions(sentence)]


def _read_sections() -> list[tuple[str, list[str], list[str]]]:
    """Read every section of every file: its kind, the words of its header, its lines."""
    sections: list[tuple[str, list[str], list[str]]] = []
    folder = resources.files(__package__ or "lamplighter.corpora") / "lexicon"
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".txt"):
            continue
        for raw in file.read_text(encoding="utf-8").splitlines():
            line = raw.strip()
            if not line or line.startswith("#"):
                continue
            header = _HEADER.fullmatch(line)
            if header:
                sections.append((header[1], header[2].split(), []))
            else:
                sections[-1][2].append(line)
    return sections


def add_table(lexicon: Lexicon, header: Sequence[str], rows: list[tuple[str, ...]]) -> None:
    """Add a table and the classes of its columns; `header`: the words of its section's header."""
    named = [column.partition("=") for column in header[1:]]
    lexicon.tables[header[0]] = LexiconTable(tuple(column for column, _, _ in named), rows)
    for index, (_, _, name) in enumerate(named):
        if name:
            words = lexicon.classes.setdefault(name, [])
            words.extend(dict.fromkeys(row[index] for row in rows if row[index] not in words))


def add_topic(lexicon: Lexicon, header: Sequence[str], lines: Sequence[str]) -> None:
    """Add a topic's sentences; `header`: the words of its section's header."""
    lexicon.topics[header[0]] = [
        tuple(_parse_sentence(version, lexicon.tables) for version in _sentence_versions(line))
        for line in lines
    ]
    lexicon.topic_emphasis[header[0]] = float(header[1]) if len(header) > 1 else 1.0


def read_lexicon() -> Lexicon:
    lexicon = Lexicon()
    sections = _read_sections()
    for kind, header, lines in sections:
        if kind == "table":
            add_table(lexicon, header, [tuple(line.split()) for line in lines])
        elif kind == "class":
            lexicon.classes[header[0]] = " ".join(lines).split()
        elif kind == "homonym":
            lexicon.homonyms[header[0]] = (header[1], header[2])
        elif kind == "family":
            names = dict(line.split(": ") for line in lines)
            lexicon.families[" ".join(header)] = list(names)
            lexicon.class_names |= names
    for kind, header, lines in sections:
        if kind == "topic":
            add_topic(lexicon, header, lines)
        elif kind == "relation":
            (left, left_column), (right, right_column) = (end.split(".") for end in header[1:])
            table = lexicon.tables[left]
            if left != right:
                raise ValueError(f"relation {header[0]} joins two tables: {left}, {right}")
            a, b = table.columns.index(left_column), table.columns.index(right_column)
            pairs = lexicon.relations.setdefault(header[0], [])
            pairs.extend(dict.fromkeys((row[a], row[b]) for row in table.rows))
    return lexicon
