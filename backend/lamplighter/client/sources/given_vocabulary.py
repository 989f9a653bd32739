"""The names of an embedding's rows, from a file, a folder, a tokeniser, or tokens by id."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, SupportsIndex, cast

import numpy as np

from lamplighter.client.errors import InputError
from lamplighter.client.sources.folder_files import has_file, locate_file, read_text_file
from lamplighter.client.sources.tokeniser_files import (
    VocabularySource,
    decode_byte_level,
    is_tokeniser,
    pad_tokens,
    read_tokeniser,
)
from lamplighter.client.sources.vocabulary_files import (
    MAX_BYTES,
    make_vocabulary,
    parse_table,
    read_vocabulary,
    unequal,
)
from lamplighter.wire.vocabulary import Vocabulary

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
