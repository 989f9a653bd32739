"""Fragments: immutable files with the steps of a run, which other machines read (`docs/wire.md`, "Fragments").

The body is a small database with the tables of `steps.sqlite` and only the rows since the fragment before, so that they are
checked exactly as those of an imported run are. The first fragment, the opening of a run, has its recipe and vocabulary
instead, and the identity by which it is known elsewhere.

For its reader every run is a recorded one: that machine has neither its text nor the states of its model. Names are given
twice, on machines that do not know of each other. So the run's folder keeps a random key. Who reads the run elsewhere keeps
its digest, the *identity*, from the opening on, and takes steps only with the key, or from the folder itself.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import struct
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal, NamedTuple

import zstandard
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lamplighter.contract.recipe import Recipe
from lamplighter.contract.strict_input import explain_validation_error
from lamplighter.platform.printable import quote_foreign
from lamplighter.platform.private_modes import open_regular
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.importing.run_checks import check_vocabulary, require_bounded_values
from lamplighter.runfolder.run_folder import RUN_ID_PATTERN, RunFolder, write_atomically
from lamplighter.runfolder.run_name import derive_run_name, read_run_name
from lamplighter.wire.vocabulary import Vocabulary, VocabularyError

RECEIVED_FACT = "received"


MAGIC = b"LAMPFRAG"
FOLDER = "fragments"
"""The folder of a run that holds its fragments."""
MAX_FRAGMENT_BYTES = 320 << 20
"""Maximum bytes of the body of a fragment, unpacked: the largest keyframe of an imported run fits."""
MAX_STEPS = 5_000
"""Maximum steps of a fragment."""
_MAX_HEADER = 4 << 10
_LENGTH = struct.Struct("<I")
_LEVEL = 1
_NAME = re.compile(r"(\d{1,10})-(\d{1,10})-(\d{1,10})-([0-9a-f]{16})\.frag", re.ASCII)

_Count = Annotated[int, Field(ge=0, lt=1 << 32)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Position(_Strict):
    """The position in a record up to which its fragments have been made or read."""

    attempt: _Count = 0
    step: _Count = 0
    """The last step of the attempt; the step before its first one if it has none yet."""
    event: _Count = 0
    """The id of the last event."""
    applied: _Count = 0
    """The id of the last applied request."""
    made: Annotated[int, Field(ge=0, lt=1 << 62)] = 0
    """When the last fragment was made, in microseconds since 1970; it grows from one fragment of a run to the next."""

    def reaches(self, other: Position) -> bool:
        """Return whether a fragment that continues `other` continues this position, too."""
        return (
            (self.attempt, self.step) >= (other.attempt, other.step)
            and self.event >= other.event
            and self.applied >= other.applied
        )


class FragmentHeader(_Strict):
    """The header of a fragment."""

    format: Literal[1] = 1
    run: Annotated[str, Field(pattern=f"^{RUN_ID_PATTERN}$", max_length=80)]
    kind: Literal["opening", "steps"]
    attempt: _Count = 0
    first: _Count = 0
    last: _Count = 0
    """Less than `first` if the fragment has no step."""
    after: Position = Position()
    """The position that it continues."""
    to: Position = Position()
    """The position that it leads to."""
    counts: dict[str, _Count] = {}
    """The rows of each table that has any."""
    bytes: Annotated[int, Field(ge=1, le=MAX_FRAGMENT_BYTES)]
    """The bytes of the unpacked body."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """The digest of the packed body."""


class FragmentName(NamedTuple):
    """The parts of the name of a fragment's file."""

    attempt: int
    last: int
    first: int
    digest: str


