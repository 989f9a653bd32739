"""The embedding at one step, or rows of it with their tokens' metadata, in standard formats: bit for bit, never a pickle."""

from __future__ import annotations

import io
import json
import math
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from lamplighter.exports.output import ExportProgress, MissingPackageError
from lamplighter.exports.step_snapshot import read_step_snapshot
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.wire.token_text import read_tokens
from lamplighter.wire.vocabulary import Vocabulary

_NAMES = {"float32": "F32", "int64": "I64"}


def npy_header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """Return the header of an npy file in C order; `dtype` must hold no objects, which need a pickle."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    )
    return file.getvalue()


def safetensors_header(
    tensors: Mapping[str, tuple[np.dtype[Any], tuple[int, ...]]], metadata: Mapping[str, str]
) -> bytes:
    """Return the header of a safetensors file of float32 and int64 tensors, by name. The numbers must follow
    in the order of `tensors`, little-endian.
    """
    head: dict[str, Any] = {"__metadata__": dict(metadata)}
    offset = 0
    for name, (dtype, shape) in tensors.items():
        end = offset + dtype.itemsize * math.prod(shape)
        head[name] = {"dtype": _NAMES[dtype.name], "shape": shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(head).encode()
    # The format requires the numbers to start at a multiple of eight.
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def write_safetensors(run: RunFolder, step: int | None, out: Path, progress: ExportProgress) -> None:
    """Write `embedding` (V, D) and, if there is a map, `coordinates` (V, 2), both float32, or raise
    ExportError. The metadata are `run`, `attempt`, `step` and, for the map, `layout_step` and
    `layout_method`.
    """
    snapshot = read_step_snapshot(run, step)
    progress(0.5, "writing")
    tensors = {"embedding": np.ascontiguousarray(snapshot.vectors)}
    if snapshot.layout is not None:
        tensors["coordinates"] = np.ascontiguousarray(snapshot.layout.coordinates)
    save_tensors(tensors, out, snapshot.metadata())


def save_tensors(tensors: dict[str, NDArray[np.float32]], out: Path, metadata: dict[str, str]) -> None:
    """Write contiguous arrays to a safetensors file with the default permissions."""
    # The library would create a private file.
    out.touch()
    mode = out.stat().st_mode
    save_file(tensors, out, metadata=metadata)
    out.chmod(stat.S_IMODE(mode))


def write_npy(run: RunFolder, step: int | None, out: Path, progress: ExportProgress) -> None:
    """Write the embedding alone, (V, D) float32, or raise ExportError if the step is not stored exactly."""
    snapshot = read_step_snapshot(run, step)
    progress(0.5, "writing")
    with out.open("wb") as file:
        np.save(file, snapshot.vectors, allow_pickle=False)


_BLOCK = 1 << 20


@dataclass(frozen=True)
class TokenRows:
    """The embedding of some tokens after one step."""

    metadata: dict[str, str]
    """The file's metadata: `format`, `run`, `attempt`, `step`."""
    vocabulary: Vocabulary
    token_ids: NDArray[np.int64]
    """Shape (K,), in the order of the rows."""
    vectors: NDArray[np.float32]
    """Shape (K, D), contiguous."""

    @property
    def tokens(self) -> list[str]:
        """Return the text of each token, which is untrusted. Lone surrogates become codes."""
        return [printable_surrogates(self.vocabulary.tokens[i]) for i in self.token_ids.tolist()]

    @property
    def classes(self) -> list[str | None]:
        names = [*self.vocabulary.classes, None]
        return [names[index] for index in self.vocabulary.class_of()[self.token_ids].tolist()]

    @property
    def counts(self) -> list[int | None]:
        """Return the occurrences of each token in the corpus; None for each if unknown."""
        if not self.vocabulary.counts_known:
            return [None] * len(self.token_ids)
        return self.vocabulary.counts[self.token_ids].tolist()


def as_npy(rows: TokenRows) -> Iterator[bytes]:
    """Yield an npy file of the vectors alone, (K, D) float32."""
    yield npy_header(rows.vectors.dtype, rows.vectors.shape)
    yield from byte_blocks(rows.vectors)


def as_safetensors(rows: TokenRows) -> Iterator[bytes]:
    """Yield a safetensors file of `embedding` (K, D) float32 and `token_ids` (K,) int64."""
    ids = rows.token_ids
    tensors = {
        "embedding": (rows.vectors.dtype, rows.vectors.shape),
        "token_ids": (ids.dtype, ids.shape),
    }
    yield safetensors_header(tensors, rows.metadata)
    yield from byte_blocks(rows.vectors)
    yield ids.tobytes()


