"""Checkpoints: model and optimiser state in one safetensors file each, never a pickle.

A checkpoint is written atomically; the last two are kept to resume from. A waypoint is a checkpoint that stays.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from lamplighter.model.checkpoint_files import CheckpointFile, checkpoint_name, list_checkpoints
from lamplighter.model.learner import Learner, LearnerState, read_state, write_state
from lamplighter.model.observer import Observer
from lamplighter.platform import failpoint
from lamplighter.platform.folder_sync import replace_durably, sync_file
from lamplighter.platform.private_modes import make_private_folder, restrict_like_folder

KEPT_CHECKPOINTS = 2
RETRY_SECONDS = 10.0
"""Delay before retrying a checkpoint that could not be written."""


class CheckpointError(RuntimeError):
    """An error for a checkpoint that could not be written."""


def save_checkpoint(
    folder: Path,
    step: int,
    attempt: int,
    learner: Learner,
    observer: Observer,
    state: dict[str, Any],
    *,
    kept: int | None = KEPT_CHECKPOINTS,
) -> None:
    """Write a checkpoint of the state after `step` of an attempt. `state`: other small JSON data to save (the
    learning rate, ...). `kept`: the number of newest checkpoints to keep in the folder; None for all.
    Raises CheckpointError if the file could not be written: earlier checkpoints stay, and no partial file
    is left.
    """
    own = read_state(learner)
    tensors, numbers = dict(own.tensors), own.numbers
    tensors["observer.touches"] = torch.from_numpy(observer.touches.astype(np.int64))
    tensors["observer.last_lit"] = torch.from_numpy(observer.last_lit.astype(np.int64))
    path = folder / checkpoint_name(step, attempt)
    temporary = path.with_suffix(".part")
    metadata = {"numbers": json.dumps(numbers), "state": json.dumps(state)}
    on_host = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
    try:
        make_private_folder(folder, exist_ok=True)
        clear_partial_checkpoints(folder)
        with failpoint.trigger_within("checkpoint-write"):
            save_file(on_host, temporary, metadata=metadata)
            restrict_like_folder(temporary)
            failpoint.trigger("checkpoint-unsynced")
            sync_file(temporary)
            failpoint.trigger("checkpoint-unnamed")
            # Remove old ones only once the new name is durable.
            replace_durably(temporary, path)
            failpoint.trigger("checkpoint-named")
            if kept is not None:
                for old in list_checkpoints(folder)[:-kept]:
                    old.path.unlink(missing_ok=True)
    except (OSError, SafetensorError) as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise CheckpointError(f"the checkpoint of step {step} could not be written: {error}") from error


def clear_partial_checkpoints(folder: Path) -> None:
    """Remove incomplete files of a killed process. Only the caller may write to the folder."""
    for partial in folder.glob("*.part"):
        partial.unlink(missing_ok=True)


def load_checkpoint(file: CheckpointFile, learner: Learner, observer: Observer) -> dict[str, Any]:
    """Restore a learner and its observer. Return the `state` saved with the checkpoint. Raises ValueError if
    the file is damaged, or belongs to another model.
    """
    try:
        with safe_open(file.path, framework="pt") as stored:  # pyright: ignore[reportUnknownVariableType]
            metadata = stored.metadata() or {}
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        numbers: dict[str, Any] = json.loads(metadata["numbers"])
        write_state(learner, LearnerState(tensors, numbers))
        touches, last_lit = tensors["observer.touches"], tensors["observer.last_lit"]
    except (OSError, SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise ValueError(f"{file.path.name} is not a checkpoint of this model: {error}") from error
    observer.restore(touches.numpy().astype(np.uint32), last_lit.numpy().astype(np.uint32))
    return json.loads(metadata["state"])
