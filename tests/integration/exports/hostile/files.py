"""Hostile JSON, npy and safetensors files in the zip of a run, each with part of the expected message."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamplighter.runfolder.run_folder import RunFolder
from tests.support.synthetic_runs.good_run import CHECKPOINT, WAYPOINT, write_checkpoint
from tests.support.synthetic_runs.recorded import DIM, HOSTILE

Change = Callable[[Path], None]
V = len(HOSTILE)


def _text(name: str, content: str | bytes) -> Change:
    """Return a change that writes a file."""

    def change(folder: Path) -> None:
        data = content if isinstance(content, bytes) else content.encode("utf-8", errors="surrogatepass")
        (folder / name).write_bytes(data)

    return change


def _altered(name: str, **changes: Any) -> Change:
    """Return a change that replaces entries of a JSON object; a name with dots leads into it."""

    def change(folder: Path) -> None:
        whole = json.loads((folder / name).read_text("utf-8"))
        for where, value in changes.items():
            *path, last = where.split(".")
            part = whole
            for step in path:
                part = part[step]
            part[last] = value
        (folder / name).write_text(json.dumps(whole), "utf-8")

    return change


def _recipe(**changes: Any) -> Change:
    return _altered("recipe.json", **changes)


def _vocabulary(**changes: Any) -> Change:
    return _altered("vocabulary.json", **changes)


def _number(name: str, entry: str, literal: str) -> Change:
    """Return a change that sets an entry of a JSON object to a literal that Python would not write."""

    def change(folder: Path) -> None:
        _altered(name, **{entry: "@"})(folder)
        (folder / name).write_text((folder / name).read_text("utf-8").replace('"@"', literal), "utf-8")

    return change


def _corpus(array: NDArray[Any], **how: Any) -> Change:
    """Return a change that writes another corpus, with its facts."""

    def change(folder: Path) -> None:
        np.save(folder / "corpus.npy", array, **how)
        _with_its_facts(folder, len(array))

    return change


def _with_its_facts(folder: Path, tokens: int) -> None:
    import hashlib

    digest = hashlib.sha256((folder / "corpus.npy").read_bytes()).hexdigest()
    (folder / "corpus.json").write_text(json.dumps({"sha256": digest, "tokens": tokens}))


def _npy(header: str, data: bytes = b"", version: bytes = b"\x01\x00") -> Change:
    """Return a change that writes an npy file with a custom header."""
    size = struct.pack("<H" if version == b"\x01\x00" else "<I", len(header))
    return _text("corpus.npy", b"\x93NUMPY" + version + size + header.encode("latin-1") + data)


def _ids(**how: Any) -> NDArray[np.uint32]:
    return np.arange(V, **({"dtype": np.uint32} | how))


def _tensors(header: bytes, data: bytes = b"", length: int | None = None) -> Change:
    """Return a change that writes a safetensors file with a custom header."""
    return _text(CHECKPOINT, struct.pack("<Q", len(header) if length is None else length) + header + data)


def _tensor(**entry: Any) -> Change:
    return _tensors(json.dumps({"x": entry}).encode(), bytes(64))


def _metadata(**metadata: str) -> Change:
    return lambda folder: write_checkpoint(RunFolder(folder), CHECKPOINT, **metadata)


def _other_model(folder: Path) -> None:
    from safetensors.numpy import save_file

    counts = np.zeros(V, np.int64)
    tensors = {"model.embedding.weight": np.zeros((V, DIM + 1), np.float32), "observer.touches": counts}
    save_file(tensors | {"observer.last_lit": counts}, folder / CHECKPOINT, {"numbers": "{}", "state": "{}"})


def _pickled() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    return buffer.getvalue()


_MANY_LISTS = "[" + ",".join(["[]"] * 3_000_000) + "]"
_MANY_NUMBERS = '{"a": [' + "0," * 20_000_000 + "0]}"

FILES: dict[str, tuple[str, Change]] = {
    "a recipe that is a list": ("recipe.json", _text("recipe.json", "[]")),
    "an empty recipe": ("recipe.json", _text("recipe.json", "")),
    "a recipe of 100,000 brackets": ("recipe.json", _text("recipe.json", "[" * 100_000)),
    "a recipe that is not UTF-8": ("recipe.json", _text("recipe.json", b'{"steps": "\xff"}')),
    "a recipe of a newer version": ("newer version", _recipe(format=9)),
    "a recipe of a version in words": ("recipe.json", _recipe(format="x")),
    "a recipe with terminal escapes for a field": ("\\u001b]0;owned\\u0007", _recipe(**{"\x1b]0;owned\x07": 1})),
    "a recipe wider than all": ("less than or equal to 16384", _recipe(**{"model.dim": 10**9})),
    "a recipe of 1,024 threads": ("less than or equal to 256", _recipe(threads=1_024)),
    "a recipe of 65 layers": ("less than or equal to 64", _recipe(**{"model.layers": 65})),
    "a recipe of 268 million tokens a step": ("268,435,456 tokens", _recipe(sequences=65_536, passages=65_536, **{"model.context": 4_096})),
    "a recipe of 200 billion parameters": ("parameters, at most", _recipe(**{"model.dim": 16_384, "model.layers": 64})),
    "a disk budget of 400 digits": ("less than or equal to", _number("recipe.json", "disk_budget", "1" + "0" * 399)),
    "a disk budget of 5,000 digits": ("recipe.json", _number("recipe.json", "disk_budget", "9" * 5_000)),
    "a rate that is not a number": ("recipe.json", _number("recipe.json", "optimiser.learning_rate", "NaN")),
    "a rate without end": ("recipe.json", _number("recipe.json", "optimiser.learning_rate", "1e999")),
    "steps in 900 brackets": ("recipe.json", _number("recipe.json", "steps", "[" * 900 + "]" * 900)),
    "a name of a megabyte": ("recipe.json would have", _recipe(**{"corpus.name": "x" * 1_000_000})),
    "a name that is no Unicode": ("recipe.json", _recipe(**{"corpus.name": "\ud800"})),
    "a batch of other tokens than the pulses'": ("the recipe's batches have 160", _recipe(sequences=20)),
    "another width than the record's": ("vocabulary and width", _recipe(**{"model.dim": 8})),
    "a vocabulary that is a list": ("vocabulary.json", _text("vocabulary.json", "[]")),
    "a vocabulary of 100,000 brackets": ("vocabulary.json", _text("vocabulary.json", "[" * 100_000)),
    "a vocabulary that is not UTF-8": ("vocabulary.json", _text("vocabulary.json", b"\xff\xfe{}")),
    "no tokens": ("no tokens", _vocabulary(tokens=[], counts=[], classes={}, relations=[])),
    "another vocabulary": ("corpus.npy", _vocabulary(tokens=["a"], counts=[1], classes={}, relations=[])),
    "more counts than tokens": ("do not fit its tokens", _vocabulary(counts=[1] * (V + 1))),
    "ids out of range": ("do not fit its tokens", _vocabulary(classes={"a": [99]})),
    "pairs of three": ("not a vocabulary", _vocabulary(relations=[{"name": "a", "pairs": [[1, 2, 3]]}])),
    "negative counts": ("negative counts", _vocabulary(counts=[-1] * V)),
    "a count beyond counting": ("not a vocabulary", _vocabulary(counts=[10**30] * V)),
    "half a character": ("not Unicode", _vocabulary(tokens=["\ud800"] * V)),
    "a token of 20,000 characters": ("a token of more than 10,000", _vocabulary(tokens=["x" * 20_000] * V)),
    "a token in two classes": ("in two classes", _vocabulary(classes={"a": [1], "b": [1]})),
    "a class of 9,995 characters": ("more than 200 characters", _vocabulary(classes={"x" * 9_995: [1]})),
    "five thousand classes": ("too many classes", _vocabulary(classes={f"c{n}": [] for n in range(5_000)})),
    "names of classes of 300,000 characters together": ("too many classes", _vocabulary(classes={f"{n:0200d}": [] for n in range(1_500)})),
    "a family of no class": ("a class in a family", _vocabulary(families={"people": ["nobody"]})),
    "a class in two families": ("a class in a family", _vocabulary(classes={"a": [1]}, families={"x": ["a"], "y": ["a"]})),
    "families that are a list": ("not a vocabulary", _vocabulary(families=[["a"]])),
    "a family of 9,995 characters": ("more than 200 characters", _vocabulary(families={"x" * 9_995: []})),
    "five thousand families": ("too many classes, relations or families", _vocabulary(families={f"f{n}": [] for n in range(5_000)})),
    "a family that is no Unicode": ("not Unicode", _vocabulary(families={"\ud800": []})),
    "five thousand relations": ("too many classes, relations or families", _vocabulary(relations=[{"name": "r", "pairs": []}] * 5_000)),
    "240,000 pairs": ("more than 200,000 pairs", _vocabulary(relations=[{"name": "r", "pairs": [[0, 1]] * 240_000}])),
    "a vocabulary of three million lists": ("more lists or values", _text("vocabulary.json", _MANY_LISTS)),
    "a vocabulary of twenty million numbers": ("more lists or values", _text("vocabulary.json", _MANY_NUMBERS)),
    "a tokeniser of three million lists": ("more lists or values", _text("tokeniser.json", _MANY_LISTS)),
    "a tokeniser of 100,000 brackets": ("tokeniser.json is not JSON", _text("tokeniser.json", "[" * 100_000)),
    "a tokeniser that is a list": ("not a JSON object", _text("tokeniser.json", "[1]")),
    "a tokeniser that is no Unicode": ("tokeniser.json is not JSON", _text("tokeniser.json", '{"a": "\\ud800"}')),
    "a source that is not UTF-8": ("source.txt is not UTF-8", _text("source.txt", b"\xff\xfe")),
    "facts of another corpus": ("does not match corpus.json", _text("corpus.json", json.dumps({"sha256": "0", "tokens": V}))),
    "facts that are a list": ("not a JSON object", _text("corpus.json", "[]")),
    "a corpus that is cut short": ("corpus.npy", _text("corpus.npy", b"\x93NUMPY")),
    "a corpus that is text": ("corpus.npy", _text("corpus.npy", "1 2 3")),
    "a corpus that is a pickle": ("corpus.npy", _text("corpus.npy", b"\x80\x04N.")),
    "a corpus of pickled objects": ("corpus.npy", _text("corpus.npy", _pickled())),
    "a corpus of floats": ("not token ids", _corpus(_ids(dtype=np.float32))),
    "a corpus of other bytes": ("not token ids", _corpus(_ids(dtype=">u4"))),
    "a corpus of two dimensions": ("not token ids", _corpus(np.zeros((V, 2), np.uint32))),
    "a corpus of other tokens": ("not token ids", _corpus(_ids() + np.uint32(1))),
    "held-out text that is text": ("held-out.npy is not an array", _text("held-out.npy", "1 2 3")),
    "held-out text of other tokens": ("held-out.npy: not token ids", lambda folder: np.save(folder / "held-out.npy", _ids() + np.uint32(1))),
    "held-out text of floats": ("held-out.npy: not token ids", lambda folder: np.save(folder / "held-out.npy", _ids(dtype=np.float32))),
    "a corpus of records": ("not token ids", _corpus(np.zeros(V, dtype=[("a", "<u4"), ("b", "<f8")]))),
    "a corpus of 2**62 tokens": ("not as long as its header says", _npy("{'descr': '<u4', 'fortran_order': False, 'shape': (4611686018427387904,)}\n", bytes(64))),
    "a corpus of -1 tokens": ("not as long as its header says", _npy("{'descr': '<u4', 'fortran_order': False, 'shape': (-1,)}\n", bytes(64))),
    "a corpus of eighty dimensions": ("not token ids", _npy("{'descr': '<u4', 'fortran_order': False, 'shape': (" + "1," * 80 + ")}\n", bytes(64))),
    "a header with a call in it": ("corpus.npy is not an array", _npy("__import__('os').system('touch evil')\n", bytes(64))),
    "a header of 60,000 brackets": ("corpus.npy is not an array", _npy("(" * 60_000 + "\n", bytes(64))),
    "a header of four gigabytes": ("in an unsupported format", _text("corpus.npy", b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}")),
    "an unknown version": ("in an unsupported format", _text("corpus.npy", b"\x93NUMPY\x09\x09" + bytes(80))),
    "a checkpoint that is a pickle": ("a header of more than", _text(CHECKPOINT, b"\x80\x04\x95\x0f\x00\x00\x00\x00\x00.")),
    "an empty checkpoint": ("is not a checkpoint", _text(CHECKPOINT, b"")),
    "a header of 2**63 bytes": ("a header of more than", _tensors(b"{}", length=2**63)),
    "a header of ten megabytes": ("a header of more than", _tensors(b'{"a":"' + b"x" * 10_000_000 + b'"}')),
    "a header that is cut short": ("is not a checkpoint", _tensors(b'{"x":', length=2_000)),
    "a header of 100,000 brackets": ("is not a checkpoint", _tensors(b"[" * 100_000)),
    "tensors beyond the end": ("is not a checkpoint", _tensor(dtype="F32", shape=[4], data_offsets=[0, 10_000])),
    "tensors of 2**62 numbers": ("is not a checkpoint", _tensor(dtype="F32", shape=[2**31, 2**31], data_offsets=[0, 64])),
    "tensors of an unknown type": ("is not a checkpoint", _tensor(dtype="PICKLE", shape=[16], data_offsets=[0, 64])),
    "tensors that overlap": ("is not a checkpoint", _tensors(json.dumps({name: {"dtype": "U8", "shape": [64], "data_offsets": [0, 64]} for name in "ab"}).encode(), bytes(64))),
    "a checkpoint of another model": ("not a checkpoint of this run's model", _other_model),
    "a checkpoint without an embedding": ("is not a checkpoint", _tensor(dtype="U8", shape=[64], data_offsets=[0, 64])),
    "a state that is not JSON": ("is not a checkpoint", _metadata(state="{")),
    "a state of 10,000 brackets": ("is not a checkpoint", _metadata(state="[" * 10_000)),
    "a waypoint that is a pickle": ("a header of more than", _text(WAYPOINT, b"\x80\x04\x95\x0f\x00\x00\x00\x00\x00.")),
    "a waypoint without a rate": ("without the state", lambda folder: write_checkpoint(RunFolder(folder), WAYPOINT, state="{}")),
    "a state without a rate": ("without the state", _metadata(state="{}")),
    "a rate of 400 digits": ("without the state", _metadata(state='{"learning_rate": 1' + "0" * 400 + "}")),
    "numbers that are a list": ("without the state", _metadata(numbers="[]")),
}  # fmt: skip
