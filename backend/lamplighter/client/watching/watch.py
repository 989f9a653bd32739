"""`lamplighter.watch(model, tokenizer)`: one line in front of a training loop that stays as it is."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, SupportsIndex, cast

import torch
from torch import Tensor

from lamplighter.client.errors import InputError
from lamplighter.client.integers import whole_number
from lamplighter.client.record import record
from lamplighter.client.recording.record_warnings import warn
from lamplighter.client.sources.given_vocabulary import name_rows
from lamplighter.client.watching.embedding_search import choose_embedding, unwrap_model
from lamplighter.client.watching.idle_watcher import IdleWatcher
from lamplighter.client.watching.serving_address import say_where
from lamplighter.client.watching.watcher import GradientKind, Watcher
from lamplighter.client.watching.weight_diff import WeightDiff
from lamplighter.runfolder.run_store import run_id_of

FOLDER = "runs"
"""The folder of runs where none is named."""
_MOST_NUMBERED = 10_000


def watch(
    model: Any,
    tokenizer: Any = None,
    folder: str | os.PathLike[str] | None = None,
    *,
    embedding: Any = None,
    every: SupportsIndex = 1,
    gradient: GradientKind | None = "as_used",
    first_step: SupportsIndex = 0,
    steps: SupportsIndex | None = None,
    config: Mapping[str, Any] | None = None,
    on_error: Literal["warn", "raise"] = "warn",
    keyframe_every: SupportsIndex = 100,
) -> Watcher:
    """Watch the training of a model: its steps become a run, and its loop stays as it is.

    Args:
        model: the model, before its first forward pass if it is compiled; in DDP or `torch.compile` or not.
        tokenizer: names the rows: of `transformers`, `tokenizers` or `tiktoken`, a list of tokens, a mapping of token to
            id, or the path of a vocabulary file; None: their ids do.
        folder: the run's, by any name; None: `runs/` and the model's class and the time. A number is added if it exists.
        embedding: the module that looks tokens up, or its name, where the model does not tell.
        every: the steps for each one that is recorded: those whose number is a multiple of it.
        gradient: `as_used`: as the optimiser gets it, unscaled and clipped; `before_clipping`: as it was computed, not with
            a GradScaler nor with DDP; None: none.
        first_step: the number of the last step before, where a training goes on from a checkpoint.
        steps: the number of the last step, where that is known: a page shows how far it is.
        config: what people want kept about the training: JSON values by name.
        on_error: what an error of the record does: `warn` ends the record with a warning, `raise` raises it in the loop.
        keyframe_every: recorded steps between two whole matrices.

    Returns:
        the watcher. It ends with the program, with its `with` block or at `close()`.

    Raises:
        InputError: this training cannot be watched, or an argument cannot be used; the message tells why.
    """
    if gradient not in ("as_used", "before_clipping", None):
        raise InputError(f'gradient: "as_used", "before_clipping" or None, not {str(gradient)[:80]!r}')
    if on_error not in ("warn", "raise"):
        raise InputError(f'on_error: "warn" or "raise", not {str(on_error)[:80]!r}')
    stride = whole_number(every, "every", least=1)
    before = whole_number(first_step, "first_step")
    processes, rank = _processes()
    if gradient == "before_clipping" and processes > 1:
        raise InputError(
            'gradient="before_clipping" cannot be where several processes train together: before clipping each has its'
            ' own part of the gradient; use "as_used"'
        )
    root = unwrap_model(model)
    module, name = choose_embedding(root, embedding)
    weight = cast(Tensor, module.weight)
    if rank:
        return IdleWatcher()
    vocabulary = name_rows(tokenizer, len(weight))
    diff = WeightDiff(weight)
    path, title = _free_folder(folder, type(root).__name__)
    recorder = record(
        path,
        vocabulary,
        embedding=diff,
        name=title,
        steps=steps,
        keyframe_every=keyframe_every,
        every=stride,
        first_step=before,
        config=config,
        on_error=on_error,
    )
    watcher = Watcher(
        root,
        module,
        recorder,
        diff,
        every=stride,
        gradient=gradient,
        first_step=before,
        raises=on_error == "raise",
        shared=processes > 1,
    )
    print(
        f"{say_where(path)} (the embedding is {name or type(module).__name__}, {diff.shape[0]:,} x {diff.shape[1]})"
    )
    if processes > 1:
        warn(
            f"{processes} processes train together: the ids of a step are those of this process alone, its gradient and its"
            " moves are of all",
            level=3,
        )
    return watcher


def _free_folder(folder: str | os.PathLike[str] | None, model: str) -> tuple[Path, str]:
    """Return where a run is to be, which nothing is yet, and how people call it: a name without a folder is in `runs/`."""
    given = Path(folder) if folder is not None else Path(f"{model} {time.strftime('%Y-%m-%d %H.%M')}")
    parent = given.parent if given.is_absolute() or len(given.parts) > 1 else Path(FOLDER)
    run_id = run_id_of(given.name)
    for number in range(1, _MOST_NUMBERED):
        ending = "" if number == 1 else f"-{number}"
        path = (parent / f"{run_id[: 80 - len(ending)]}{ending}").absolute()
        if not path.exists() and not path.is_symlink():
            return path, given.name
    raise InputError(
        f"folder: {parent / run_id} and thousands of the same name are there: choose another name"
    )


def _processes() -> tuple[int, int]:
    """Return how many processes train together, and the rank of this one."""
    distributed = torch.distributed
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_world_size(), distributed.get_rank()
    return 1, 0
