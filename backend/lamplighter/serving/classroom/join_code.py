"""The code of the class: six characters to type, and a longer secret for the link that the QR code holds.

Both change together, every few minutes, and the previous ones stay valid for a while, so that a viewer who is still
typing the old code can join. A code has 30 random bits, and wrong ones are limited (`join_limiter.py`); the secret of
the link has 128 bits, cannot be guessed, and needs no limit.
"""

from __future__ import annotations

import hmac
import math
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without the characters that look alike on a projector: I, O, 0 and 1."""
_LENGTH = 6
LIFETIME = 900.0
"""Seconds after which the code changes."""
GRACE = 300.0
"""Seconds for which the previous code stays valid."""


@dataclass(frozen=True)
class _Code:
    typed: str
    secret: str
    made: float


@dataclass(frozen=True)
class CodeState:
    """A code as other servers of the class know it."""

    typed: Annotated[str, Field(pattern="^[A-Z2-9]{6}$")]
    secret: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{16,64}$")]
    age: Annotated[float, Field(ge=0)]
    """Seconds since it was made."""


class JoinCode:
    """The code of one class. Not thread-safe: `Classroom` guards it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._before: _Code | None = None
        self._now = self._make()

    @property
    def typed(self) -> str:
        """Return the code to type, such as "K7M 2QX"."""
        code = self._current().typed
        return f"{code[:3]} {code[3:]}"

    @property
    def secret(self) -> str:
        return self._current().secret

    def renew(self) -> None:
        self._before, self._now = None, self._make()

    def is_code(self, offered: str) -> bool:
        """Return whether `offered` is the code, ignoring case, spaces and hyphens."""
        plain = "".join(offered.split()).replace("-", "").upper()
        return self._matches(plain, lambda code: code.typed)

    def is_secret(self, offered: str) -> bool:
        return self._matches(offered.strip(), lambda code: code.secret)

    def states(self) -> tuple[CodeState, CodeState | None]:
        now = self._current()
        codes = [
            one and CodeState(one.typed, one.secret, max(0.0, self._clock() - one.made))
            for one in (now, self._before)
        ]
        assert codes[0] is not None
        return codes[0], codes[1]

    def restore_codes(self, code: CodeState, before: CodeState | None, *, kept: bool) -> None:
        """Take over the codes of another server. `kept`: that server goes on to change them."""
        later = math.inf if kept else self._clock()

        def restored(state: CodeState) -> _Code:
            return _Code(state.typed, state.secret, later - state.age)

        self._now, self._before = restored(code), before and restored(before)

    def _matches(self, offered: str, part: Callable[[_Code], str]) -> bool:
        now = self._current()
        held = [now]
        if self._before is not None and self._clock() - now.made < GRACE:
            held.append(self._before)
        # Compare with each, so that the time taken reveals nothing.
        found = [hmac.compare_digest(offered.encode(errors="replace"), part(code).encode()) for code in held]
        return any(found)

    def _current(self) -> _Code:
        if self._clock() - self._now.made >= LIFETIME:
            self._before, self._now = self._now, self._make()
        return self._now

    def _make(self) -> _Code:
        typed = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
        return _Code(typed, secrets.token_urlsafe(16), self._clock())
