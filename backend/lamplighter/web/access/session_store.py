"""The presenter's sessions, one file each in `.presenter-sessions` in the folder of runs.

Every server of the folder uses the same files, so that an open browser survives a restart, and a session ended on one
server is ended on all. A file is written once and then only removed; its modification time is the time of the session's
last use. So servers never write conflicting content, and no lock is needed. A session is valid only at the address
where it began, so a server does not accept those of another port.

The files hold digests, so reading them reveals no secret. If the folder is not writable (another user's, a full disk),
sessions exist only in this process and end with it.

Setting the system's clock does not affect the sessions of a running server. A server that starts afterwards uses the
new time, so a session may then end before or after its lifetime.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import logging
import os
import re
import secrets
import stat
import threading
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from lamplighter.platform.folder_sync import replace_durably, sync_file, sync_folder
from lamplighter.platform.private_modes import is_own, is_private, make_private_folder, open_private
from lamplighter.platform.steady_clock import steady_clock

UNUSED_SECONDS = 7 * 86_400.0
"""Seconds without a request after which a session ends."""
LONGEST_SECONDS = 30 * 86_400.0
"""Maximum lifetime of a session in seconds, even if it is used."""

_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"),
             ("Chrome/", "Chrome"), ("CriOS/", "Chrome"), ("Safari/", "Safari"))  # fmt: skip
_SYSTEMS = (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
            ("CrOS", "ChromeOS"), ("Mac OS X", "macOS"), ("Linux", "Linux"))  # fmt: skip


@dataclass(frozen=True)
class PresenterSession:
    """A session of the presenter in one browser, at one address of the server."""

    id: str
    """The public name of the session: 16 hexadecimal digits, unrelated to its secrets."""
    address: str
    """The address of the server at which the session began, the only one where it is valid."""
    browser: str
    """Browser and system in fixed words, never the text that the browser sent."""
    created: float
    """Unix seconds."""
    cookie_digest: str
    """SHA-256 of the cookie's value. The value has 256 random bits, so its digest needs no salt."""
    key_digest: str
    """SHA-256 of the key that the page keeps."""
    used: float = field(default=0.0, compare=False)
    """Unix seconds when its browser was last seen, to about a minute."""

    @property
    def expires(self) -> float:
        """Return when the session ends without further requests, in Unix seconds."""
        return min(self.created + LONGEST_SECONDS, self.used + UNUSED_SECONDS)

    @property
    def expired(self) -> bool:
        return steady_clock() >= self.expires

    def has_key(self, offered: str | None) -> bool:
        return offered is not None and hmac.compare_digest(digest_of(offered), self.key_digest)

    def to_json(self) -> str:
        """Return the content of the session's file. The file's modification time is the time of its last use."""
        return json.dumps({key: value for key, value in asdict(self).items() if key != "used"})


@dataclass(frozen=True)
class SessionSecrets:
    """The two secrets of a session, which only its browser knows."""

    cookie: str
    key: str


def start_session(address: str, user_agent: str) -> tuple[PresenterSession, SessionSecrets]:
    given = SessionSecrets(secrets.token_urlsafe(32), secrets.token_urlsafe(32))
    now = steady_clock()
    session = PresenterSession(
        id=secrets.token_hex(8),
        address=address,
        browser=browser_words(user_agent),
        created=now,
        cookie_digest=digest_of(given.cookie),
        key_digest=digest_of(given.key),
        used=now,
    )
    return session, given


def session_of_json(text: str, used: float) -> PresenterSession | None:
    """Parse a session's file; `used` is its modification time, in Unix seconds. Returns None if it is malformed."""
    try:
        content: Any = json.loads(text)
        session = PresenterSession(**cast("dict[str, Any]", content), used=used)
    except (ValueError, TypeError, RecursionError):
        return None
    words = (session.id, session.address, session.browser, session.cookie_digest, session.key_digest)
    numbers = isinstance(cast(object, session.created), float) and 0 < session.created < 1e11
    return session if numbers and all(isinstance(cast(object, word), str) for word in words) else None


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def browser_words(user_agent: str) -> str:
    """Return browser and system of a `User-Agent` in fixed words, such as "Firefox on Linux"."""
    browser = next((word for mark, word in _BROWSERS if mark in user_agent), "")
    system = next((word for mark, word in _SYSTEMS if mark in user_agent), "")
    return f"{browser} on {system}" if browser and system else browser or system or "another program"


log = logging.getLogger(__name__)

SESSIONS_FOLDER = ".presenter-sessions"
MAX_SESSIONS = 32
"""Maximum number of sessions; a new one beyond it ends the least recently used."""

_NAME = re.compile(r"([0-9a-f]{16})\.json")
_LARGEST = 4_096
_SEEN_AGAIN = 60.0
"""Minimum seconds between two recorded uses of a session."""
_LOADED_SECONDS = 30.0
"""Seconds after which the files are read again even if the folder seems unchanged."""
_COARSE_CLOCK = 2.5
"""Seconds within which a file system may give two changes the same time."""


