"""`lamplighter import`: a run from an untrusted zip.

Everything is checked and rewritten: SQLite rows are copied one by one (`runfolder/importing/`), JSON is parsed, checked
and written again. A checkpoint is a safetensors file, never a pickle, and only its header is read. The run appears
complete, under a new id, or not at all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from lamplighter.contract.reason import give_reason
from lamplighter.contract.sentences import say
from lamplighter.exports.archive.run_zip import DIGESTS, MAX_TOTAL_BYTES, require_spare_room, unpack
from lamplighter.exports.output import ExportError, ExportProgress
from lamplighter.platform import failpoint
from lamplighter.platform.folder_sync import link_durably, sync_tree
from lamplighter.platform.printable import quote_foreign
from lamplighter.platform.private_modes import make_private_folder
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.importing.checked_copy import (
    copy_examinations,
    copy_layouts,
    copy_measures,
    copy_tiles,
)
from lamplighter.runfolder.importing.checked_steps import copy_steps
from lamplighter.runfolder.importing.run_checks import (
    RunChecks,
    check_token_ids,
    check_vocabulary,
    read_json_object,
    require_bounded_json,
)
from lamplighter.runfolder.importing.untrusted_sqlite import bounded_sqlite_memory
from lamplighter.runfolder.phase import ENDED_PHASES, Phase
from lamplighter.runfolder.preparation import preparation_folder
from lamplighter.runfolder.run_folder import RunFolder, write_atomically
from lamplighter.runfolder.run_name import NAME_FILE, read_run_name, write_run_name
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.writing.free_space import DISK_FULL_ERRORS
from lamplighter.wire.vocabulary import Vocabulary

_MAX_HEADER = 4_000_000
"""Maximum bytes of a header. The deepest model has about 2,500 tensors, of about 100 bytes each."""
_MAX_RATE = 10.0


def check_checkpoint(path: Path, vocabulary: int, dim: int) -> None:
    """Raise ExportError unless a file has the header of a checkpoint with an embedding of this shape."""
    with path.open("rb") as file:
        header = int.from_bytes(file.read(8), "little")
    if header > _MAX_HEADER:
        raise ExportError(say("import_long_header", name=path.name, most=_MAX_HEADER))
    try:
        with safe_open(path, framework="np") as file:
            metadata: dict[str, str] = file.metadata() or {}
            shapes = [
                file.get_slice(name).get_shape()
                for name in ("model.embedding.weight", "observer.touches", "observer.last_lit")
            ]
        numbers, state = json.loads(metadata["numbers"]), json.loads(metadata["state"])
    except (SafetensorError, KeyError, ValueError, RecursionError, OSError) as error:
        told = say("import_no_checkpoint", name=path.name, error=quote_foreign(error))
        raise ExportError(told) from error
    if shapes != [[vocabulary, dim], [vocabulary], [vocabulary]]:
        raise ExportError(say("import_other_checkpoint", name=path.name))
    if (
        not isinstance(numbers, dict)
        or not isinstance(state, dict)
        or not _is_rate(state.get("learning_rate"))
    ):  # pyright: ignore[reportUnknownMemberType]
        raise ExportError(say("import_no_state", name=path.name))


def _is_rate(value: Any) -> bool:
    return isinstance(value, int | float) and 0 < value <= _MAX_RATE


class ImportedRun(NamedTuple):
    """An imported run, with remarks for its user."""

    run: RunFolder
    remarks: tuple[str, ...]
    """Sentences that say whether its files were compared with digests, and what changed besides the id."""


def import_zip(
    run_store: RunStore, source: Path, progress: ExportProgress, total: int = MAX_TOTAL_BYTES
) -> ImportedRun:
    """Create a run from a zip of any program, of at most `total` unpacked bytes. It raises ExportError if the
    zip is rejected; none of its files are kept then.
    """

    def fill(folder: Path, progress: ExportProgress) -> str:
        return _describe_digests(unpack(source, folder, progress, total))

    return import_files(run_store, source.name, fill, progress)


def import_files(
    run_store: RunStore, name: str, fill: Callable[[Path, ExportProgress], str], progress: ExportProgress
) -> ImportedRun:
    """Create a run from untrusted files, or raise ExportError and keep none of them. `name`: what they come
    from, for messages. `fill` writes known files of bounded size into an empty folder, and returns how they
    were checked.
    """
    try:
        with preparation_folder(run_store.path, "importing") as folder, bounded_sqlite_memory():
            packed, copy = RunFolder(folder / "packed"), RunFolder(folder / "run")
            for part in (packed.path, copy.path, copy.checkpoints):
                make_private_folder(part)
            checked = fill(packed.path, lambda share, what: progress(share / 2, what))
            with failpoint.trigger_within("import"):
                phase = _copy_run(packed, copy, progress)
            sync_tree(copy.path)
            run = run_store.adopt(copy.path, copy.recipe)
        progress(1.0, run.id)
        return ImportedRun(run, tuple(filter(None, (checked, _describe_phase(phase)))))
    except FormatError as error:
        raise ExportError(
            f"{name}: {error}", give_reason("import_wrong", name=name, error=str(error))
        ) from error
    except OSError as error:
        told = say("import_not_copied", name=name, error=error.strerror or str(error))
        raise ExportError(told) from error
    except DISK_FULL_ERRORS as error:
        raise ExportError(say("import_disk_full", name=name)) from error
    except MemoryError as error:
        raise ExportError(say("import_no_memory", name=name)) from error


def _copy_run(packed: RunFolder, copy: RunFolder, progress: ExportProgress) -> str:
    """Copy all files, checking each. Return the phase of the run."""

    def tick() -> None:
        progress(0.55, "checking every step")
        require_spare_room(copy.path)

    # The corpus name is only displayed; no path in a recipe is ever opened.
    recipe = packed.recipe
    recorded = recipe.corpus.kind == "recorded"
    require_bounded_json(packed.path / "vocabulary.json", None if recorded else recipe.corpus.vocabulary_size)
    vocabulary = packed.vocabulary
    check_vocabulary(vocabulary)
    batch_tokens = None if recorded else recipe.batch_tokens
    checks = RunChecks(
        len(vocabulary), recipe.model.dim, batch_tokens, tick, packed.path if recipe.format >= 3 else None
    )
    write_atomically(copy.path / "recipe.json", recipe.model_dump_json(indent=2))
    _copy_name(packed, copy)
    if packed.source_path.exists():
        try:
            write_atomically(copy.source_path, packed.source_path.read_bytes().decode("utf-8"))
        except UnicodeDecodeError as error:
            raise ExportError(say("import_not_utf8", name=copy.source_path.name)) from error
    if recorded:
        copy.write_vocabulary(vocabulary)
    else:
        _copy_corpus(packed, copy, vocabulary)
    # Copy the steps first: the other files may refer only to them.
    phase = copy_steps(packed.steps_path, copy.steps_path, checks)
    packed.steps_path.unlink()
    _move_matrices(packed, copy, checks.matrix_files)
    if packed.landmarks_path.exists():
        check_token_ids(packed.landmarks_path)
        if (landmarks := packed.landmarks) is not None:
            copy.write_landmarks(landmarks)
    for source, target, copy_rows in (
        (packed.tiles_path, copy.tiles_path, copy_tiles),
        (packed.layouts_path, copy.layouts_path, copy_layouts),
        (packed.relayouts_path, copy.relayouts_path, copy_layouts),
        (packed.output_layouts_path, copy.output_layouts_path, copy_layouts),
        (packed.measures_path, copy.measures_path, copy_measures),
        (packed.examinations_path, copy.examinations_path, copy_examinations),
    ):
        if source.exists():
            copy_rows(source, target, checks)
            source.unlink()
    _copy_model_states(packed, copy, len(vocabulary), recipe.model.dim)
    return phase


def _copy_model_states(packed: RunFolder, copy: RunFolder, vocabulary: int, dim: int) -> None:
    """Move the checkpoints and waypoints after checking their headers."""
    for source, target in ((packed.checkpoints, copy.checkpoints), (packed.waypoints, copy.waypoints)):
        for path in source.glob("*.safetensors"):
            check_checkpoint(path, vocabulary, dim)
            make_private_folder(target, exist_ok=True)
            path.rename(target / path.name)
    if copy.waypoints.exists():
        # A checkpoint that is also a waypoint is packed only once; the copy is dropped when the run is continued.
        for path in copy.checkpoints.glob("*.safetensors"):
            link_durably(path, copy.waypoints / path.name)


def _move_matrices(packed: RunFolder, copy: RunFolder, named: set[str]) -> None:
    """Move the files of matrices that keyframes name; the steps' check has compared their headers."""
    present = {f"{path.parent.name}/{path.name}" for path in packed.matrix_paths()}
    if present != named:
        raise ExportError(say("import_other_matrices"))
    for name in sorted(named):
        target = copy.path / name
        make_private_folder(target.parent, exist_ok=True)
        (packed.path / name).rename(target)


