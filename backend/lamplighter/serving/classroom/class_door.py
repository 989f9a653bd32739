"""The door of the class: open or closed, and the code that lets people in."""

from __future__ import annotations

import math

from lamplighter.contract.sentences import say
from lamplighter.serving.classroom.join_code import CodeState, JoinCode
from lamplighter.serving.classroom.join_limiter import JoinLimiter


class JoinRefusedError(RuntimeError):
    """A refused join; the message is for the user."""

    def __init__(self, status: int, detail: str, wait: float = 0.0) -> None:
        """Store the HTTP status and the seconds to wait besides the message."""
        super().__init__(detail)
        self.status = status
        self.wait = wait


class ClassDoor:
    """The door of one class. Not thread-safe: `Classroom` guards it."""

    def __init__(self) -> None:
        """Open the door with a first code."""
        self.is_open = True
        self.code = JoinCode()
        self._limiter = JoinLimiter()

    @property
    def wrong_codes(self) -> int:
        """Return the number of wrong codes so far."""
        return self._limiter.wrong

    def restore_door(self, *, is_open: bool, code: CodeState, before: CodeState | None, kept: bool) -> None:
        """Take over the door of another server. `kept`: that server goes on to change the code."""
        self.is_open = is_open
        self.code.restore_codes(code, before, kept=kept)

    def change_lock(self) -> None:
        """Change the code, and reset the count of wrong codes."""
        self.code.renew()
        self._limiter = JoinLimiter()

    def check_code(self, offered: str, address: str) -> None:
        """Check a code, or the secret of the link, that was offered from an address.

        Raises:
            JoinRefusedError: it is wrong, there were too many wrong ones, or the door is closed.
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
