"""Recording of any training loop as a run: `with lamplighter.record(folder, vocabulary=tokens) as recorder`."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, SupportsIndex

from lamplighter.client.errors import InputError, whole_number
from lamplighter.client.recorder import Recorder
from lamplighter.client.recording.loop_facts import LoopFacts, choose_rows
from lamplighter.client.recording.record_warnings import warn
from lamplighter.client.sources.vocabulary_files import make_vocabulary, read_vocabulary
from lamplighter.contract.recipe import DEFAULT_DISK_BUDGET
from lamplighter.runfolder.loop_facts import MAX_CONFIG_BYTES
from lamplighter.runfolder.run_store import run_id_of
from lamplighter.wire.vocabulary import Vocabulary

_MAX_DEPTH = 8
_MAX_TEXT = 1_000


def make_config(config: object) -> dict[str, Any]:
    """Return a configuration as plain JSON values, with other objects as text.

    Raises:
        InputError: it is not a mapping, or too large.
    """
    if not isinstance(config, Mapping):
        raise InputError(
            f"config: a mapping of name to value is needed, such as a dict, not {type(config).__name__}"
        )
    plain: dict[str, Any] = _plain(config, 0)
    size = len(json.dumps(plain).encode())
    if size > MAX_CONFIG_BYTES:
        raise InputError(
            f"config: {size:,} bytes as JSON, at most {MAX_CONFIG_BYTES:,}: keep the settings that matter"
        )
    return plain


def _plain(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if isinstance(value, str):
        return value[:_MAX_TEXT]
    if depth < _MAX_DEPTH:
        if isinstance(value, Mapping):
            return {str(name)[:_MAX_TEXT]: _plain(one, depth + 1) for name, one in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [_plain(one, depth + 1) for one in value]
    return str(value)[:_MAX_TEXT]


def record(
    folder: str | os.PathLike[str],
    vocabulary: Vocabulary | Iterable[str] | Mapping[str, SupportsIndex] | str | os.PathLike[str],
    *,
    embedding: Any = None,
    counts: Sequence[int] | None = None,
    classes: Mapping[str, Iterable[str | int]] | None = None,
    steps: SupportsIndex | None = None,
    name: str = "",
    keyframe_every: SupportsIndex = 100,
    disk_budget: SupportsIndex = DEFAULT_DISK_BUDGET,
    every: SupportsIndex = 1,
    first_step: SupportsIndex = 0,
    config: Mapping[str, Any] | None = None,
    keep_rows: Iterable[str | SupportsIndex] | None = None,
    on_error: Literal["warn", "raise"] = "warn",
    resume: bool = False,
) -> Recorder:
    """Record a training loop as a run, live in the dashboard of a server over the folder's parent.

    Args:
        folder: the run's folder, which must not exist yet or be empty. Its name becomes the run's id, which has only
            a-z, 0-9 and '-': another name is changed to the nearest id (`my-run` for "My_Run"), with a warning.
        vocabulary: the tokens by id, V of them; or a mapping of token to id, as a tokeniser's `get_vocab()`
            gives it; or the path of a file with them (see `read_vocabulary`).
        embedding: the matrix before the first step, shape (V, D). Without it the record begins after the first step,
            and the rows moved by that step are unknown.
        counts: occurrences of each token in the text, shape (V,), if known.
        classes: known groups of tokens: a mapping of name to tokens or ids.
        steps: the last step of the loop, if known: the page then shows the progress.
        name: the name of the text.
        keyframe_every: steps between two full matrices.
        disk_budget: maximum bytes of the run; near this limit less is kept, and the run reports it.
        every: record the steps whose number is a multiple of it.
        first_step: the number of the last step before the record, if a loop continues from a checkpoint.
        config: settings of the loop to keep: JSON values by name.
        keep_rows: tokens or ids, at most 1,000, whose rows are kept exactly at every recorded step, however many others move.
        on_error: the handling of an error in a step: `warn` ends the record with one warning while the loop continues,
            `raise` raises it in the loop.
        resume: continue the run in `folder` after its step `first_step`, whose matrix is `embedding`; what followed no longer
            counts once the first step is recorded.

    Raises:
        InputError: an argument is invalid, or the folder cannot be created; the message says which and why.
        FileExistsError: `folder` is not empty.
    """
    if isinstance(vocabulary, Vocabulary):
        loaded = vocabulary
    elif isinstance(vocabulary, str | os.PathLike):
        if counts is not None or classes is not None:
            raise InputError("counts and classes need a list of tokens, not a vocabulary file")
        loaded = read_vocabulary(vocabulary)
    else:
        loaded = make_vocabulary(vocabulary, counts=counts, classes=classes)
    if on_error not in ("warn", "raise"):
        raise InputError(f"on_error: warn or raise, not {on_error!r}")
    if resume and embedding is None:
        raise InputError("resume: give the matrix with which the loop goes on, embedding=...")
    loop = LoopFacts(
        every=whole_number(every, "every", least=1),
        first_step=whole_number(first_step, "first_step"),
        steps=None if steps is None else whole_number(steps, "steps"),
        config=None if config is None else make_config(config),
        kept_rows=choose_rows(keep_rows, loaded),
    )
    path = Path(folder).absolute()
    run_id = run_id_of(path.name)
    plan = {
        "corpus": {"kind": "recorded", "name": name or (path.name[:200] if run_id != path.name else "")},
        "cadence": {"keyframe_every": whole_number(keyframe_every, "keyframe_every")},
        "steps": loop.planned_steps() or 1,
        "disk_budget": whole_number(disk_budget, "disk_budget"),
    }
    recorder = Recorder(
        path.with_name(run_id),
        loaded,
        plan,
        loop,
        embedding=embedding,
        raises=on_error == "raise",
        resume=resume,
    )
    if run_id != path.name:
        warn(f"the run is recorded in {recorder.folder}: the id of a run has only a-z, 0-9 and '-'")
    return recorder
