"""The presenter's credentials: a token in a file for programs, a session for each browser, and launch codes.

Token and sessions survive restarts, so that an open browser keeps working. A browser never gets the token, and a
session's secrets are random, so that no credential can be derived from another.

Programs that push runs have tokens of their own, one file each in `.pushers` in the folder of runs. Such a token is
`lamp_<id>_<secret>`, with 256 random bits, and is shown once: its file has the digest. It may write the runs whose ids begin
with its prefix, and nothing else. A file is read at each request, so a revoked token ends at once, on every server.
"""

from __future__ import annotations

import errno
import hashlib
import hmac
import logging
import os
import re
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lamplighter.platform.folder_sync import replace_durably, sync_file, sync_folder
from lamplighter.platform.private_modes import (
    is_own,
    is_private,
    make_private_folder,
    open_foreign,
    open_private,
)
from lamplighter.platform.steady_clock import steady_clock
from lamplighter.web.access.launch_file import LaunchCodes
from lamplighter.web.access.session_store import SessionStore, open_sessions
from lamplighter.web.settings import SettingsError

log = logging.getLogger(__name__)

TOKEN_FILE = ".presenter-token"

_SHORTEST = 32
_NOT_WRITABLE_ERRNOS = (errno.EACCES, errno.EPERM, errno.EROFS)


class _OtherOwnerError(Exception):
    """The token file belongs to another user."""


class CredentialStore:
    """The presenter's credentials. Thread-safe."""

    def __init__(self, token: str, sessions: SessionStore, *, persistent: bool = True) -> None:
        """Hold the token. `persistent`: it is in its file, so that later servers use it too."""
        self.token = token
        self.persistent = persistent
        self.sessions = sessions
        self.codes = LaunchCodes()

    def is_token(self, offered: str) -> bool:
        return hmac.compare_digest(offered.encode(errors="replace"), self.token.encode())


def open_credentials(folder: Path) -> CredentialStore:
    """Load the credentials of the runs below `folder` from its token file and its sessions, creating both if they
    are missing.

    Only its user can read the file; a file of ours that others could read is replaced. If the file belongs to
    another user, or the folder is not writable, nothing is changed and the token is valid for this process
    only: so a user can show another's runs. Raises SettingsError if the file can be neither read nor created.
    """
    path = folder / TOKEN_FILE
    try:
        token = _read(path) or _make(path)
        return CredentialStore(token, open_sessions(folder))
    except _OtherOwnerError:
        why = f"{path} belongs to another user"
    except OSError as error:
        if error.errno not in _NOT_WRITABLE_ERRNOS:
            raise SettingsError(f"runs: {path} cannot be used: {error.strerror or error}") from error
        why = f"{folder} is not writable"
    log.warning("%s: the presenter's token is for this server process only", why)
    return CredentialStore(secrets.token_urlsafe(32), SessionStore(None), persistent=False)


def _read(path: Path) -> str | None:
    try:
        facts = path.lstat()
    except FileNotFoundError:
        return None
    if not is_own(facts):
        raise _OtherOwnerError
    if not stat.S_ISREG(facts.st_mode) or not is_private(facts):
        path.unlink()
        return None
    token = path.read_text(encoding="ascii", errors="replace").strip()
    if len(token) < _SHORTEST:
        path.unlink()
        return None
    return token


def _make(path: Path) -> str:
    token = secrets.token_urlsafe(32)
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with open(temporary, "x", encoding="ascii", opener=open_private) as file:
        file.write(token + "\n")
    sync_file(temporary)
    try:
        # A link, not a rename: if two servers start at once, the second takes the first's token.
        os.link(temporary, path)
    except FileExistsError:
        return _read(path) or _make(path)
    except OSError:
        # The file system does not support hard links.
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)
    return token


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
