"""`lamplighter.watch(model, tokenizer)`: one line in front of a training loop that stays as it is."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, SupportsIndex

import torch

from lamplighter.client.errors import InputError
from lamplighter.client.integers import whole_number
from lamplighter.client.record import record
from lamplighter.client.recorder import Recorder
from lamplighter.client.recording.record_warnings import describe_error, say, warn
from lamplighter.client.sources.given_vocabulary import name_rows, read_given_vocabulary
from lamplighter.client.watching.embedding_search import choose_table, name_candidates, unwrap_model
from lamplighter.client.watching.idle_watcher import IdleWatcher
from lamplighter.client.watching.serving_address import find_server
from lamplighter.client.watching.watcher import GradientKind, Watcher, end_earlier_watch
from lamplighter.client.watching.weight_diff import WeightDiff
from lamplighter.recipe import DEFAULT_DISK_BUDGET
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.run_store import run_id_of

FOLDER = "runs"
"""The folder of runs where none is named."""
_MOST_NUMBERED = 10_000
_RANKS = {"RANK": "WORLD_SIZE", "LOCAL_RANK": "LOCAL_WORLD_SIZE", "SLURM_PROCID": "SLURM_STEP_NUM_TASKS"}
"""Where launchers say which of several processes this is, and of how many. The last is there within `srun` alone."""


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
    disk_budget: SupportsIndex = DEFAULT_DISK_BUDGET,
) -> Watcher:
    """Watch the training of a model: its steps become a run, and its loop stays as it is.

    A folder that cannot be made, a disk that is full or any error of ours is said in one warning, and the training goes on
    unrecorded, unless `on_error` is "raise".

    Args:
        model: the model, before its first forward pass if it is compiled; in DDP or `torch.compile` or not.
        tokenizer: names the rows: of `transformers`, `tokenizers` or `tiktoken`, a list of tokens, a mapping of token to
            id, or the path of a vocabulary file; None: their ids do.
        folder: the run's, by any name; None: `runs/` and the model's class and the time. A number is added if it exists.
        embedding: the module that looks tokens up, an output layer, or a parameter that is no module's weight; or the name
            of any. None: `get_input_embeddings()`, or the `nn.Embedding` that has a row for each token.
        every: the steps for each one that is recorded: those whose number is a multiple of it.
        gradient: `as_used`: as the optimiser gets it, unscaled and clipped; `before_clipping`: as it was computed, not with
            a GradScaler nor with DDP; None: none.
        first_step: the number of the last step before, where a training goes on from a checkpoint.
        steps: the number of the last step, where that is known: a page shows how far it is.
        config: what people want kept about the training: JSON values by name.
        on_error: what an error of the record does: `warn` ends the record with a warning, `raise` raises it in the loop.
        keyframe_every: recorded steps between two whole matrices.
        disk_budget: bytes that the run may take.

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

    def attach() -> Watcher:
        root = unwrap_model(model)
        given = None if tokenizer is None else read_given_vocabulary(tokenizer, "tokenizer")[0]
        table = choose_table(root, embedding, None if given is None else len(given))
        vocabulary = name_rows(given, len(table.weight))
        if rank:
            why = f"this is process {rank} of {processes}, and the first one records"
            say(why)
            return IdleWatcher(why)
        end_earlier_watch(table.weight)
        diff = WeightDiff(table.weight)
        recorder = _begin_in_free_folder(
            folder,
            type(root).__name__,
            lambda path, title: record(
                path,
                vocabulary,
                embedding=diff,
                name=title,
                steps=steps,
                keyframe_every=keyframe_every,
                disk_budget=disk_budget,
                every=stride,
                first_step=before,
                config=config,
                on_error=on_error,
            ),
        )
        try:
            watcher = Watcher(
                root,
                table,
                recorder,
                diff,
                every=stride,
                gradient=gradient,
                first_step=before,
                raises=on_error == "raise",
                shared=processes > 1,
                others=name_candidates(root),
                address=find_server(recorder.folder),
            )
            say(watcher.introduction)
            if processes > 1:
                warn(
                    f"{processes} processes train together: the ids and the loss of a step are those of this process alone,"
                    " its gradient and its moves are of all"
                )
            # Last of all: an error before this leaves nothing in the model.
            watcher.install(root, table)
        except Exception as error:
            recorder.close(Phase.INTERRUPTED, describe_error(error))
            raise
        return watcher

    try:
        return attach()
    except Exception as error:
        refused = isinstance(error, InputError) and not isinstance(error.__cause__, OSError)
        if refused or on_error == "raise":
            raise
        warn(f"this training is not recorded, and goes on: {describe_error(error)}")
        return IdleWatcher(describe_error(error))


def _begin_in_free_folder(
    folder: str | os.PathLike[str] | None, model: str, begin: Callable[[Path, str], Recorder]
) -> Recorder:
    """Begin a record in the first folder of a name that no other process has taken."""
    given = Path(folder) if folder is not None else Path(f"{model} {time.strftime('%Y-%m-%d %H.%M')}")
    for path in _numbered_folders(given):
        if path.exists() or path.is_symlink():
            continue
        try:
            return begin(path, given.name)
        except FileExistsError:
            continue
    raise FileExistsError(f"{given} and thousands of the same name are there: choose another name")


def _numbered_folders(given: Path) -> Iterator[Path]:
    """Yield where a run of a name may be: a name without a folder is in `runs/`."""
    parent = given.parent if given.is_absolute() or len(given.parts) > 1 else Path(FOLDER)
    run_id = run_id_of(given.name)
    for number in range(1, _MOST_NUMBERED):
        ending = "" if number == 1 else f"-{number}"
        yield (parent / f"{run_id[: 80 - len(ending)]}{ending}").absolute()


def _processes() -> tuple[int, int]:
    """Return how many processes train together, and the rank of this one.

    A process that has joined no group yet is asked for what its launcher told it.
    """
    distributed = torch.distributed
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_world_size(), distributed.get_rank()
    for name, size in _RANKS.items():
        told, of = os.environ.get(name, ""), os.environ.get(size, "")
        if told.isdecimal():
            return max(int(of) if of.isdecimal() else 1, int(told) + 1), int(told)
    return 1, 0