@dataclass(frozen=True)
class Fragment:
    """A fragment as it is sent and stored, with its header read."""

    header: FragmentHeader
    data: bytes

    @property
    def file_name(self) -> str:
        header = self.header
        return f"{header.attempt}-{header.first}-{header.last}-{self.digest[:16]}.frag"

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 digest of the whole file, in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()

    def unpack(self) -> bytes:
        """Return the body. Raises FormatError if it is damaged, or not as large as the header says."""
        packed = memoryview(self.data)[_body_offset(self.data) :]
        size = self.header.bytes
        try:
            if hashlib.sha256(packed).hexdigest() != self.header.sha256:
                raise FormatError("the fragment is damaged: its digest is another")
            if zstandard.frame_content_size(packed) != size:
                raise FormatError("the fragment is not as large as it says")
            return zstandard.ZstdDecompressor().decompress(packed, max_output_size=size)
        except zstandard.ZstdError as error:
            raise FormatError(f"the fragment is damaged: {quote_foreign(error)}") from error


def make_fragment(
    run_id: str,
    kind: Literal["opening", "steps"],
    body: bytes,
    span: tuple[int, int, int] = (0, 0, 0),
    after: Position | None = None,
    to: Position | None = None,
    counts: dict[str, int] | None = None,
) -> Fragment:
    """Pack a fragment whose body has at most `MAX_FRAGMENT_BYTES`; a larger one raises FormatError. `span`:
    its attempt, first and last step. `after`, `to`: the positions that it continues and leads to.
    `counts`: the rows of each table.
    """
    if len(body) > MAX_FRAGMENT_BYTES:
        raise FormatError(
            f"one step of {run_id} takes {len(body) / 1e6:,.0f} MB; a fragment has at most"
            f" {MAX_FRAGMENT_BYTES / 1e6:,.0f} MB"
        )
    packed = zstandard.ZstdCompressor(level=_LEVEL).compress(body)
    attempt, first, last = span
    header = FragmentHeader(
        run=run_id,
        kind=kind,
        attempt=attempt,
        first=first,
        last=last,
        after=after or Position(),
        to=to or Position(),
        counts=counts or {},
        bytes=len(body),
        sha256=hashlib.sha256(packed).hexdigest(),
    )
    head = header.model_dump_json().encode()
    return Fragment(header, b"".join((MAGIC, _LENGTH.pack(len(head)), head, packed)))


def decode_fragment(data: bytes) -> Fragment:
    """Read the header of a fragment. Its body is not read. Raises FormatError if the bytes are not a fragment
    of this version.
    """
    try:
        head = data[len(MAGIC) + _LENGTH.size : _body_offset(data)]
        return Fragment(FragmentHeader.model_validate_json(head), data)
    except ValidationError as error:
        raise FormatError(f"the header of a fragment is wrong: {quote_foreign(error)}") from error


def parse_fragment_name(name: str) -> FragmentName | None:
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    attempt, first, last, digest = found.groups()
    return FragmentName(int(attempt), int(last), int(first), digest)


def _body_offset(data: bytes) -> int:
    if not data.startswith(MAGIC) or len(data) < len(MAGIC) + _LENGTH.size:
        raise FormatError("not a fragment")
    (length,) = _LENGTH.unpack_from(data, len(MAGIC))
    if length > _MAX_HEADER or len(data) < len(MAGIC) + _LENGTH.size + length:
        raise FormatError("the fragment is cut short")
    return len(MAGIC) + _LENGTH.size + length


IDENTITY_FILE = "identity.json"
IDENTITY_HEADER, KEY_HEADER = "X-Lamplighter-Run-Identity", "X-Lamplighter-Run-Key"
"""The headers of the answers and of the requests of a push."""
IDENTITY_PATTERN = r"^[0-9a-f]{64}$"
KEY_PATTERN = r"^[0-9a-f]{32}$"
_MAX_IDENTITY_BYTES = 64 << 10

_Name = Annotated[str, Field(pattern=f"^{RUN_ID_PATTERN}$")]


