"""A check of checkpoints where they lie, read in blocks, without making a run of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, SupportsIndex

from lamplighter.client.errors import InputError
from lamplighter.client.histories.history_check import HistoryCheck
from lamplighter.client.histories.report import HistoryReport
from lamplighter.client.histories.table_summary import split_rows
from lamplighter.client.sources.array_files import map_npy, to_float32
from lamplighter.client.sources.checkpoint_list import collect_checkpoints
from lamplighter.client.sources.embeddings import read_memory, read_path
from lamplighter.client.sources.folder_files import require_plain_file
from lamplighter.client.sources.model_folder import find_model_file, locate_model_matrix
from lamplighter.client.sources.vocabulary_files import (
    GivenVocabulary,
    locate_folder_vocabulary,
    read_given_vocabulary,
    read_tokeniser_file,
)
from lamplighter.platform.printable import quote_foreign
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.matrices.stored_matrix import StoredMatrix
from lamplighter.wire.binary import MAX_VOCABULARY, Floats
from lamplighter.wire.row_frames import MAX_DIM
from lamplighter.wire.vocabulary import Vocabulary


@dataclass(frozen=True)
class OpenTable:
    """A checkpoint's table, of which only the place is known yet."""

    shape: tuple[int, int]
    blocks: Iterator[Floats]
    """The rows in order, as contiguous float32."""
    tokens: Vocabulary | None
    tensor: str | None
    """Its name in a model."""


class TableOpener:
    """Opens the tables of one history. A tokeniser's file that comes again with each checkpoint is parsed once."""

    def __init__(self, tensor: str | None, vocabulary: GivenVocabulary | None = None) -> None:
        self._tensor = tensor
        self._given = None if vocabulary is None else read_given_vocabulary(vocabulary)[0]
        self._digest = b""
        self._tokens: Vocabulary | None = None

    def peek_shape(self, source: Any) -> tuple[int, int] | None:
        """Return the shape of a source's table if it can be told without reading the table, or else None."""
        if not isinstance(source, str | os.PathLike):
            shape = tuple(getattr(source, "shape", ()))
            return (int(shape[0]), int(shape[1])) if len(shape) == 2 else None
        path = Path(source)
        if path.is_dir() or path.name.endswith((".safetensors", ".safetensors.index.json", ".npy")):
            with suppress(InputError, FormatError, OSError):
                return self.open(path).shape
        return None

    def open(self, source: Any) -> OpenTable:
        """Return the table of a source for `find_embedding`. Model folders, `.safetensors` and `.npy` are read in blocks.

        Raises InputError if there is none, or its shape is absurd; OSError.
        """
        opened = (
            self._open_path(Path(source))
            if isinstance(source, str | os.PathLike)
            else _of(read_memory(source))
        )
        rows, width = opened.shape
        if not 1 <= rows <= MAX_VOCABULARY or not 1 <= width <= MAX_DIM:
            raise InputError(f"a table of {rows:,} x {width:,} is not one of tokens")
        self._tensor = self._tensor or opened.tensor
        return opened

    def _open_path(self, path: Path) -> OpenTable:
        file = path
        if path.is_dir():
            file = find_model_file(path) or path
        if file.name.endswith((".safetensors", ".safetensors.index.json")):
            require_plain_file(file)
            tokens = self._given or self._read_tokens(file.parent)
            located = locate_model_matrix(file, None if tokens is None else len(tokens), self._tensor)
            if not located.entry.is_matrix:
                raise InputError(f"{file.name}: {located.name[:200]} is not a matrix of floats")
            rows, width = located.entry.shape
            blocks = split_rows(StoredMatrix(located.file, located.entry))
            return OpenTable((rows, width), blocks, tokens, located.name)
        if file.name.endswith(".npy"):
            require_plain_file(file)
            array = map_npy(file)
            return OpenTable((array.shape[0], array.shape[1]), map(to_float32, split_rows(array)), None, None)
        return _of(read_path(file, self._given, self._tensor))

    def _read_tokens(self, folder: Path) -> Vocabulary | None:
        path = locate_folder_vocabulary(folder)
        if path is None:
            return None
        with path.open("rb") as file:
            digest = blake2b()
            while data := file.read(1 << 20):
                digest.update(data)
        if digest.digest() != self._digest:
            self._tokens, self._digest = read_tokeniser_file(path), digest.digest()
        return self._tokens


def _of(raw: Any) -> OpenTable:
    return OpenTable(raw.vectors.shape, split_rows(raw.vectors), raw.tokens, raw.tensor)


def check_sources(
    sources: Any,
    vocabulary: GivenVocabulary | None = None,
    *,
    steps: Iterable[SupportsIndex] | None = None,
    tensor: str | None = None,
    unread: Mapping[int, str] | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> HistoryReport:
    """Return what is wrong with the checkpoints of one training. A checkpoint that cannot be read is a
    finding.

    `sources`, `vocabulary` and `steps` are as for `series`; the size of the vocabulary tells which of several
    matrices is meant. `unread`: why other checkpoints cannot be read, by step. Raises InputError if fewer
    than two are there, or none can be read.
    """
    checkpoints = collect_checkpoints(sources, steps)
    check, opener = HistoryCheck(), TableOpener(tensor, vocabulary)
    for step, why in (unread or {}).items():
        check.add_unreadable(step, why)
    reasons: list[str] = []
    for at, (step, source) in enumerate(checkpoints):
        if progress is not None:
            progress(at / len(checkpoints), f"step {step:,}")
        try:
            opened = opener.open(source)
            check.add_table(step, opened.shape, opened.blocks)
            if opened.tokens is not None:
                check.add_tokens(step, opened.tokens.tokens)
        except (InputError, FormatError, OSError) as error:
            reasons.append(quote_foreign(error))
            check.add_unreadable(step, reasons[-1])
    if len(reasons) == len(checkpoints):
        raise InputError(reasons[0])
    return check.report()
