"""`lamplighter import`: a run from a zip, whose contents are untrusted until checked.

Everything is rewritten: SQLite rows are copied one by one (`runfolder/importing/checked_copy.py`), JSON is
parsed, checked and written again. A checkpoint is a safetensors file, never a pickle, and only its header is
read. The run appears whole, under a new id, or not at all.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from lamplighter import failpoint
from lamplighter.exports.archive.unpack import MAX_TOTAL_BYTES, unpack
from lamplighter.exports.output import ExportError, ExportProgress, sub_progress
from lamplighter.recipe import Recipe
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.importing.checked_copy import copy_layouts, copy_measures, copy_steps, copy_tiles
from lamplighter.runfolder.importing.untrusted_sqlite import RecordShape
from lamplighter.runfolder.phase import ENDED_PHASES
from lamplighter.runfolder.run_folder import RunFolder, write_atomically
from lamplighter.runfolder.run_store import RunStore
from lamplighter.wire.vocabulary import Vocabulary

_MAX_TOKEN = 10_000


def import_zip(
    run_store: RunStore, source: Path, progress: ExportProgress, total: int = MAX_TOTAL_BYTES
) -> tuple[RunFolder, str]:
    """Create a run from a zip, written by `lamplighter export --to zip` or by anyone else.

    Args:
        run_store: where the run goes.
        source: the zip.
        progress: called with the share done; may raise `Cancelled`.
        total: maximum number of bytes when unpacked.

    Returns:
        The run, and a remark on what was changed (empty if only its id was).

    Raises:
        ExportError: the zip is refused; the message says why. No file of it is kept.
    """
    making = run_store.path / f".importing-{secrets.token_hex(6)}"
    (making / "packed").mkdir(parents=True)
    (making / "run" / "checkpoints").mkdir(parents=True)
    try:
        unpack(source, making / "packed", lambda share, what: progress(share / 2, what), total)
        with failpoint.trigger_within("import"):
            remark = _copy_run(RunFolder(making / "packed"), RunFolder(making / "run"), progress)
        run = run_store.adopt(making / "run", RunFolder(making / "run").recipe)
        progress(1.0, run.id)
        return run, remark
    except FormatError as error:
        raise ExportError(f"{source.name}: {error}") from error
    except OSError as error:
        raise ExportError(f"{source.name} cannot be imported: {error.strerror or error}") from error
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _copy_run(packed: RunFolder, copy: RunFolder, progress: ExportProgress) -> str:
    recipe, vocabulary = _recipe(packed), _vocabulary(packed)
    shape = RecordShape(len(vocabulary), recipe.model.dim)
    write_atomically(copy.path / "recipe.json", recipe.model_dump_json(indent=2))
    if packed.source_path.exists():
        try:
            write_atomically(copy.source_path, packed.source_path.read_bytes().decode("utf-8"))
        except UnicodeDecodeError as error:
            raise ExportError("source.txt is not UTF-8: refused") from error
    if recipe.corpus.kind == "recorded":
        copy.write_vocabulary(vocabulary)
    else:
        _copy_corpus(packed, copy, vocabulary)
    tick = sub_progress(progress, 0.55, 0.55, "checking every step")
    phase = copy_steps(packed.steps_path, copy.steps_path, shape, lambda: tick(0))
    if packed.tiles_path.exists():
        copy_tiles(packed.tiles_path, copy.tiles_path, shape, lambda: tick(0))
    for source, target in (
        (packed.layouts_path, copy.layouts_path),
        (packed.relayouts_path, copy.relayouts_path),
    ):
        if source.exists():
            copy_layouts(source, target, shape, lambda: tick(0))
    if packed.measures_path.exists():
        copy_measures(packed.measures_path, copy.measures_path, lambda: tick(0))
    for path in packed.checkpoints.glob("*.safetensors"):
        _check_tensors(path)
        path.rename(copy.checkpoints / path.name)
    if phase in ENDED_PHASES:
        return ""
    return f"it was {phase} when it was exported: it is marked interrupted, and nothing trains it until you continue it"


def _copy_corpus(packed: RunFolder, copy: RunFolder, vocabulary: Vocabulary) -> None:
    try:
        token_ids = packed.token_ids
        with (packed.path / "corpus.npy").open("rb") as file:
            facts = {"sha256": hashlib.file_digest(file, "sha256").hexdigest(), "tokens": len(token_ids)}
        tokeniser = json.dumps(_read_json_object(packed.path / "tokeniser.json"), ensure_ascii=False)
    except FileNotFoundError as error:
        raise ExportError(f"this is not the zip of a run: it has no {Path(error.filename).name}") from error
    if _read_json_object(packed.path / "corpus.json") != facts:
        raise ExportError("corpus.npy is not what corpus.json says: refused")
    copy.write_corpus(token_ids, vocabulary, tokeniser)


def _recipe(packed: RunFolder) -> Recipe:
    """Read the recipe. Its corpus name is only displayed; no path in it is ever opened."""
    try:
        return packed.recipe
    except UnicodeDecodeError as error:
        raise ExportError("recipe.json is not UTF-8: refused") from error


def _vocabulary(packed: RunFolder) -> Vocabulary:
    vocabulary = packed.vocabulary
    if not len(vocabulary) or bool((vocabulary.counts < 0).any()):
        raise ExportError("vocabulary.json holds no tokens, or negative counts: refused")
    names = [*vocabulary.tokens, *vocabulary.classes, *(r.name for r in vocabulary.relations)]
    try:
        "".join(names).encode("utf-8")
    except UnicodeEncodeError as error:
        raise ExportError("vocabulary.json holds text that is no Unicode: refused") from error
    if any(len(name) > _MAX_TOKEN for name in names):
        raise ExportError(f"vocabulary.json holds a token of more than {_MAX_TOKEN:,} characters: refused")
    members = [i for ids in vocabulary.classes.values() for i in ids]
    if len(set(members)) != len(members):
        raise ExportError("vocabulary.json has a token in two classes: refused")
    return vocabulary


def _read_json_object(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes().decode("utf-8"))
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise ExportError(f"{path.name} is not JSON: refused") from error
    if not isinstance(value, dict):
        raise ExportError(f"{path.name} is no JSON object: refused")
    return value  # pyright: ignore[reportUnknownVariableType]


def _check_tensors(path: Path) -> None:
    try:
        with safe_open(path, framework="np") as file:
            for text in (file.metadata() or {}).values():
                json.loads(text)
    except (SafetensorError, ValueError, RecursionError, OSError) as error:
        raise ExportError(f"{path.name} is not a checkpoint: refused") from error
