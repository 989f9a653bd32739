"""The files of checkpoints: their names and their order. This module must not import torch, since the server lists them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_NAME = re.compile(r"(\d{10})-(\d{4})\.safetensors")


@dataclass(frozen=True)
class CheckpointFile:
    """A checkpoint file on disk."""

    step: int
    attempt: int
    path: Path


def list_checkpoints(folder: Path) -> list[CheckpointFile]:
    """Return the checkpoints in a folder, ordered by step and attempt."""
    found = [
        CheckpointFile(int(match[1]), int(match[2]), path)
        for path in folder.glob("*.safetensors")
        if (match := _NAME.fullmatch(path.name))
    ]
    return sorted(found, key=lambda file: (file.step, file.attempt))


def checkpoint_name(step: int, attempt: int) -> str:
    return f"{step:010d}-{attempt:04d}.safetensors"