def _copy_name(packed: RunFolder, copy: RunFolder) -> None:
    if not (packed.path / NAME_FILE).exists():
        return
    name = read_run_name(packed)
    if name is None:
        raise ExportError(say("import_no_name", name=NAME_FILE))
    write_run_name(copy.path, name)


def _copy_corpus(packed: RunFolder, copy: RunFolder, vocabulary: Vocabulary) -> None:
    try:
        check_token_ids(packed.path / "corpus.npy")
        token_ids = packed.token_ids
        with (packed.path / "corpus.npy").open("rb") as file:
            facts = {"sha256": hashlib.file_digest(file, "sha256").hexdigest(), "tokens": len(token_ids)}
        tokeniser = json.dumps(read_json_object(packed.path / "tokeniser.json"), ensure_ascii=False)
    except FileNotFoundError as error:
        raise ExportError(say("import_no_run", file=Path(error.filename).name)) from error
    if read_json_object(packed.path / "corpus.json") != facts:
        raise ExportError(say("import_other_corpus", name="corpus.npy", other="corpus.json"))
    copy.write_corpus(token_ids, vocabulary, tokeniser, _checked_held_out(packed))


def _checked_held_out(packed: RunFolder) -> NDArray[np.uint32] | None:
    if not packed.held_out_path.exists():
        return None
    check_token_ids(packed.held_out_path)
    return packed.held_out_ids


def _describe_digests(compared: bool) -> str:
    if compared:
        return f"its files are those that {DIGESTS} lists"
    return f"its files were not checked for damage: the zip has no list of digests ({DIGESTS})"


def _describe_phase(phase: str) -> str:
    if phase in ENDED_PHASES:
        return ""
    known = phase if phase in list(Phase) else ascii(phase[:40])
    return f"it was {known} when it was exported: it is marked interrupted, and nothing trains it until you continue it"
