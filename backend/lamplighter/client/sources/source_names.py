"""The names of sources, for unnamed runs, and the steps in them."""

from __future__ import annotations

import re
from pathlib import Path

from lamplighter.runfolder.run_store import run_id_of

_ENDINGS = (
    ".safetensors.index.json",
    ".safetensors",
    ".npy",
    ".npz",
    ".txt",
    ".vec",
    ".bin",
    ".tsv",
    ".bytes",
)
_GENERAL = frozenset(
    {"model", "pytorch_model", "embedding", "embeddings", "vectors", "tensors", "weights", "wte"}
)
"""Generic file names: every model of transformers is called `model`."""
CHECKPOINT_NAME = re.compile(r"(?:checkpoint|ckpt|(?:global_)?steps?|epochs?|iter)[-_]?\d+", re.I)
"""A name with only the number of a checkpoint."""
_NUMBER = re.compile(r"\d+")
_SHARD = re.compile(r"-\d{5}-of-\d{5}$")


def name_source(path: Path) -> str:
    """Return the default name of a run of this file or folder: its name, or that of its parent if it is generic."""
    full = path.absolute()
    if full.name in ("", "..") or full.parts[-1:] == (".",):
        full = full.resolve()
    name = _SHARD.sub("", _without_ending(full.name))
    if name.lower() in _GENERAL or not name:
        return name_source(full.parent) if full.parent.name else name
    if full.parent.name == "snapshots" and full.parent.parent.name.startswith("models--"):
        # The Hugging Face cache: models--openai-community--gpt2/snapshots/<hash>.
        return full.parent.parent.name.removeprefix("models--").replace("--", " ")
    return f"{full.parent.name} {name}" if CHECKPOINT_NAME.fullmatch(name) and full.parent.name else name


def step_in_name(path: Path) -> int | None:
    """Return the step at the end of a checkpoint's name, or else within it, or in that of its folder: 500 for
    `checkpoint-500` and for `500/sae_weights.safetensors`; None if there is none."""
    numbers = _NUMBER.findall(_without_ending(path.name)) or _NUMBER.findall(path.parent.name)
    return int(numbers[-1]) if numbers and len(numbers[-1]) < 12 else None


def free_run_path(store: Path, name: str) -> Path:
    """Return the path of a new run in a store: the id nearest to its name, with the first free number from 2
    if taken."""
    run_id = run_id_of(name)
    path, number = store / run_id, 2
    while path.exists() or path.is_symlink():
        path, number = store / f"{run_id[:74].rstrip('-')}-{number}", number + 1
    return path


def _without_ending(name: str) -> str:
    return next((name[: -len(end)] for end in _ENDINGS if name.lower().endswith(end)), name)
