"""One browser's session as the presenter: its stored form, which holds no secret.

Setting the system's clock does not affect the sessions of a running server. A server that starts afterwards uses the
new time, so a session may then end before or after its lifetime.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass, field
from typing import Any, cast

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
