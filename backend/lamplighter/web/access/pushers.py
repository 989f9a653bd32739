"""The tokens of programs that push runs, one file each in `.pushers` in the folder of runs.

A token is `lamp_<id>_<secret>`, with 256 random bits, and is shown once: its file has the digest. It may write the runs whose
ids begin with its prefix, and nothing else. A file is read at each request, so a revoked token ends at once, on every server.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lamplighter.platform.folder_sync import replace_durably, sync_file
from lamplighter.platform.private_modes import is_own, make_private_folder, open_foreign, open_private
from lamplighter.platform.steady_clock import steady_clock

PUSHERS_FOLDER = ".pushers"
MAX_PUSHERS = 1_000
PREFIX_PATTERN = r"[a-z0-9][a-z0-9-]{0,59}"
_TOKEN = re.compile(r"lamp_([0-9a-f]{16})_([A-Za-z0-9_-]{43})", re.ASCII)
_MAX_BYTES = 4_096


class Pusher(BaseModel):
    """A token as its file describes it."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    id: str = Field(pattern=r"^[0-9a-f]{16}$")
    digest: str = Field(pattern=r"^[0-9a-f]{64}$")
    """The SHA-256 digest of the secret."""
    prefix: str = Field(pattern=f"^{PREFIX_PATTERN}$")
    """The ids of its runs begin with this."""
    created: float
    expires: float
    """Unix seconds after which it is refused."""
    most_runs: int = Field(ge=1)
    """Maximum number of runs with the prefix."""
    bytes_a_day: int = Field(ge=1)

    @property
    def has_expired(self) -> bool:
        return steady_clock() >= self.expires

    def covers(self, run_id: str) -> bool:
        return run_id.startswith(self.prefix)


@dataclass(frozen=True)
class PusherStore:
    """The tokens of a folder of runs. Every call reads the disk."""

    runs: Path

    def issue_token(
        self, prefix: str, seconds: float, most_runs: int, bytes_a_day: int
    ) -> tuple[Pusher, str]:
        """Make a token. Return its description, and its text, which is not kept.

        Raises ValueError for an invalid prefix or too many tokens, OSError if it cannot be kept.
        """
        if re.fullmatch(PREFIX_PATTERN, prefix) is None:
            raise ValueError(
                f"{prefix[:80]!r} cannot begin the id of a run: use a-z, 0-9 and '-', at most 60"
            )
        if len(self.list_pushers()) >= MAX_PUSHERS:
            raise ValueError(f"there are {MAX_PUSHERS:,} tokens: revoke one first")
        number, secret, now = secrets.token_hex(8), secrets.token_urlsafe(32), steady_clock()
        pusher = Pusher(
            id=number,
            digest=_digest(secret),
            prefix=prefix,
            created=now,
            expires=now + seconds,
            most_runs=most_runs,
            bytes_a_day=bytes_a_day,
        )
        make_private_folder(self._folder, exist_ok=True)
        path = self._file(number)
        temporary = path.with_suffix(".part")
        with open(temporary, "x", encoding="ascii", opener=open_private) as file:
            file.write(pusher.model_dump_json())
        sync_file(temporary)
        replace_durably(temporary, path)
        return pusher, f"lamp_{number}_{secret}"

    def find_pusher(self, token: str) -> Pusher | None:
        """Return the pusher of a token; None if the token is unknown, has expired or was revoked."""
        parts = _TOKEN.fullmatch(token)
        pusher = None if parts is None else self._read(self._file(parts[1]))
        if parts is None or pusher is None or pusher.has_expired:
            return None
        return pusher if hmac.compare_digest(pusher.digest, _digest(parts[2])) else None

    def list_pushers(self) -> list[Pusher]:
        """Return all tokens, the newest first, expired ones too."""
        found = (self._read(path) for path in self._folder.glob("*.json"))
        return sorted((one for one in found if one is not None), key=lambda one: one.created, reverse=True)

    def revoke(self, number: str) -> bool:
        if not any(one.id == number for one in self.list_pushers()):
            return False
        self._file(number).unlink(missing_ok=True)
        return True

    @property
    def _folder(self) -> Path:
        return self.runs / PUSHERS_FOLDER

    def _file(self, number: str) -> Path:
        return self._folder / f"{number}.json"

    @staticmethod
    def _read(path: Path) -> Pusher | None:
        try:
            with open(path, encoding="ascii", opener=open_foreign) as file:
                if not is_own(os.fstat(file.fileno())):
                    return None
                return Pusher.model_validate_json(file.read(_MAX_BYTES))
        except (OSError, ValueError, ValidationError):
            return None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
