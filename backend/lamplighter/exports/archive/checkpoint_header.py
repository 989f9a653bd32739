"""The header of an untrusted checkpoint; its numbers are not read until a user continues the run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from lamplighter.exports.output import ExportError
from lamplighter.platform.printable import quote_foreign

_MAX_HEADER = 4_000_000
"""Maximum bytes of a header. The deepest model has about 2,500 tensors, of about 100 bytes each."""
_MAX_RATE = 10.0


def check_checkpoint(path: Path, vocabulary: int, dim: int) -> None:
    """Check that a file has the header of a checkpoint of a model with an embedding of (`vocabulary`, `dim`).

    Raises:
        ExportError: the file does not have such a header.
    """
    with path.open("rb") as file:
        header = int.from_bytes(file.read(8), "little")
    if header > _MAX_HEADER:
        raise ExportError(f"{path.name} has a header of more than {_MAX_HEADER:,} bytes: refused")
    try:
        with safe_open(path, framework="np") as file:
            metadata: dict[str, str] = file.metadata() or {}
            shapes = [
                file.get_slice(name).get_shape()
                for name in ("model.embedding.weight", "observer.touches", "observer.last_lit")
            ]
        numbers, state = json.loads(metadata["numbers"]), json.loads(metadata["state"])
    except (SafetensorError, KeyError, ValueError, RecursionError, OSError) as error:
        raise ExportError(f"{path.name} is not a checkpoint: {quote_foreign(error)}: refused") from error
    if shapes != [[vocabulary, dim], [vocabulary], [vocabulary]]:
        raise ExportError(f"{path.name} is not a checkpoint of this run's model: refused")
    if (
        not isinstance(numbers, dict)
        or not isinstance(state, dict)
        or not _is_rate(state.get("learning_rate"))
    ):  # pyright: ignore[reportUnknownMemberType]
        raise ExportError(f"{path.name} is a checkpoint without the state of its training: refused")


def _is_rate(value: Any) -> bool:
    return isinstance(value, int | float) and 0 < value <= _MAX_RATE
