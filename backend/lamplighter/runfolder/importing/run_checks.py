"""Bounds on an imported run: the files that it may have, and their contents over all files.

A server allocates memory for a run in proportion to these numbers.

Single values and small files from an untrusted run are checked here too: numbers, texts, JSON, token ids and its
vocabulary.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lamplighter.contract.recipe_file import MAX_RECIPE_BYTES
from lamplighter.contract.sentences import say
from lamplighter.platform.printable import quote_foreign
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.matrices.stored_matrix import MatrixReference
from lamplighter.runfolder.run_folder import MATRICES
from lamplighter.runfolder.run_name import NAME_FILE
from lamplighter.wire.binary import MAX_VOCABULARY
from lamplighter.wire.vocabulary import MAX_NAMES_BYTES, Vocabulary

MEGABYTE = 1_000_000
MAX_TOTAL_BYTES = 16_000 * MEGABYTE
"""Maximum bytes of a stranger's run."""
MAX_MATRICES = 10_000
MAX_MEMBERS = 32
"""Maximum files of a run, not counting waypoints and matrices."""
_NEEDED = ("recipe.json", "corpus.json", "vocabulary.json", "steps.sqlite")
_LIMITS = {
    "recipe.json": MAX_RECIPE_BYTES,
    NAME_FILE: 4 << 10,
    "source.txt": 64 << 20,
    "corpus.json": MEGABYTE,
    "corpus.npy": 2_000 * MEGABYTE,
    "held-out.npy": 250 * MEGABYTE,
    "landmarks.npy": MEGABYTE,
    "tokeniser.json": 64 * MEGABYTE,
    "vocabulary.json": 64 * MEGABYTE,
    "examinations.sqlite": 200 * MEGABYTE,
    "layouts.sqlite": 4_000 * MEGABYTE,
    "relayouts.sqlite": 4_000 * MEGABYTE,
    "output-layouts.sqlite": 4_000 * MEGABYTE,
    "measures.sqlite": 1_000 * MEGABYTE,
    "steps.sqlite": 8_000 * MEGABYTE,
    "tiles.sqlite": 8_000 * MEGABYTE,
}
_CHECKPOINT = re.compile(r"(?:checkpoints|waypoints)/\d{10}-\d{4}\.safetensors", re.ASCII)
_MATRIX = re.compile(MATRICES + r"/\d{10}-\d{4}\.safetensors", re.ASCII)
_CHECKPOINT_LIMIT = 4_000 * MEGABYTE


def byte_limit(name: str) -> int | None:
    """Return the maximum bytes of a file by its path in the run's folder; None if a run has no such file."""
    if _MATRIX.fullmatch(name):
        return MAX_TOTAL_BYTES
    return _CHECKPOINT_LIMIT if _CHECKPOINT.fullmatch(name) else _LIMITS.get(name)


def find_fault(
    files: Iterable[tuple[str, int]], besides: Mapping[str, int], total: int = MAX_TOTAL_BYTES
) -> str | None:
    """Return why files, by path and size, are not those of a run, as a sentence; None if they may be.
    `besides`: the maximum bytes of files beside those of a run, by path. `total`: the maximum bytes of all.
    """
    sizes: dict[str, int] = {}
    for path, size in files:
        limit = besides.get(path) or byte_limit(path)
        if limit is None:
            return say("run_file_unknown", name=ascii(path[:80]))
        if path in sizes:
            return say("run_file_twice", name=path)
        if size > limit:
            return say("run_file_too_large", name=path, size=size, most=limit)
        sizes[path] = size
    if missing := [path for path in _NEEDED if path not in sizes]:
        return say("run_file_missing", name=missing[0])
    size = sum(sizes.values())
    return say("run_file_too_large", name="", size=size, most=total) if size > total else None


MAX_ATTEMPTS = 10_000
MAX_EVENTS = 10_000
"""Maximum events of training."""
MAX_DISTRICT_EVENTS = 100_000
MAX_MESSAGE = 500
"""Maximum characters of an event's message; a longer one is cut."""
MAX_APPLIED = 100_000
"""Maximum applied requests."""
MAX_MEASURES = 1_000_000
"""Maximum values of all measures at all steps."""
MAX_MEASURE_NAMES = 5_000
MAX_STRETCHES = 200_000
MAX_STRETCH_STEPS = 1_000
"""Maximum steps of a stretch of tiles; ours have at most 200."""
MAX_LAYERS = 200
"""Maximum layers with a gradient norm; the deepest model of a recipe has 132."""
MAX_LAYERS_BYTES = 40_000
"""Maximum bytes of the names of all layers as JSON: every viewer gets them with its first message."""
MAX_LAYOUTS = 200_000
"""Maximum layouts of a file, and maximum districts."""
MAX_ROWS = 20_000_000
"""Maximum rows of all files of a run."""
MAX_BYTES = 16_000_000_000
"""Maximum bytes of the values in all rows."""
_LOST_STEPS = 10_000
"""Maximum steps that the record may lack at its end while another file has them, as after a power cut."""

