"""The presenter's credentials: a token in a file for programs, a session for each browser, and launch codes.

Token and sessions survive restarts, so that an open browser keeps working. A browser never gets the token, and a
session's secrets are random, so that no credential can be derived from another.
"""

from __future__ import annotations

import errno
import hmac
import logging
import os
import secrets
import stat
from pathlib import Path

from lamplighter.platform.folder_sync import sync_file, sync_folder
from lamplighter.platform.private_modes import is_own, is_private, open_private
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