class SessionStore:
    """The sessions that this server accepts. Thread-safe. Lookups use only memory, so an event loop may make them;
    everything else uses the disk.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._unsaved: dict[str, PresenterSession] = {}
        """Sessions without a file, by id."""
        self._saved: dict[str, PresenterSession] = {}
        self._stamp: int | None = None
        """The folder's modification time when its files were read."""
        self._read_at = float("-inf")
        self._known: dict[str, PresenterSession] = {}
        """All sessions by id, as last read. Replaced as a whole, so that it can be read without the lock."""
        self._lock = threading.Lock()
        self.reload()

    def reload(self) -> None:
        with self._lock:
            self._current()

    def begin_session(self, address: str, user_agent: str) -> tuple[PresenterSession, SessionSecrets]:
        """Start a browser's session at an address. Only the caller gets its secrets."""
        session, given = start_session(address, user_agent)
        with self._lock:
            self._make_room()
            if self._folder is None or not self._write(session):
                self._unsaved[session.id] = session
            self._stamp = None
            self._current()
        return session, given

    def find_session(self, cookie: str, address: str) -> PresenterSession | None:
        """Return the session of a cookie's value, if it was valid at `address` when last read and has not expired."""
        digest = digest_of(cookie)
        for session in self._known.values():
            if session.cookie_digest == digest and session.address == address and not session.expired:
                return session
        return None

    def is_valid(self, session_id: str) -> bool:
        found = self._known.get(session_id)
        return found is not None and not found.expired

    def list_sessions(self) -> list[PresenterSession]:
        """Return the valid sessions, the most recently used first."""
        with self._lock:
            self._stamp = None
            going_on = [session for session in self._current().values() if not session.expired]
        return sorted(going_on, key=lambda session: session.used, reverse=True)

    def end_session(self, session_id: str) -> bool:
        """End a session on all servers. Returns whether it existed; raises OSError if its file cannot be removed."""
        with self._lock:
            self._stamp = None
            session = self._current().get(session_id)
            if session is None:
                return False
            self._discard(session)
            self._current()
            return not session.expired

    def note_use(self, session_id: str) -> None:
        """Record a use of a session; about once a minute this touches its file."""
        with self._lock:
            session = self._current().get(session_id)
            if session is None or steady_clock() - session.used < _SEEN_AGAIN:
                return
            seen = replace(session, used=steady_clock())
            self._known = {**self._known, session_id: seen}
            if session_id in self._unsaved:
                self._unsaved[session_id] = seen
                return
            self._saved[session_id] = seen
            # A full disk or a removed file must not keep anyone from presenting.
            with contextlib.suppress(OSError):
                _set_used(self._file(session_id), seen)

    def _current(self) -> dict[str, PresenterSession]:
        self._read_changes()
        self._known = {**self._saved, **self._unsaved}
        return self._known

    def _read_changes(self) -> None:
        if self._folder is None:
            return
        now = time.monotonic()
        try:
            stamp = self._folder.stat().st_mtime_ns
        except OSError:
            self._saved, self._stamp = {}, None
            return
        if stamp != self._stamp or now - self._read_at > _LOADED_SECONDS:
            self._saved = self._read()
            # A change right after this read could leave the same time, so read once more then.
            self._stamp = stamp if abs(time.time() - stamp / 1e9) > _COARSE_CLOCK else None
            self._read_at = now

    def _read(self) -> dict[str, PresenterSession]:
        assert self._folder is not None
        found: dict[str, PresenterSession] = {}
        with contextlib.suppress(OSError), os.scandir(self._folder) as entries:
            for entry in entries:
                session = _read_session(entry)
                if session is not None:
                    found[session.id] = session
        return found

    def _make_room(self) -> None:
        self._stamp = None
        sessions = sorted(self._current().values(), key=lambda session: session.used, reverse=True)
        going_on = [session for session in sessions if not session.expired]
        for session in [one for one in sessions if one.expired] + going_on[MAX_SESSIONS - 1 :]:
            with contextlib.suppress(OSError):
                self._discard(session)

    def _discard(self, session: PresenterSession) -> None:
        if self._unsaved.pop(session.id, None) is None:
            self._file(session.id).unlink(missing_ok=True)
            self._saved.pop(session.id, None)
            if self._folder is not None:
                # An ended session must not return after a power failure.
                sync_folder(self._folder)

    def _write(self, session: PresenterSession) -> bool:
        path = self._file(session.id)
        temporary = path.with_name(f"{secrets.token_hex(8)}.part")
        try:
            with open(temporary, "x", encoding="ascii", opener=open_private) as file:
                file.write(session.to_json())
            _set_used(temporary, session)
            sync_file(temporary)
            replace_durably(temporary, path)
        except OSError as error:
            log.warning("a presenter's session is kept in memory only: %s", error.strerror or error)
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            return False
        return True

    def _file(self, session_id: str) -> Path:
        # Ids come from the listing or from this server, never from a client.
        assert self._folder is not None
        assert _NAME.fullmatch(f"{session_id}.json")
        return self._folder / f"{session_id}.json"


def _set_used(path: Path, session: PresenterSession) -> None:
    """Set the file's time to the session's last use, which differs from the system's time if the clock was set."""
    os.utime(path, (session.used, session.used))


def open_sessions(runs: Path) -> SessionStore:
    """Open the sessions of a folder of runs, making their folder if it is missing.

    Only its user can access it. A folder of ours that others could write is emptied, since they may have added a
    session. A folder of another user, or one that is not writable, is left alone, and sessions are kept in memory.
    """
    folder = runs / SESSIONS_FOLDER
    try:
        make_private_folder(folder, exist_ok=True)
        facts = folder.lstat()
        if not stat.S_ISDIR(facts.st_mode) or not is_own(facts):
            return SessionStore(None)
        if not is_private(facts):
            folder.chmod(0o700)
            for path in folder.iterdir():
                path.unlink()
    except OSError:
        return SessionStore(None)
    return SessionStore(folder if os.access(folder, os.W_OK) else None)


def _read_session(entry: os.DirEntry[str]) -> PresenterSession | None:
    name = _NAME.fullmatch(entry.name)
    try:
        facts = entry.stat(follow_symlinks=False)
        if name is None or not stat.S_ISREG(facts.st_mode) or facts.st_size > _LARGEST:
            return None
        text = Path(entry.path).read_text(encoding="ascii")
    except (OSError, ValueError):
        return None
    session = session_of_json(text, facts.st_mtime)
    return session if session is not None and session.id == name[1] else None
