"""What is published of a run: a manifest that names every object with its digest and size, and `current`, which names the
manifest. Objects are named by their content, so that nothing is ever overwritten by something else.

    <prefix>/runs.json                      the ids of the runs
    <prefix>/<run>/current                  the manifest that counts
    <prefix>/<run>/manifest-<n>.json
    <prefix>/<run>/objects/<sha256>

All that is read here comes from a stranger.
"""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lamplighter.contract.strict_input import explain_validation_error
from lamplighter.runfolder.importing.run_checks import (
    MAX_MATRICES,
    MAX_MEMBERS,
    MAX_TOTAL_BYTES,
    MEGABYTE,
    find_fault,
)
from lamplighter.runfolder.published.object_store import (
    MissingObjectError,
    ObjectReader,
    StoreError,
    read_small,
)
from lamplighter.runfolder.reading.step_figures import FIGURES_FILE
from lamplighter.runfolder.run_folder import RUN_ID_PATTERN
from lamplighter.runfolder.run_name import PLAIN_NAME_FILE
from lamplighter.runfolder.writing.waypoint_budget import MAX_WAYPOINTS

INDEX = "runs.json"
MAX_RUNS = 200
MAX_SMALL = 64 << 10
"""Maximum bytes of an index, and of `current`."""
MAX_MANIFEST = 8 * MEGABYTE
BLOCK = 1 << 16
"""Bytes of a block of a file that is read by range; each has a digest of its own."""
_DIGEST_BYTES = 32
_OWN_LIMITS = {PLAIN_NAME_FILE: 4 << 10, FIGURES_FILE: 64 * MEGABYTE}
"""Maximum bytes of the files that an exported zip lacks."""

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 in hexadecimal."""
Model = TypeVar("Model", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class PublishedObject(_Strict):
    """An object: its content's digest, which is its name, and its size."""

    sha256: Digest
    size: int = Field(ge=0, le=MAX_TOTAL_BYTES)


class PublishedFile(PublishedObject):
    """A file of a run."""

    path: str = Field(max_length=100)
    """Its path in the run's folder."""

    @property
    def is_database(self) -> bool:
        """Return whether the file is read by range, in place."""
        return self.path.endswith(".sqlite")

    @property
    def blocks(self) -> int:
        return -(-self.size // BLOCK) if self.is_database else 0


class Manifest(_Strict):
    """All files of a run at one time."""

    format: Literal["lamplighter-run-1"] = "lamplighter-run-1"
    run: str = Field(pattern=rf"^{RUN_ID_PATTERN}$")
    created: float = Field(ge=0, le=1e11)
    """Unix seconds."""
    files: tuple[PublishedFile, ...] = Field(max_length=MAX_MEMBERS + MAX_WAYPOINTS + MAX_MATRICES)
    blocks: PublishedObject
    """The digests of all blocks, 32 bytes each, in the order of the files."""

    @property
    def total_bytes(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def objects(self) -> dict[str, int]:
        return {one.sha256: one.size for one in (*self.files, self.blocks) if one.size}


class Current(PublishedObject):
    """The name of the manifest that counts."""

    format: Literal["lamplighter-current-1"] = "lamplighter-current-1"
    manifest: str = Field(pattern=r"^manifest-[1-9][0-9]{0,8}\.json$")


class RunIndex(_Strict):
    """The ids of the published runs."""

    format: Literal["lamplighter-runs-1"] = "lamplighter-runs-1"
    runs: tuple[Annotated[str, Field(pattern=rf"^{RUN_ID_PATTERN}$")], ...] = Field(max_length=MAX_RUNS)


def object_key(prefix: str, digest: str) -> str:
    """Return the key of an object of the run at a prefix, which is empty or ends in a slash."""
    return f"{prefix}objects/{digest}"


def parse(kind: type[Model], data: bytes, where: str) -> Model:
    """Return the checked content of a stranger's JSON. Raises StoreError if it is not of that kind."""
    try:
        return kind.model_validate_json(data)
    except (ValidationError, RecursionError) as error:
        why = explain_validation_error(error) if isinstance(error, ValidationError) else "too deep"
        if re.search(rb'"lamplighter-(run|runs|current)-([2-9]|\d\d)', data[:200]):
            why = "it was published by a newer version: update Lamplighter"
        raise StoreError(f"{where} is not a published run's: {why}") from error


def list_runs(objects: ObjectReader) -> list[tuple[str, str]]:
    """Return the id and the prefix of each published run. A run that lies at the address itself has an empty
    id and prefix. Raises MissingObjectError if nothing is published there, StoreError if the store cannot
    be read.
    """
    try:
        data = read_small(objects, INDEX, MAX_SMALL)
    except MissingObjectError as missing:
        try:
            read_small(objects, "current", MAX_SMALL)
        except MissingObjectError:
            raise MissingObjectError(f"{missing}, so no run is published there") from missing
        return [("", "")]
    index = parse(RunIndex, data, f"{objects.place}: {INDEX}")
    return [(run, f"{run}/") for run in sorted(set(index.runs))]


def read_manifest(objects: ObjectReader, prefix: str) -> Manifest:
    """Return the current manifest of the run at a prefix. Raises MissingObjectError if nothing is published
    there, StoreError if it cannot be read, or names files that a run does not have.
    """
    where = f"{objects.place}: {prefix}current"
    current = parse(Current, read_small(objects, f"{prefix}current", MAX_SMALL), where)
    data = read_small(objects, f"{prefix}{current.manifest}", MAX_MANIFEST)
    where = f"{objects.place}: {prefix}{current.manifest}"
    require_digest(data, current, where)
    manifest = parse(Manifest, data, where)
    _require_run(manifest, where)
    return manifest


def require_digest(data: bytes, wanted: PublishedObject, where: str) -> None:
    """Check that bytes are those that were published. Raises StoreError if they are not."""
    if len(data) != wanted.size or hashlib.sha256(data).hexdigest() != wanted.sha256:
        raise StoreError(f"{where} is not what was published: changed, or damaged")


def _require_run(manifest: Manifest, where: str) -> None:
    if (fault := find_fault(((file.path, file.size) for file in manifest.files), _OWN_LIMITS)) is not None:
        raise StoreError(f"{where}: {fault}")
    if manifest.blocks.size != _DIGEST_BYTES * sum(file.blocks for file in manifest.files):
        raise StoreError(f"{where}: some blocks have no digests: refused")


def split_digests(manifest: Manifest, digests: bytes) -> dict[str, bytes]:
    """Return the digests of the blocks of each file, by path."""
    found, at = dict[str, bytes](), 0
    for file in manifest.files:
        end = at + _DIGEST_BYTES * file.blocks
        found[file.path], at = digests[at:end], end
    return found