ProgressTick = Callable[[], None]
"""A callback invoked repeatedly while rows are read; an exception it raises aborts the import."""


@dataclass
class RunChecks:
    """The checks and running totals shared by all files of one imported run."""

    vocabulary: int
    dim: int
    batch_tokens: int | None
    """Tokens per batch; None for a run recorded by a client's own loop, whose batches may differ."""
    tick: ProgressTick
    folder: Path | None = None
    """The folder with the files of matrices that keyframes may name; None if this run has none."""
    matrix_files: set[str] = field(default_factory=set[str])
    """Those that keyframes named."""
    last_step: int = 0
    """The largest step that a row may refer to; set once the steps have been read."""
    rows_left: int = MAX_ROWS
    bytes_left: int = MAX_BYTES

    def set_last_step(self, pulses: int) -> None:
        """Set the largest step from the number of pulses: steps are consecutive."""
        self.last_step = pulses + _LOST_STEPS

    def require_matrix_file(self, reference: MatrixReference) -> MatrixReference:
        """Return a reference if its file is there, and its header is that of this run's matrix. The file then
        counts as one of the run's. Raises FormatError if the run has no such files, or this one is
        another.
        """
        if self.folder is None or (reference.rows, reference.width) != (self.vocabulary, self.dim):
            raise FormatError(
                "the place of a matrix that does not match this run's vocabulary, width and format"
            )
        reference.open_file(self.folder)
        self.matrix_files.add(reference.file_name)
        return reference

    def require_step(self, value: Any) -> int:
        """Return `value` if it is a step that the run can have reached. Raises FormatError if it is not."""
        step = require_count(value)
        if step > self.last_step:
            raise FormatError(
                f"step {step:,} is far beyond the {self.last_step - _LOST_STEPS:,} steps in the record"
            )
        return step

    def spend(self, values: tuple[Any, ...]) -> None:
        """Count a row. Raises FormatError if the run has too many rows, or too many bytes in them."""
        self.rows_left -= 1
        self.bytes_left -= sum(len(value) for value in values if isinstance(value, bytes | str))
        if self.rows_left < 0 or self.bytes_left < 0:
            raise FormatError(f"a run of more than {MAX_ROWS:,} rows, or {MAX_BYTES / 1e9:,.0f} GB in them")


MAX_NAME = 200
"""Maximum characters of the name of a class, relation or layer: every viewer gets it whole."""
_MAX_TEXT = 10_000
_MAX_NUMBER = 1e300


def parse_json(text: str, name: str) -> Any:
    """Parse `text` as JSON. Raises FormatError if it is not."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{name}: not JSON: {quote_foreign(error)}") from error


def parse_request_body(text: Any, name: str) -> dict[str, Any]:
    """Parse `text` as the body of a request: a JSON object of a few numbers, short texts and nulls. Raises
    FormatError if it is not.
    """
    body = parse_json(require_text(text, 1_000), name)
    if not isinstance(body, dict) or len(body) > 20:  # pyright: ignore[reportUnknownArgumentType]
        raise FormatError(f"{name}: a request that is not an object")
    checked: dict[str, Any] = {}
    for key, value in body.items():  # pyright: ignore[reportUnknownVariableType]
        if isinstance(value, int | float):
            require_number(value)
        elif value is not None:
            require_text(value, MAX_NAME)
        checked[require_text(key, MAX_NAME)] = value
    return checked


def require_text(value: Any, limit: int = _MAX_TEXT) -> str:
    """Return `value` if it is a string of at most `limit` characters that can be written as UTF-8. Raises
    FormatError if not.
    """
    if not isinstance(value, str) or len(value) > limit:
        raise FormatError(f"not a text, or one of more than {limit:,} characters")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise FormatError("a text that is not Unicode") from error
    return value


def shorten_text(value: Any, limit: int) -> str:
    """Return a string of at most 10,000 characters, shortened to `limit`. Raises FormatError if it is not
    one.
    """
    text = require_text(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def require_count(value: Any) -> int:
    """Return `value` if it is an unsigned 32-bit integer, as steps, attempts and requests are. Raises
    FormatError if not.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 32:
        raise FormatError("an invalid number of steps or attempts")
    return value


