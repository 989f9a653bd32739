"""Fragments: immutable files with the steps of a run, which other machines read (`docs/wire.md`, "Fragments").

The body is a small database with the tables of `steps.sqlite` and only the rows since the fragment before, so that they are
checked exactly as those of an imported run are. The first fragment of a run has its recipe and vocabulary instead.
"""

from __future__ import annotations

import hashlib
import re
import struct
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal, NamedTuple

import zstandard
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lamplighter.platform.printable import quote_foreign
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.run_folder import RUN_ID_PATTERN

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