def as_parquet(rows: TokenRows) -> bytes:
    """Return a Parquet file of the columns of `arrow_table`."""
    token_table = arrow_table(rows)
    sink = import_pyarrow().BufferOutputStream()
    import_pyarrow("pyarrow.parquet").write_table(token_table, sink, compression="zstd")
    return sink.getvalue().to_pybytes()


def arrow_table(rows: TokenRows, extra_columns: dict[str, Any] | None = None) -> Any:
    """Build `token_id`, `token`, `class` (null for none), `count`, `vector` (float32), and more columns."""
    arrow = import_pyarrow()
    columns = {
        "token_id": arrow.array(rows.token_ids, arrow.int32()),
        "token": arrow.array(rows.tokens, arrow.string()),
        "class": arrow.array(rows.classes, arrow.string()),
        "count": arrow.array(rows.counts, arrow.int64()),
        "vector": vector_column(rows.vectors),
        **(extra_columns or {}),
    }
    return arrow.table(columns, metadata=rows.metadata)


def vector_column(vectors: NDArray[np.float32]) -> Any:
    """Return vectors, shape (N, D), as an Arrow column of fixed-size lists."""
    arrow = import_pyarrow()
    values = arrow.array(np.ascontiguousarray(vectors).ravel(), arrow.float32())
    return arrow.FixedSizeListArray.from_arrays(values, vectors.shape[-1])


class ArrowStream:
    """An Arrow IPC stream, written and read out batch by batch."""

    def __init__(self, schema: Any) -> None:
        self._sink = _Sink()
        self._writer = import_pyarrow("pyarrow.ipc").new_stream(self._sink, schema)

    def write(self, batch: Any) -> bytes:
        """Add a record batch. Returns the bytes added to the stream."""
        self._writer.write_batch(batch)
        return self._sink.drain()

    def close(self) -> bytes:
        """End the stream. Returns its last bytes."""
        self._writer.close()
        return self._sink.drain()


def printable_surrogates(text: str) -> str:
    """Return a text that can be encoded as UTF-8: lone surrogates become codes."""
    return text.encode("utf-8", "backslashreplace").decode()


def byte_blocks(array: NDArray[Any]) -> Iterator[bytes]:
    """Yield the bytes of a contiguous array, a megabyte at a time."""
    flat = array.reshape(-1)
    step = max(1, _BLOCK // array.itemsize)
    for first in range(0, len(flat), step):
        yield flat[first : first + step].tobytes()


def import_pyarrow(module: str = "pyarrow") -> Any:
    """Import pyarrow, a large optional dependency that ships no types.

    Raises:
        MissingPackageError: pyarrow is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingPackageError(
            "Parquet and Arrow need pyarrow: install it with: pip install pyarrow"
        ) from error


class _Sink(io.RawIOBase):
    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def drain(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        return data


def write_parquet(run: RunFolder, step: int | None, out: Path, progress: ExportProgress) -> None:
    """Write the columns `token_id`, `token`, `class`, `count`, `vector`, `text`, `x` and `y`, or raise
    ExportError.

    `token` is the tokeniser's form, `text` the readable one. `class` is null for tokens without one, `count`
    if counts are unknown, `x` and `y` if there is no map yet. The file's metadata are `run`, `attempt`,
    `step` and, for the map, `layout_step` and `layout_method`.
    """
    arrow, parquet = import_pyarrow(), import_pyarrow("pyarrow.parquet")
    snapshot = read_step_snapshot(run, step)
    progress(0.3, "writing")
    size = len(snapshot.vectors)
    coordinates = None if snapshot.layout is None else snapshot.layout.coordinates
    nothing = arrow.nulls(size, arrow.float32())
    rows = TokenRows(snapshot.metadata(), snapshot.vocabulary, np.arange(size), snapshot.vectors)
    more_columns = {
        "text": arrow.array(
            map(printable_surrogates, read_tokens(snapshot.vocabulary.tokens)), arrow.string()
        ),
        "x": nothing if coordinates is None else arrow.array(coordinates[:, 0].copy()),
        "y": nothing if coordinates is None else arrow.array(coordinates[:, 1].copy()),
    }
    parquet.write_table(arrow_table(rows, more_columns), out, compression="zstd")