def require_number(value: Any) -> float:
    """Return `value` as a float if it is a finite number. Raises FormatError if not."""
    # An integer from JSON may exceed every float; Python compares the two exactly.
    if not isinstance(value, int | float) or not -_MAX_NUMBER <= value <= _MAX_NUMBER:
        raise FormatError("a number that is not finite")
    return float(value)


_MAX_HEADER = 1_000


def check_token_ids(path: Path) -> None:
    """Check that a file is an array of token ids, shape (N,), whose length matches its header. Raises
    FormatError if the file is not such an array, OSError if it cannot be read.
    """
    with path.open("rb") as file:
        try:
            version = np.lib.format.read_magic(file)
            if version != (1, 0):
                raise FormatError(f"{path.name}: an array in an unsupported format")
            shape, _, dtype = np.lib.format.read_array_header_1_0(file, max_header_size=_MAX_HEADER)
        except FormatError:
            raise
        except (ValueError, EOFError, RecursionError, MemoryError) as error:
            raise FormatError(f"{path.name} is not an array: {quote_foreign(error)}") from error
        size = path.stat().st_size - file.tell()
    if dtype != np.dtype("<u4") or len(shape) != 1:
        raise FormatError(f"{path.name}: not token ids of this vocabulary")
    if 4 * int(shape[0]) != size:
        raise FormatError(f"{path.name} is not as long as its header says")


_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.S)
_MAX_CONTAINERS = 500_000
"""Maximum lists and objects in a file; a tokeniser has a list for each of its merges."""


def require_bounded_json(path: Path, tokens: int | None = None) -> None:
    """Check that a file can be parsed as JSON without taking much memory; its vocabulary may have `tokens`
    tokens (None: `MAX_VOCABULARY`). Raises FormatError if it holds too much, OSError if it cannot be read.
    """
    require_bounded_values(path.read_bytes(), path.name, tokens)


def require_bounded_values(text: bytes, name: str, tokens: int | None = None) -> None:
    """Check text as `require_bounded_json` checks a file."""
    outside = _STRING.sub(b"", text)
    # For each token: a text, a count, an entry in a class. For each relation: about as many entries.
    most = 3 * (MAX_VOCABULARY if tokens is None else tokens) + _MAX_CONTAINERS
    if outside.count(b"[") + outside.count(b"{") > _MAX_CONTAINERS or outside.count(b",") > most:
        raise FormatError(f"{name} holds more lists or values than a run needs: refused")


def read_json_object(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file. Raises FormatError if the file holds something else, or too much,
    OSError if it cannot be read.
    """
    require_bounded_json(path)
    try:
        value = json.loads(path.read_bytes().decode("utf-8"))
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path.name} is not JSON: {quote_foreign(error)}: refused") from error
    if not isinstance(value, dict):
        raise FormatError(f"{path.name} is not a JSON object: refused")
    return value  # pyright: ignore[reportUnknownVariableType]


_MAX_TOKEN = 10_000
_MAX_NAMES = 4_096
"""Maximum classes, maximum relations, and maximum families."""
_MAX_PAIRS = 200_000
"""Maximum total pairs of all relations."""


def check_vocabulary(vocabulary: Vocabulary) -> None:
    """Check a vocabulary. Raises FormatError if it is invalid."""
    if not 0 < len(vocabulary) <= MAX_VOCABULARY or bool((vocabulary.counts < 0).any()):
        raise FormatError("vocabulary.json holds no tokens, too many, or negative counts: refused")
    names = [
        *vocabulary.classes,
        *(relation.name for relation in vocabulary.relations),
        *vocabulary.families,
    ]
    try:
        "".join([*vocabulary.tokens, *names]).encode("utf-8")
    except UnicodeEncodeError as error:
        raise FormatError("vocabulary.json holds text that is not Unicode: refused") from error
    if any(len(token) > _MAX_TOKEN for token in vocabulary.tokens):
        raise FormatError(f"vocabulary.json holds a token of more than {_MAX_TOKEN:,} characters: refused")
    if any(len(name) > MAX_NAME for name in names):
        raise FormatError(
            f"vocabulary.json names a class, relation or family with more than {MAX_NAME} characters: refused"
        )
    too_many = max(len(vocabulary.classes), len(vocabulary.relations), len(vocabulary.families)) > _MAX_NAMES
    if too_many or vocabulary.bytes_of_names() > MAX_NAMES_BYTES:
        raise FormatError("vocabulary.json holds too many classes, relations or families: refused")
    if sum(len(relation.pairs) for relation in vocabulary.relations) > _MAX_PAIRS:
        raise FormatError(f"vocabulary.json relates more than {_MAX_PAIRS:,} pairs of tokens: refused")
    members = [i for ids in vocabulary.classes.values() for i in ids]
    if len(set(members)) != len(members):
        raise FormatError("vocabulary.json has a token in two classes: refused")
