"""The door of the class: open or closed, and the code that lets people in.

Correct codes are free, so a class of hundreds behind one address can join at once. A wrong code costs a try. An
address without tries must wait, including others behind it who mistype the code; they can still join by the QR code,
whose secret cannot be guessed and is never limited. With all tries, a guesser finds the code within an hour with a
probability of one in ten thousand, and the code has changed four times by then.

The code and the secret of the link change together, every few minutes, and the previous ones stay valid for a while, so that a viewer who is still
typing the old code can join. A code has 30 random bits, and wrong ones are limited (`JoinLimiter`); the secret of
the link has 128 bits, cannot be guessed, and needs no limit.
"""

from __future__ import annotations

import hmac
import math
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from lamplighter.contract.sentences import say

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


ADDRESS_TRIES, ADDRESS_RATE = 100, 1.0
"""Wrong codes allowed at once for one address, and the number regained a second."""
ALL_TRIES, ALL_RATE = 1_000, 20.0
"""Wrong codes allowed at once in total, and the number regained a second."""
_ADDRESSES = 10_000


@dataclass
class _Bucket:
    left: float
    at: float


class JoinLimiter:
    """The wrong codes of one class. Not thread-safe: `Classroom` guards it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._all = _Bucket(ALL_TRIES, clock())
        self._by_address: OrderedDict[str, _Bucket] = OrderedDict()
        self.wrong = 0
        """Wrong codes so far."""

    def seconds_to_wait(self, address: str) -> float:
        """Return the seconds until this address may try a code; 0: now."""
        waits = [self._wait(self._all, ALL_TRIES, ALL_RATE)]
        if address in self._by_address:
            waits.append(self._wait(self._by_address[address], ADDRESS_TRIES, ADDRESS_RATE))
        return max(waits)

    def note_wrong(self, address: str) -> None:
        self.wrong += 1
        self._all.left -= 1
        bucket = self._by_address.setdefault(address, _Bucket(ADDRESS_TRIES, self._clock()))
        self._by_address.move_to_end(address)
        bucket.left -= 1
        while len(self._by_address) > _ADDRESSES:
            self._by_address.popitem(last=False)

    def _wait(self, bucket: _Bucket, most: float, rate: float) -> float:
        now = self._clock()
        bucket.left, bucket.at = min(most, bucket.left + rate * (now - bucket.at)), now
        return max(0.0, (1 - bucket.left) / rate)


class JoinRefusedError(RuntimeError):
    """A refused join; the message is for the user."""

    def __init__(self, status: int, detail: str, wait: float = 0.0) -> None:
        super().__init__(detail)
        self.status = status
        self.wait = wait


class ClassDoor:
    """The door of one class. Not thread-safe: `Classroom` guards it."""

    def __init__(self) -> None:
        self.is_open = True
        self.code = JoinCode()
        self._limiter = JoinLimiter()

    @property
    def wrong_codes(self) -> int:
        return self._limiter.wrong

    def change_lock(self) -> None:
        """Change the code, and reset the count of wrong codes."""
        self.code.renew()
        self._limiter = JoinLimiter()

    def check_code(self, offered: str, address: str) -> None:
        """Check a code, or the secret of the link, that was offered from an address. Raises JoinRefusedError: it
        is wrong, there were too many wrong ones, or the door is closed.
        """
        if not self.code.is_secret(offered):
            self._check_typed(offered, address)
        # Checked after the code, so that a stranger learns nothing about the class.
        if not self.is_open:
            raise JoinRefusedError(403, say("class_closed"))

    def _check_typed(self, code: str, address: str) -> None:
        wait = self._limiter.seconds_to_wait(address)
        if wait > 0:
            seconds = math.ceil(wait)
            raise JoinRefusedError(
                429,
                say("class_wrong_codes", seconds=seconds),
                seconds,
            )
        if not self.code.is_code(code):
            self._limiter.note_wrong(address)
            raise JoinRefusedError(401, say("class_wrong_code"))
