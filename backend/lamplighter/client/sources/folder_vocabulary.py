"""The vocabulary beside an embedding: a tokeniser's files, or the labels of the Embedding Projector."""

from __future__ import annotations

from pathlib import Path

from lamplighter.client.errors import InputError
from lamplighter.client.sources.folder_files import has_file, locate_file, read_text_file
from lamplighter.client.sources.tokeniser_files import decode_byte_level
from lamplighter.client.sources.vocabulary_files import (
    MAX_BYTES,
    make_vocabulary,
    parse_table,
    read_vocabulary,
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