class RunIdentity(BaseModel):
    """What a run's folder keeps of it."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    run: _Name
    """The id of the run: a copied folder of another name is another run."""
    key: Annotated[str, Field(pattern=KEY_PATTERN)]
    names: dict[str, _Name] = {}
    """Its name at each server where it has another than its id."""

    @property
    def identity(self) -> str:
        return _digest(self.key)


def keep_identity(run: RunFolder) -> RunIdentity | None:
    """Return the identity of a run, made if its folder has none; None if the folder cannot be written."""
    path = run.path / IDENTITY_FILE
    if (found := _read(run)) is not None:
        return found
    try:
        write_atomically(path, RunIdentity(run=run.id, key=secrets.token_hex(16)).model_dump_json())
    except OSError:
        return None
    # Not what was written: another process may have made one at the same moment.
    return _read(run)


def keep_name(run: RunFolder, identity: RunIdentity, server: str, name: str) -> RunIdentity:
    """Keep the name that a run has at a server. Return the identity with it. Raises OSError if it cannot be
    kept.
    """
    kept = identity.model_copy(update={"names": identity.names | {server: name}})
    write_atomically(run.path / IDENTITY_FILE, kept.model_dump_json())
    return kept


def name_at(run: RunFolder, server: str) -> str:
    found = _read(run)
    return run.id if found is None else found.names.get(server, run.id)


def opens(key: str | None, identity: str) -> bool:
    return key is not None and hmac.compare_digest(_digest(key), identity)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _read(run: RunFolder) -> RunIdentity | None:
    try:
        with open(run.path / IDENTITY_FILE, "rb", opener=open_regular) as file:
            found = RunIdentity.model_validate_json(file.read(_MAX_IDENTITY_BYTES))
    except (OSError, ValueError):
        return None
    return found if found.run == run.id else None


_MAX_BYTES = 65 << 20
"""Maximum bytes of an opening: the largest vocabulary of an import, and a recipe."""


class Opening(NamedTuple):
    """What a reader needs before the first step of a run."""

    recipe: Recipe
    vocabulary: Vocabulary
    identity: str | None
    """None of an earlier version."""


def make_opening(run: RunFolder, name: str | None = None) -> Fragment:
    """Return the opening of a prepared run, of its own id or of another `name`. Its title travels as the name
    of its text. Raises FileNotFoundError if its vocabulary is not there yet, FormatError if this version
    cannot read the folder, or its matrices lie in files of their own.
    """
    recipe = run.recipe
    if recipe.format >= 3:
        raise FormatError(f"{run.id} keeps its matrices in files of their own: export it as a zip instead")
    plan: dict[str, Any] = {
        "corpus": {"kind": "recorded", "name": (read_run_name(run) or derive_run_name(run))[:200]},
        "model": {"dim": recipe.model.dim, "heads": 1},
        "map": recipe.map.model_dump(),
        "cadence": {"keyframe_every": recipe.cadence.keyframe_every},
        "steps": recipe.steps,
        "disk_budget": recipe.disk_budget,
    }
    body = {"recipe": plan, "vocabulary": json.loads(run.vocabulary.to_json())}
    if (kept := keep_identity(run)) is not None:
        body["identity"] = kept.identity
    return make_fragment(name or run.id, "opening", json.dumps(body, ensure_ascii=False).encode())


def read_opening(fragment: Fragment) -> Opening:
    """Return the checked contents of a foreign opening. Raises FormatError if they are invalid."""
    if fragment.header.kind != "opening" or fragment.header.bytes > _MAX_BYTES:
        raise FormatError("the first fragment of a run must have its recipe and vocabulary")
    body = fragment.unpack()
    require_bounded_values(body, "the opening")
    try:
        found: Any = json.loads(body)
        recipe = Recipe.model_validate(found["recipe"])
        vocabulary = Vocabulary.from_json(json.dumps(found["vocabulary"]))
        identity: Any = found.get("identity")
        if identity is not None and re.fullmatch(IDENTITY_PATTERN, identity) is None:
            raise ValueError("no identity")
    except ValidationError as error:
        raise FormatError(f"recipe.json: {explain_validation_error(error)}") from error
    except (VocabularyError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise FormatError(f"the opening of the run is invalid: {quote_foreign(error)}") from error
    if recipe.corpus.kind != "recorded" or recipe.format >= 3 or recipe.parent is not None:
        raise FormatError("only a recorded run of whole keyframes arrives in fragments")
    check_vocabulary(vocabulary)
    return Opening(recipe, vocabulary, identity)
