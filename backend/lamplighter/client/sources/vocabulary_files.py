"""Vocabularies of runs from lists and files, and the names of an embedding's rows, from a file, a folder, a tokeniser, or
tokens by id.

A file's content is untrusted: sizes are bounded, and nothing in it is ever executed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, SupportsIndex, cast

import numpy as np

from lamplighter.client.errors import InputError, whole_number
from lamplighter.client.sources.folder_files import has_file, locate_file, read_text_file, require_plain_file
from lamplighter.client.sources.tokeniser_files import (
    VocabularySource,
    decode_byte_level,
    is_tokeniser,
    is_tokeniser_json,
    pad_tokens,
    parse_tokeniser,
    read_tokeniser,
)
from lamplighter.wire.binary import MAX_VOCABULARY
from lamplighter.wire.vocabulary import MAX_NAMES_BYTES, Vocabulary

MAX_BYTES = 256 << 20
MAX_CHARACTERS = 1_000
"""Maximum characters in one token, which the page has to show."""
MAX_CLASSES = 4_096
FEWEST_TOKENS = 3


def make_vocabulary(
    tokens: Iterable[object] | Mapping[str, SupportsIndex] | VocabularySource,
    *,
    counts: Sequence[int] | None = None,
    classes: Mapping[str, Iterable[str | int]] | None = None,
    where: str = "vocabulary",
) -> Vocabulary:
    """Return a vocabulary of tokens given by id.

    Args:
        tokens: texts in the order of their ids; or a mapping of token to id, in any order, whose ids are 0 to V - 1,
            each once; or a tokeniser of `tokenizers` or `transformers`.
        counts: occurrences of each token in the text, if known; shape (V,).
        classes: known groups of tokens: a mapping of name to tokens or ids. A token is in at most one.
        where: begins the messages.
    """
    if is_tokeniser(tokens):
        tokens = read_tokeniser(tokens)
    elif isinstance(tokens, Mapping):
        tokens = _by_id(cast("Mapping[Any, Any]", tokens), where)
    elif isinstance(tokens, set | frozenset):
        raise InputError(
            f"{where}: a set has no order, so its tokens have no ids: give a list, or token to id"
        )
    if not isinstance(tokens, Iterable) or isinstance(tokens, str | bytes):
        raise InputError(f"{where}: a list of tokens is needed, or token to id, not {type(tokens).__name__}")
    texts: list[str] = []
    for number, token in enumerate(cast("Iterable[object]", tokens)):
        if number >= MAX_VOCABULARY:
            raise InputError(f"{where}: more than {MAX_VOCABULARY:,} tokens")
        texts.append(_check_text(token, f"{where}: token {number}"))
    if len(texts) < FEWEST_TOKENS:
        raise InputError(f"{where}: {len(texts)} tokens are too few for a map; at least {FEWEST_TOKENS}")
    numbers = np.zeros(len(texts), dtype=np.int64)
    if counts is not None:
        if len(counts) != len(texts):
            raise InputError(f"{where}: {len(counts)} counts for {len(texts)} tokens")
        try:
            numbers = np.array(counts, dtype=np.int64)
        except (TypeError, ValueError, OverflowError) as error:
            raise InputError(f"{where}: the counts are not whole numbers") from error
        if numbers.shape != (len(texts),) or bool((numbers < 0).any()):
            raise InputError(f"{where}: the counts must be one number per token, none below 0")
    vocabulary = Vocabulary(tuple(texts), numbers, _classes(texts, classes or {}, where))
    if (size := vocabulary.bytes_of_names()) > MAX_NAMES_BYTES:
        raise InputError(
            f"{where}: the names of its classes take {size:,} bytes, and every viewer gets them: at most"
            f" {MAX_NAMES_BYTES:,} are allowed, so give fewer classes or shorter names"
        )
    return vocabulary


def read_vocabulary(path: str | os.PathLike[str]) -> Vocabulary:
    """Return the vocabulary in a UTF-8 file.

    The file's ending decides the format: `.json`, a list of tokens, an object of token to id, or a `tokenizer.json`;
    `.tsv`, or any file whose first line is a header with `token` among its columns, a table (`parse_table`); anything
    else, one token a line.
    """
    path = Path(path)
    try:
        require_plain_file(path)
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InputError(f"{path.name}: {size:,} bytes are more than a vocabulary may have")
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name}: not UTF-8 at byte {error.start}") from error
    except OSError as error:
        raise InputError(f"{path.name}: {error.strerror or error}") from error
    if path.suffix.lower() == ".json":
        return make_vocabulary(_from_json(text, path.name), where=path.name)
    # Not `splitlines`: a token may contain a Unicode line separator.
    lines = [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]
    header = lines[0].split("\t")
    if "token" in header and (len(header) > 1 or path.suffix.lower() == ".tsv"):
        return parse_table(header, lines[1:], path.name)
    return make_vocabulary(lines, where=path.name)


def _from_json(text: str, where: str) -> list[Any]:
    try:
        data: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not JSON: {error}") from error
    if is_tokeniser_json(data):
        return parse_tokeniser(data, where)
    if isinstance(data, dict):
        return _by_id(cast("dict[Any, Any]", data), where)
    if not isinstance(data, list):
        raise InputError(f"{where}: a vocabulary in JSON is a list of tokens, or an object of token to id")
    return data


def _by_id(ids: Mapping[Any, Any], where: str) -> list[Any]:
    if ids and all(isinstance(token, str) for token in ids.values()):
        raise InputError(
            f"{where}: a mapping goes from token to id; this one goes from id to token: invert it"
        )
    by_id: dict[int, Any] = {}
    for token, given in ids.items():
        number = whole_number(given, f"{where}: each token needs a unique id; that of {str(token)[:80]!r}")
        if number in by_id:
            raise InputError(
                f"{where}: each token needs a unique id; {str(by_id[number])[:80]!r} and {str(token)[:80]!r}"
                f" both have {number}"
            )
        by_id[number] = token
    missing = next((number for number in range(len(by_id)) if number not in by_id), None)
    if missing is not None:
        raise InputError(
            f"{where}: each token needs a unique id, from 0 without gaps; none of the {len(by_id):,} has"
            f" {missing}, and the largest is {max(by_id)}: add a placeholder for each missing id, like"
            f" '[unused{missing}]'"
        )
    return [by_id[number] for number in range(len(by_id))]


def unequal(rows: int, tokens: int) -> str:
    """Return advice for a matrix of `rows` rows whose vocabulary has another number of tokens."""
    if rows > tokens:
        return (
            f"add a placeholder for each row without a token, like '[unused{tokens}]', or give only the first"
            f" {tokens:,} rows"
        )
    return f"omit the tokens from id {rows:,}, or give a matrix with a row for each"


def parse_table(header: list[str], lines: list[str], where: str, *, no_class: str = "") -> Vocabulary:
    """Return the vocabulary in a tab-separated table, whose `lines` are by id. Of the columns in its header
    `token` is required; `class` groups the tokens (empty, or `no_class`: none), and `count` is the number of
    occurrences."""
    token_column = header.index("token")
    class_column = header.index("class") if "class" in header else None
    count_column = header.index("count") if "count" in header else None
    tokens: list[str] = []
    classes: dict[str, list[int]] = {}
    counts: list[int] = []
    for number, line in enumerate(lines):
        cells = line.split("\t")
        if len(cells) != len(header):
            raise InputError(f"{where}: line {number + 2} has {len(cells)} columns, the header {len(header)}")
        tokens.append(cells[token_column])
        if class_column is not None and cells[class_column] not in ("", no_class):
            classes.setdefault(cells[class_column], []).append(number)
        if count_column is not None and cells[count_column].isdecimal() and len(cells[count_column]) < 19:
            counts.append(int(cells[count_column]))
    # If a count is invalid or missing, the column means something else.
    known = counts if count_column is not None and len(counts) == len(tokens) else None
    return make_vocabulary(tokens, counts=known, classes=classes, where=where)


def _check_text(token: object, where: str) -> str:
    if not isinstance(token, str):
        raise InputError(f"{where} is not a text but {type(token).__name__}")
    if len(token) > MAX_CHARACTERS:
        raise InputError(f"{where} has {len(token):,} characters; at most {MAX_CHARACTERS:,}")
    try:
        token.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(f"{where} is not text: it holds half of a surrogate pair") from error
    return token


def _classes(
    tokens: list[str], classes: Mapping[str, Iterable[str | int]], where: str
) -> dict[str, tuple[int, ...]]:
    if len(classes) > MAX_CLASSES:
        raise InputError(f"{where}: {len(classes):,} classes are more than {MAX_CLASSES:,}")
    id_of = {token: number for number, token in reversed(list(enumerate(tokens)))} if classes else {}
    class_of: dict[int, str] = {}
    resolved: dict[str, tuple[int, ...]] = {}
    for name, members in classes.items():
        _check_text(name, f"{where}: the name of a class")
        ids: set[int] = set()
        for member in members:
            if isinstance(member, str):
                number = id_of.get(member, -1)
            else:
                number = whole_number(member, f"{where}: a token of class {name[:80]!r}", least=None)
            if not 0 <= number < len(tokens):
                raise InputError(f"{where}: {str(member)[:80]!r} of class {name[:80]!r} is not a token")
            if class_of.setdefault(number, name) != name:
                raise InputError(f"{where}: {tokens[number][:80]!r} is in two classes")
            ids.add(number)
        resolved[name] = tuple(sorted(ids))
    return resolved


_LABELS = ("token", "word", "label", "name", "title", "text", "key")
"""Names of the token column of a table, in any case; without one, the first column."""


def find_folder_vocabulary(folder: Path) -> Vocabulary | None:
    """Return the vocabulary in `tokenizer.json`, `vocab.json` or `vocab.txt` of a model folder; None if it has none.

    For a folder `checkpoint-500`, also search the parent folder, where the Trainer saves it once.
    """
    path = locate_folder_vocabulary(folder)
    return None if path is None else read_tokeniser_file(path)


def locate_folder_vocabulary(folder: Path) -> Path | None:
    for place in (folder, folder.parent) if folder.name.startswith("checkpoint") else (folder,):
        for name in ("tokenizer.json", "vocab.json", "vocab.txt"):
            if has_file(place, name):
                return locate_file(place, name)
    return None


def read_tokeniser_file(path: Path) -> Vocabulary:
    found = read_vocabulary(path)
    if path.name == "vocab.json" and has_file(path.parent, "merges.txt"):
        # GPT-2's files from before tokenizer.json: its pieces are bytes.
        return make_vocabulary(decode_byte_level(list(found.tokens)), where=path.name)
    return found


def read_labels(path: Path, rows: int) -> Vocabulary:
    """Return the vocabulary in a `metadata.tsv`: one label per line, or a table with a header. `rows`: V; a
    single column has a header if it has one extra line."""
    text = read_text_file(path, MAX_BYTES)
    lines = [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]
    header = lines[0].split("\t")
    if len(header) == 1:
        return make_vocabulary(lines[1:] if len(lines) == rows + 1 else lines, where=path.name)
    if len(lines) != rows + 1:
        raise InputError(f"{path.name}: {len(lines) - 1:,} labels below its header, but {rows:,} vectors")
    lower = [column.strip().lower() for column in header]
    label = next((lower.index(name) for name in _LABELS if name in lower), 0)
    names = ["token" if at == label else name if name != "token" else "" for at, name in enumerate(lower)]
    # Our export writes the word, because the projector hides empty cells.
    return parse_table(names, lines[1:], path.name, no_class="none")


GivenVocabulary = (
    Vocabulary | str | os.PathLike[str] | Iterable[str] | Mapping[str, SupportsIndex] | VocabularySource
)
"""A vocabulary in any form: a file, a folder, a tokeniser, tokens by id, token to id."""


def read_given_vocabulary(given: Any, where: str = "vocabulary") -> tuple[Vocabulary, bool]:
    """Return a given vocabulary, and whether it is a tokeniser's, whose matrix is often padded. `where`
    begins the messages about a vocabulary in memory."""
    if isinstance(given, Vocabulary):
        return given, False
    if isinstance(given, str | os.PathLike):
        path = Path(cast("str | os.PathLike[str]", given))
        if path.is_dir():
            found = find_folder_vocabulary(path)
            if found is None:
                raise InputError(f"{path.name}: a folder without tokenizer.json, vocab.json or vocab.txt")
            return found, True
        return read_vocabulary(path), path.name == "tokenizer.json"
    if is_tokeniser(given):
        return make_vocabulary(read_tokeniser(given), where="tokenizer"), True
    if not isinstance(given, Iterable):
        raise InputError(
            f"{where}: give a tokeniser of transformers, tokenizers or tiktoken, a list of tokens, a mapping of token to id,"
            f" or the path of a file with them; this is of type {type(given).__name__}"
        )
    return make_vocabulary(cast("Iterable[object]", given), where=where), False


def name_rows(tokenizer: Any, rows: int) -> Vocabulary:
    """Return a vocabulary with a name for each row of a model's embedding, of which `rows` may be more than
    tokens. Without a tokenizer the rows are named by their ids."""
    if tokenizer is None:
        return make_vocabulary([str(number) for number in range(rows)])
    vocabulary, _ = read_given_vocabulary(tokenizer, "tokenizer")
    if len(vocabulary) > rows:
        raise InputError(
            f"tokenizer: {len(vocabulary):,} tokens, but the embedding has {rows:,} rows: does it belong to another model? If"
            " not, call model.resize_token_embeddings first, or give a list of the tokens with a row"
        )
    return pad_vocabulary(vocabulary, rows)


def fit_rows(vocabulary: Vocabulary, rows: int, where: str, *, padded: bool) -> Vocabulary:
    """Return a vocabulary with a name for each row of a matrix, which may have more rows than tokens if
    padded."""
    size = len(vocabulary)
    if size > rows or (size < rows and not padded):
        raise InputError(
            f"{where}: {rows:,} rows, but the vocabulary has {size:,} tokens; the numbers must be equal:"
            f" {unequal(rows, size)}"
        )
    return pad_vocabulary(vocabulary, rows)


def pad_vocabulary(vocabulary: Vocabulary, rows: int) -> Vocabulary:
    """Return a vocabulary with a name, "(unused 50257)", for each further row of a padded matrix."""
    missing = rows - len(vocabulary)
    if missing == 0:
        return vocabulary
    counts = np.append(vocabulary.counts, np.zeros(missing, dtype=np.int64))
    return replace(vocabulary, tokens=tuple(pad_tokens(list(vocabulary.tokens), rows)), counts=counts)
