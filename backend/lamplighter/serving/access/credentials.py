"""The presenter's credentials: a token in a file, a cookie derived from it, and launch codes.

The token survives restarts, so that a browser left open goes on working. The cookie is a keyed hash of the
token, so it does not reveal the token.
"""

from __future__ import annotations

import errno
import hashlib
import hmac
import logging
import os
import secrets
import stat
import threading
import time
from collections import OrderedDict
from pathlib import Path

from lamplighter.platform.folder_sync import sync_file, sync_folder
from lamplighter.platform.private_modes import is_own, is_private, open_private
from lamplighter.serving.settings import SettingsError

log = logging.getLogger(__name__)

TOKEN_FILE = ".presenter-token"
CODE_SECONDS = 600.0
"""Lifetime of a launch code, in seconds."""

_MAX_CODES = 1_000
_SHORTEST = 32
_NOT_WRITABLE_ERRNOS = (errno.EACCES, errno.EPERM, errno.EROFS)


class _OtherOwnerError(Exception):
    """The token file belongs to another user."""


class CredentialStore:
    """The presenter's credentials. Thread-safe."""

    def __init__(self, token: str, *, persistent: bool = True) -> None:
        """Use this token. `persistent`: it is stored in the token file, for later servers too."""
        self.token = token
        self.persistent = persistent
        self._cookie = hmac.new(token.encode(), b"cookie", hashlib.sha256).hexdigest()
        self._codes: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def cookie(self) -> str:
        """Return the value of the presenter's cookie."""
        return self._cookie

    def is_token(self, offered: str) -> bool:
        """Return whether `offered` is the token, comparing in constant time."""
        return _constant_time_equal(offered, self.token)

    def is_cookie(self, offered: str) -> bool:
        """Return whether `offered` is the presenter's cookie, comparing in constant time."""
        return _constant_time_equal(offered, self._cookie)

    def issue_code(self) -> str:
        """Create a launch code, which works once within `CODE_SECONDS`."""
        code = secrets.token_urlsafe(24)
        with self._lock:
            self._codes[code] = time.monotonic() + CODE_SECONDS
            while len(self._codes) > _MAX_CODES:
                self._codes.popitem(last=False)
        return code

    def redeem_code(self, offered: str) -> bool:
        """Use up a launch code. Returns whether it was valid."""
        with self._lock:
            now = time.monotonic()
            for code in [code for code, until in self._codes.items() if until < now]:
                del self._codes[code]
            # Compare every code, so that the time taken says nothing about any of them.
            good = [code for code in self._codes if _constant_time_equal(offered, code)]
            for code in good:
                del self._codes[code]
        return bool(good)


def open_credentials(folder: Path) -> CredentialStore:
    """Load the credentials of the runs below `folder` from its token file, creating the file if it is
    missing.

    Only its user can read the file; one of ours that others could read is replaced, since they may have read
    it. If the file belongs to another user, or the folder is not writable, nothing is changed and the token
    is valid for this process only. So anyone can show the runs of somebody else.

    Raises:
        SettingsError: the file can be neither read nor created.
    """
    path = folder / TOKEN_FILE
    try:
        return CredentialStore(_read(path) or _make(path))
    except _OtherOwnerError:
        why = f"{path} is another user's"
    except OSError as error:
        if error.errno not in _NOT_WRITABLE_ERRNOS:
            raise SettingsError(f"runs: {path} cannot be used: {error.strerror or error}") from error
        why = f"{folder} cannot be written"
    log.warning("%s: the presenter's token is for this server process only", why)
    return CredentialStore(secrets.token_urlsafe(32), persistent=False)


def _constant_time_equal(offered: str, real: str) -> bool:
    return hmac.compare_digest(offered.encode(errors="replace"), real.encode())


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
        # The file system has no hard links.
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)
    return token
