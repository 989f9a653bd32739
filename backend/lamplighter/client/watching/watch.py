"""`lamplighter.watch(model, tokenizer)`: one line before an unchanged training loop."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, SupportsIndex

import torch

from lamplighter.client.errors import InputError, whole_number
from lamplighter.client.pushing.push_client import check_server, check_token
from lamplighter.client.pushing.worker import TOKEN_VARIABLE, PushProcess
from lamplighter.client.record import record
from lamplighter.client.recorder import Recorder
from lamplighter.client.recording.loop_facts import choose_rows
from lamplighter.client.recording.planned_record import find_recorded_run
from lamplighter.client.recording.record_warnings import describe_error, print_notice, warn
from lamplighter.client.run import open_run
from lamplighter.client.sharding.owned_part import check_split, held_part, is_split, owned_part
from lamplighter.client.sharding.shared_matrix import OwnRows
from lamplighter.client.sharding.shared_recorder import SharedRecorder
from lamplighter.client.sharding.step_exchange import StepExchange
from lamplighter.client.sharding.watch_group import Meeting
from lamplighter.client.sources.vocabulary_files import name_rows, read_given_vocabulary
from lamplighter.client.watching.embedding_search import choose_table, name_candidates, unwrap_model
from lamplighter.client.watching.probe_readings import PlannedProbes, ProbeReadings
from lamplighter.client.watching.serving_address import find_server
from lamplighter.client.watching.table_gradient import GradientKind
from lamplighter.client.watching.watcher import Watch, Watcher, end_earlier_watch
from lamplighter.client.watching.weight_diff import WeightDiff
from lamplighter.contract.recipe import DEFAULT_DISK_BUDGET
from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import TRASH, RunBusyError, RunStore, numbered_id, run_id_of
from lamplighter.runfolder.tables.steps_reader import StepsReader

FOLDER = "runs"
"""The default folder of runs."""
_MAX_NUMBERED = 10_000
_SPLIT = (
    "the embedding is split over processes, and the one that has the record gets a row only if a snapshot needs it;"
    " keyframe_every=1 keeps all rows of each step"
)
_RANKS = {"RANK": "WORLD_SIZE", "LOCAL_RANK": "LOCAL_WORLD_SIZE", "SLURM_PROCID": "SLURM_STEP_NUM_TASKS"}
"""The environment variables in which launchers give the rank and the number of processes. The last is set only within
`srun`."""


def watch(
    model: Any,
    tokenizer: Any = None,
    folder: str | os.PathLike[str] | None = None,
    *,
    embedding: Any = None,
    every: SupportsIndex = 1,
    gradient: GradientKind | None = "as_used",
    token_losses: bool = False,
    probes: Any = None,
    probe_every: SupportsIndex | None = None,
    first_step: SupportsIndex = 0,
    steps: SupportsIndex | None = None,
    config: Mapping[str, Any] | None = None,
    on_error: Literal["warn", "raise"] = "warn",
    keyframe_every: SupportsIndex = 100,
    disk_budget: SupportsIndex = DEFAULT_DISK_BUDGET,
    keep_rows: Iterable[str | SupportsIndex] | None = None,
    push: str | None = None,
    token: str | None = None,
    insecure_http: bool = False,
    alone: bool = False,
    resume: str | os.PathLike[str] | None = None,
) -> Watch:
    """Watch the training of a model: record its steps as a run without changing the loop.

    If the folder cannot be created, the disk is full, or the recording has an error, one warning is shown and the
    training continues unrecorded, unless `on_error` is "raise".

    Args:
        model: the model, before its first forward pass if it is compiled; in DDP or `torch.compile` or not.
        tokenizer: names the rows: a tokeniser of `transformers`, `tokenizers` or `tiktoken`, a list of tokens, a
            mapping of token to id, or the path of a vocabulary file; None: rows are named by their ids.
        folder: the run's folder, with any name; None: `runs/` with the model's class and the time. A number is added if
            it exists.
        embedding: the module that looks up tokens, an output layer, or a parameter that is not a module's weight; or
            the name of any. None: `get_input_embeddings()`, or the `nn.Embedding` with a row for each token.
        every: record the steps whose number is a multiple of it.
        gradient: `as_used`: as the optimiser gets it, unscaled and clipped; `before_clipping`: as it was computed,
            impossible with a GradScaler or DDP; None: not recorded.
        token_losses: keep the largest losses of single tokens of each recorded step, computed once more from the logits that
            the model returns; for a loop without them, `log_losses`.
        probes: tokens in their sentences, whose hidden states in each layer are recorded as a run beside this one: texts,
            whose last word is read, `(text, word)`, or `(text, word, meaning)`. Or a function that is called with the model
            and returns a matrix with a row for each probe, or one for each layer by name; with names and labels as
            `lamplighter.Probes`.
        probe_every: read them at the steps whose number is a multiple of it; None: for at most one percent of the time.
        first_step: the number of the last step before, if a training continues from a checkpoint.
        steps: the number of the last step, if known: the page then shows the progress.
        config: settings of the training to keep: JSON values by name.
        on_error: the handling of an error of the record: `warn` ends the record with a warning, `raise` raises it in
            the loop.
        keyframe_every: recorded steps between two full matrices.
        disk_budget: maximum bytes of the run.
        keep_rows: tokens or ids, at most 1,000, whose rows are kept exactly at every recorded step, with any optimiser.
        push: the address of a server that the run is also sent to while it grows, by a process of its own.
        token: a pusher's token for it; None: that of LAMPLIGHTER_PUSH_TOKEN.
        insecure_http: whether `push` may be plain http to another machine.
        alone: whether this process trains by itself, though it was started with others. Otherwise all of them call `watch`
            after `init_process_group`, and the first has the record of all.
        resume: the name or the folder of a run that this loop continues after the step `first_step`, from a checkpoint.

    Returns:
        the watch. It ends with the program, with its `with` block or at `close()`.

    Raises:
        InputError: this training cannot be watched, or an argument is invalid; the message says why.
    """
    if gradient not in ("as_used", "before_clipping", None):
        raise InputError(f'gradient: "as_used", "before_clipping" or None, not {str(gradient)[:80]!r}')
    if on_error not in ("warn", "raise"):
        raise InputError(f'on_error: "warn" or "raise", not {str(on_error)[:80]!r}')
    stride = whole_number(every, "every", least=1)
    before = whole_number(first_step, "first_step")
    if resume is not None and (not before or folder is not None or probes is not None):
        raise InputError(
            "resume: say with first_step=... after which step of the run the loop goes on; give no folder, which is that of the"
            " run, and no probes, which are a run of their own"
        )
    pace = None if probe_every is None else whole_number(probe_every, "probe_every", least=1)
    server = None if push is None else check_server(push, insecure_http=insecure_http)
    secret = "" if server is None else check_token(token or os.environ.get(TOKEN_VARIABLE))
    rank, processes = (0, 1) if alone else _processes()
    if gradient == "before_clipping" and processes > 1:
        raise InputError(
            'gradient="before_clipping" is impossible if several processes train together: before clipping each has'
            ' only its part of the gradient; use "as_used"'
        )

    meeting = Meeting(rank, processes) if processes > 1 else None

    def attach() -> Watcher:
        root = unwrap_model(model)
        given = None if tokenizer is None else read_given_vocabulary(tokenizer, "tokenizer")[0]
        table = choose_table(root, embedding, None if given is None else len(given))
        weight = table.weight
        vocabulary = name_rows(given, len(weight))
        kept = choose_rows(keep_rows, vocabulary)
        planned = None
        if probes is not None and processes > 1 and is_split(weight):
            raise InputError(
                "probes: a model that is split over processes cannot be read by one of them alone"
            )
        if probes is not None and rank == 0:
            planned = PlannedProbes(probes, tokenizer, vocabulary, root, weight.device)
        end_earlier_watch(weight)
        part = owned_part(weight, rank, processes)
        if kept and is_split(weight):
            raise InputError(f"keep_rows: {_SPLIT}")
        check_split(root, weight, 1 if gradient is None else stride)
        diff = WeightDiff(part.own_rows(weight))
        shared = None
        if meeting is not None:
            facts = {
                "table": [table.name, *weight.shape],
                "every": stride,
                "gradient": gradient,
                "first_step": before,
                "token_losses": token_losses,
                "keep_rows": kept,
                "resume": None if resume is None else os.fspath(resume),
            }
            shape = len(weight), weight.shape[1]
            parts, held = meeting.agree(facts, part, held_part(weight), shape)
            own = OwnRows(part, diff.vectors)
            shared = SharedRecorder(StepExchange(meeting.connect(), parts, held, own, shape))

        def record_in(path: Path, title: str = "") -> Recorder:
            return record(
                path,
                vocabulary,
                embedding=diff if shared is None else shared.exchange.matrix or diff,
                name=title,
                steps=steps,
                keyframe_every=keyframe_every,
                disk_budget=disk_budget,
                keep_rows=kept,
                every=stride,
                first_step=before,
                config=config,
                on_error=on_error,
                resume=resume is not None,
            )

        def begin() -> Recorder:
            if resume is not None:
                path = next(_numbered_folders(Path(resume)))
                if (
                    is_split(weight)
                    and find_recorded_run(path).steps_path.exists()
                    and open_run(path).kept_rows
                ):
                    raise InputError(f"resume: {path.name} keeps rows of each step. {_SPLIT}")
                return record_in(path)
            # A server knows the run that was pushed under a name.
            return _begin_in_free_folder(folder, _class_name(root), record_in, reuse=server is None)

        if shared is not None:
            shared.begin_record(begin if rank == 0 else None)
        recorder = shared or begin()
        readings = None if planned is None else ProbeReadings(planned, pace, raises=on_error == "raise")
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
                part=part,
                others=name_candidates(root),
                address=None if rank else find_server(recorder.folder),
                token_losses=token_losses,
                probes=readings,
            )
            print_notice(watcher.introduction)
            writing = shared.recorder if shared is not None else recorder
            if server is not None and isinstance(writing, Recorder):
                _push_beside(writing, server, secret)
            if readings is not None:
                readings.begin_reading(recorder.run, root, before)
            # Last, so that an earlier error leaves nothing in the model.
            watcher.install(root, table)
        except Exception as error:
            if shared is not None:
                shared.close_after(error)
            else:
                recorder.close(Phase.INTERRUPTED, describe_error(error))
            raise
        return watcher

    try:
        return attach()
    except Exception as error:
        if meeting is not None:
            meeting.refuse(describe_error(error))
        refused = isinstance(error, InputError) and not isinstance(error.__cause__, OSError)
        if refused or on_error == "raise":
            raise
        warn(f"this training continues without being recorded: {describe_error(error)}")
        return Watch(describe_error(error))


def _class_name(model: Any) -> str:
    """Return the name of a model's class, as it was before FSDP2 made another of it."""
    kinds = type(model).__mro__
    return next(kind.__name__ for kind in kinds if not kind.__module__.startswith("torch.distributed."))


