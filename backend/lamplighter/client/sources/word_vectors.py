"""Word vectors of word2vec, GloVe and fastText: one token and its numbers per line, or word2vec's binary form.

A matrix of text without tokens (`tensors.tsv` of the Embedding Projector) is read here too.
"""

from __future__ import annotations

import re
from array import array
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from lamplighter.client.errors import InputError
from lamplighter.client.matrix_diff import check_matrix_size
from lamplighter.client.sources.vocabulary_files import FEWEST_TOKENS, MAX_CHARACTERS
from lamplighter.wire.binary import MAX_VOCABULARY, Floats
from lamplighter.wire.row_frames import MAX_DIM

_HEADER = re.compile(rb"(\d{1,9}) (\d{1,9})[ \t]*\r?\n")
_MAX_TOKEN = 4 * MAX_CHARACTERS
"""Maximum bytes of a token."""
_MAX_NUMBER = 40
"""Maximum bytes of one number in text, with its separator."""
_MAX_LINE = _MAX_TOKEN + _MAX_NUMBER * MAX_DIM
_SNIFFED = 1 << 16


class WordVectors(NamedTuple):
    """The vectors in a file, with the tokens if it has them."""

    tokens: list[str] | None
    """By id, V of them."""
    vectors: Floats
    """Shape (V, D)."""


def read_word_vectors(path: Path) -> WordVectors:
    r"""Return the vectors in a text file, or in word2vec's binary form.

    The first line may give V and D, as in word2vec's files, and must then be correct. Bytes that are not UTF-8 are
    shown as `\xe2`.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        begin = file.read(_SNIFFED)
        header = _HEADER.match(begin)
        if header is None:
            file.seek(0)
            return _read_text(file, path.name, None)
        rows, dim = int(header[1]), int(header[2])
        check_matrix_size(rows, dim)
        # A row takes a byte for its token, one after it, and at least two for a number in text.
        if size - header.end() < rows * (2 * dim + 1):
            raise InputError(f"{path.name}: too short for the {rows:,} x {dim:,} numbers that it announces")
        file.seek(header.end())
        if _is_text(begin[header.end() :], dim):
            return _read_text(file, path.name, (rows, dim))
        return _read_binary(file, path.name, rows, dim)


def _is_text(data: bytes, dim: int) -> bool:
    """Return whether the rows that begin with `data` are text: the first row has no control bytes."""
    line = data.split(b"\n", 1)[0][:_SNIFFED]
    if b"\0" in line:
        return False
    whole = b"\n" in data
    numbers = line.split()[-dim:] if whole else line.split()[1:-1]
    is_enough = len(numbers) == dim if whole else bool(numbers)
    return is_enough and _parse_numbers(b" ".join(numbers)) is not None


def _read_binary(file: IO[bytes], where: str, rows: int, dim: int) -> WordVectors:
    vectors = np.empty((rows, dim), dtype=np.float32)
    tokens: list[str] = []
    rest = b""
    for number in range(rows):
        # The token ends at the first space; its numbers follow, then optionally a line feed.
        while (end := rest.find(b" ")) < 0 and len(rest) <= _MAX_TOKEN:
            more = file.read(_SNIFFED)
            if not more:
                break
            rest += more
        if not 0 <= end <= _MAX_TOKEN:
            raise InputError(f"{where}: neither text nor word2vec's binary form: row {number} has no token")
        tokens.append(_decode_token(rest[:end].lstrip(b"\n")))
        rest = rest[end + 1 :]
        if (missing := 4 * dim - len(rest)) > 0:
            rest += file.read(max(missing, _SNIFFED))
        if len(rest) < 4 * dim:
            raise InputError(f"{where}: truncated in row {number} of {rows:,}")
        vectors[number] = np.frombuffer(rest, dtype="<f4", count=dim)
        rest = rest[4 * dim :]
    if rest.strip() or file.read(1):
        raise InputError(f"{where}: data follows the {rows:,} rows that it announces")
    return WordVectors(tokens, vectors)


def _read_text(file: IO[bytes], where: str, announced: tuple[int, int] | None) -> WordVectors:
    tokens: list[str] = []
    numbers = array("f")
    dim = announced[1] if announced else 0
    has_tokens = True
    first_line = 2 if announced else 1
    for count, line in enumerate(iter(lambda: file.readline(_MAX_LINE + 1), b"")):
        at = f"{where}: line {count + first_line}"
        if len(line) > _MAX_LINE:
            raise InputError(f"{at} is longer than a token with {MAX_DIM:,} numbers")
        line = line.rstrip(b"\r\n").rstrip(b" \t")
        separator = b"\t" if b"\t" in line else b" "
        cells = line.split(separator)
        if count == 0 and not announced:
            # If all cells are numbers separated by tabs, as in tensors.tsv, there are no tokens.
            has_tokens = separator == b" " or _parse_numbers(cells[0]) is None
            dim = len(cells) - has_tokens
        if has_tokens and len(cells) > dim:
            token, cells = separator.join(cells[: len(cells) - dim]), cells[len(cells) - dim :]
            tokens.append(_decode_token(token))
        values = _parse_numbers(b" ".join(cells))
        if values is None or len(values) != dim or dim < 2:
            if count == 0 and not announced:
                raise InputError(f"{at} is not a token and its numbers: this is not a file of word vectors")
            kind = "a token and its numbers" if has_tokens else "numbers"
            raise InputError(f"{at} is not {kind}, {dim} of them")
        if count >= MAX_VOCABULARY:
            raise InputError(f"{where}: more than {MAX_VOCABULARY:,} rows")
        if count >= FEWEST_TOKENS:
            check_matrix_size(count + 1, dim)
        numbers.frombytes(values.tobytes())
    rows = len(numbers) // dim if dim else 0
    if announced and rows != announced[0]:
        raise InputError(f"{where}: {rows:,} rows, but its first line announces {announced[0]:,}")
    check_matrix_size(rows, dim)
    vectors = np.frombuffer(numbers, dtype=np.float32).reshape(rows, dim)
    return WordVectors(tokens if has_tokens else None, vectors)


def _parse_numbers(text: bytes) -> Floats | None:
    try:
        with np.errstate(over="ignore"):
            return np.array(text.split(), dtype=np.float64).astype(np.float32)
    except ValueError:
        return None


def _decode_token(data: bytes) -> str:
    return data.decode("utf-8", errors="backslashreplace")
