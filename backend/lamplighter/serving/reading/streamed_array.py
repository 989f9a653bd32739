"""A float array sent in blocks: its length and its body in each format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamplighter.exports.formats.tensor_files import npy_header, safetensors_header
from lamplighter.web.http.content_negotiation import JSON, NPY, SAFETENSORS, ResponseFormat
from lamplighter.web.http.streaming import json_parts

_FLOATS = np.dtype(np.float32)


@dataclass(frozen=True)
class StreamedArray:
    """A float32 array of known shape, whose values come in blocks along its first axis."""

    name: str
    shape: tuple[int, ...]
    columns: dict[str, NDArray[Any]]
    """Small arrays that label it, such as its steps; a `.npy` file has no place for them."""
    facts: dict[str, str | int]
    run: str
    """The run's id, for the file name."""

    def length(self, form: ResponseFormat) -> int | None:
        """Return the total bytes in a format; None if they are not known in advance."""
        if form not in (NPY, SAFETENSORS):
            return None
        return len(self._head(form)) + _FLOATS.itemsize * prod(self.shape)

    def parts(self, form: ResponseFormat, blocks: Iterable[NDArray[np.float32]]) -> Iterable[bytes]:
        """Return the body in a format: `.npy`, safetensors or JSON."""
        if form is JSON:
            columns = {name: column.tolist() for name, column in self.columns.items()}
            return json_parts({**self.facts, **columns}, self.name, blocks)
        return self._binary(form, blocks)

    def _binary(self, form: ResponseFormat, blocks: Iterable[NDArray[np.float32]]) -> Iterator[bytes]:
        yield self._head(form)
        for block in blocks:
            yield block.tobytes()

    def _head(self, form: ResponseFormat) -> bytes:
        if form is NPY:
            return npy_header(_FLOATS, self.shape)
        tensors = {name: (column.dtype, column.shape) for name, column in self.columns.items()}
        metadata = {"format": "lamplighter", "run": self.run}
        metadata |= {name: str(value) for name, value in self.facts.items()}
        head = safetensors_header({**tensors, self.name: (_FLOATS, self.shape)}, metadata)
        return head + b"".join(column.tobytes() for column in self.columns.values())