def _push_beside(recorder: Recorder, server: str, token: str) -> None:
    process = PushProcess(recorder.folder, server, token)
    recorder.after_close = lambda: print_notice(process.await_end())
    print_notice(
        f"sent to {server}/?run={recorder.folder.name} (with a number if another run has that name there)"
    )


def _begin_in_free_folder(
    folder: str | os.PathLike[str] | None, model: str, begin: Callable[[Path, str], Recorder], *, reuse: bool
) -> Recorder:
    """Start a record in the first numbered folder that no other process has taken. With `reuse`, one whose loop ended before
    its first step makes room."""
    given = Path(folder) if folder is not None else Path(f"{model} {time.strftime('%Y-%m-%d %H.%M')}")
    for path in _numbered_folders(given):
        if (path.exists() or path.is_symlink()) and not (reuse and _trash_empty_run(path)):
            continue
        try:
            return begin(path, given.name)
        except FileExistsError:
            continue
    raise FileExistsError(f"{given} and thousands of numbered ones exist: choose another name")


def _trash_empty_run(path: Path) -> bool:
    """Move a watched run without any step to the trash. Return False, and leave it, if it is another one."""
    run = RunFolder(path)
    try:
        with StepsReader(run.steps_path) as reader:
            empty = reader.phase() in (Phase.INTERRUPTED, Phase.RUNNING) and reader.newest_step()[1] == 0
        if not empty or run.recipe.corpus.kind != "recorded":
            return False
        RunStore(path.parent).trash(run)
    except (RunBusyError, *READ_ERRORS):
        return False
    print_notice(f"{path.name}, which has no step, is in the trash ({path.parent / TRASH})")
    return True


def _numbered_folders(given: Path) -> Iterator[Path]:
    """Yield the possible folders of a run with a name; a bare name is in `runs/`."""
    parent = given.parent if given.is_absolute() or len(given.parts) > 1 else Path(FOLDER)
    run_id = run_id_of(given.name)
    for number in range(1, _MAX_NUMBERED):
        yield (parent / numbered_id(run_id, number)).absolute()


def _processes() -> tuple[int, int]:
    """Return the rank of this process, and the number of those that train together.

    Raises:
        InputError: a launcher started several, and they have no group yet.
    """
    distributed = torch.distributed
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    for name, size in _RANKS.items():
        told, of = os.environ.get(name, ""), os.environ.get(size, "")
        if told.isdecimal() and max(int(told) + 1, int(of) if of.isdecimal() else 1) > 1:
            raise InputError(
                f"{name} says that several processes were started: call watch after torch.distributed.init_process_group, or"
                " with alone=True if each trains by itself"
            )
    return 0, 1
