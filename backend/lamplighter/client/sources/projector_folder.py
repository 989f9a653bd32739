"""A folder of the Embedding Projector: TensorBoard's `projector_config.pbtxt`, or the JSON of the page.

Only the paths of the configuration are used, and none that leads out of the folder.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from lamplighter.client.errors import InputError
from lamplighter.client.matrix_diff import check_matrix_size
from lamplighter.client.sources.folder_files import has_file, locate_file, read_text_file
from lamplighter.client.sources.word_vectors import read_word_vectors
from lamplighter.wire.binary import Floats

_CONFIGS = ("projector_config.pbtxt", "projector_config.json")
_PLAIN = (("tensors.tsv", "metadata.tsv"), ("vectors.tsv", "metadata.tsv"))
"""Names in a folder without a configuration."""
_FIELD = re.compile(
    r'(tensor_name|tensor_path|metadata_path)\s*:\s*(?:"((?:[^"\\\n]|\\.)*)"|\'((?:[^\'\\\n]|\\.)*)\')'
)
_SHAPE = re.compile(r"tensor_shape\s*:\s*(\[[\d,\s]*\]|\d+)")
_MAX_ENTRIES = 1_000


@dataclass(frozen=True)
class ProjectedTensor:
    """One embedding of a projector folder."""

    name: str
    vectors_path: Path
    labels_path: Path | None
    shape: tuple[int, ...]
    """The shape in the configuration; empty if it has none."""


def find_projected_tensor(folder: Path, wanted: str | None) -> ProjectedTensor | None:
    """Return the embedding of a projector folder; None for other folders.

    Args:
        folder: the folder.
        wanted: its name, if there are several.

    Raises:
        InputError: the configuration cannot be read, names no or several embeddings, or a file outside the folder.
        OSError: it cannot be read.
    """
    for config in _CONFIGS:
        if has_file(folder, config):
            text = read_text_file(locate_file(folder, config))
            entries = _parse_json(text, config) if config.endswith(".json") else _parse_pbtxt(text)
            return _locate(folder, config, _choose_entry(entries, config, wanted))
    for vectors, labels in _PLAIN:
        if has_file(folder, vectors):
            return _locate(folder, vectors, {"tensor_path": vectors, "metadata_path": labels})
    return None


def read_projected_vectors(tensor: ProjectedTensor) -> Floats:
    """Return the vectors, shape (V, D): text, or the plain floats of a `.bytes` file.

    Raises:
        InputError: they do not match the configuration, or are too large for a run.
        OSError: they cannot be read.
    """
    path = tensor.vectors_path
    if path.suffix.lower() != ".bytes":
        return read_word_vectors(path).vectors
    if len(tensor.shape) != 2 or path.stat().st_size != 4 * tensor.shape[0] * tensor.shape[1]:
        raise InputError(f"{path.name}: its size does not match its tensor_shape {list(tensor.shape)}")
    check_matrix_size(*tensor.shape)
    return np.fromfile(path, dtype="<f4").astype(np.float32).reshape(tensor.shape)


def _parse_pbtxt(text: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    for block in re.split(r"\bembeddings\s*:?\s*\{", text)[1 : _MAX_ENTRIES + 1]:
        entry: dict[str, Any] = {}
        for name, double, single in _FIELD.findall(block):
            entry[name] = re.sub(r"\\(.)", r"\1", double or single)
        sizes = [size for shape in _SHAPE.findall(block) for size in re.findall(r"\d{1,9}", shape)]
        entries.append({**entry, "tensor_shape": [int(size) for size in sizes]})
    return entries


def _parse_json(text: str, where: str) -> list[dict[str, Any]]:
    names = {"tensorName": "tensor_name", "tensorPath": "tensor_path", "metadataPath": "metadata_path"}
    names["tensorShape"] = "tensor_shape"
    try:
        found: Any = json.loads(text)["embeddings"]
        return [
            {names.get(str(key), str(key)): value for key, value in entry.items()}
            for entry in found[:_MAX_ENTRIES]
        ]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError(f"{where}: not a configuration of the Embedding Projector") from error


def _choose_entry(entries: list[dict[str, Any]], where: str, wanted: str | None) -> dict[str, Any]:
    usable = [entry for entry in entries if entry.get("tensor_path")]
    chosen = [entry for entry in usable if wanted is None or entry.get("tensor_name") == wanted]
    if len(chosen) != 1:
        names = ", ".join(str(entry.get("tensor_name"))[:80] for entry in usable[:8]) or "none"
        what = (
            f"no embedding {wanted[:80]!r}"
            if wanted
            else "several embeddings; name one"
            if chosen
            else "none"
        )
        raise InputError(f"{where}: {what}; it lists {names}")
    return chosen[0]


def _locate(folder: Path, config: str, entry: dict[str, Any]) -> ProjectedTensor:
    vectors = locate_file(folder, entry["tensor_path"])
    labels = entry.get("metadata_path")
    if labels and (config in _CONFIGS or has_file(folder, str(labels))):
        labels_path = locate_file(folder, labels)
    else:
        labels_path = None
    shape = entry.get("tensor_shape") or []
    sizes: list[Any] = cast("list[Any]", shape) if isinstance(shape, list) else [None]
    if not all(type(size) is int and size >= 0 for size in sizes):
        raise InputError(f"{config}: its tensor_shape is not a list of sizes")
    return ProjectedTensor(
        str(entry.get("tensor_name") or vectors.stem)[:200], vectors, labels_path, tuple(sizes)
    )
