"""A job in a child process. The thread that waits for it handles its messages."""

from __future__ import annotations

from collections.abc import Callable
from queue import SimpleQueue
from typing import IO

from lamplighter.processes.child_job import ChildJob, ChildMessage

_POLL_SECONDS = 0.05


def _go_on() -> None:
    pass


class AwaitedJob:
    """A child process that does one job for the thread that waits for it."""

    def __init__(self, command: list[str], *, log: IO[bytes] | None = None, name: str = "job") -> None:
        """Start the child; the arguments are those of `ChildJob`. Raises OSError if it cannot be started."""
        self.problem: str | None = None
        """The last reason for a failure that the child sent, in one sentence."""
        self._messages: SimpleQueue[ChildMessage] = SimpleQueue()
        self._codes: list[int] = []
        self._child = ChildJob(
            command, on_message=self._messages.put, on_end=self._codes.append, log=log, name=name
        )

    def wait_for_end(
        self,
        on_message: Callable[[ChildMessage], None],
        check: Callable[[], None] = _go_on,
        patience: float = 0.0,
    ) -> int:
        """Wait for the end of the child, calling `on_message` with each message and `check` twenty times a
        second; return its exit code. If one of them raises an error, the child is ended first: it has
        `patience` seconds to clean up before it is killed.
        """
        try:
            ended = False
            while not ended:
                ended = self._child.join(_POLL_SECONDS)
                while not self._messages.empty():
                    message = self._messages.get()
                    self.problem = message.problem or self.problem
                    on_message(message)
                check()
        except BaseException:
            self._child.cancel(patience)
            raise
        return self._codes[0]
