"""The process that pushes a run beside its training: `python -m lamplighter.client.pushing.worker RUN SERVER`.

The loop never waits for it. After the loop has ended it sends the rest, and gives up after a minute without a network. The token
comes in the environment, which only this user can read. Exit codes: 0 all has arrived, 1 not all of it, 2 refused.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

from lamplighter.client.pushing.push_client import PushClient, PushRefusedError
from lamplighter.client.pushing.pusher import RunPusher
from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.fragments.fragment import name_at
from lamplighter.runfolder.run_folder import RunFolder

TOKEN_VARIABLE = "LAMPLIGHTER_PUSH_TOKEN"
_PATIENCE = 60.0
_LAST_SECONDS = 10.0


class PushProcess:
    """A process that pushes one run."""

    def __init__(self, run: Path, server: str, token: str) -> None:
        self._run, self._server = run, server
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lamplighter.client.pushing.worker", str(run), server],
            env=os.environ | {TOKEN_VARIABLE: token},
            # Its end tells that the loop has ended.
            stdin=subprocess.PIPE,
            # A reader of the loop's output need not wait for this process.
            stdout=subprocess.DEVNULL,
            # Ctrl-C in the terminal ends the loop, whose last steps are still to be sent.
            start_new_session=True,
        )

    def await_end(self, seconds: float = _LAST_SECONDS) -> str:
        """Wait for the last steps of a run that is over, a few seconds at most. Return what remains to be said."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            if self._process.wait(seconds) == 0:
                name = name_at(RunFolder(self._run), self._server)
                named = "" if name == self._run.name else f", as {name}"
                return f"all of {self._run.name} is at {self._server}{named}"
        rest = push_command(self._run, self._server)
        return f"not all of {self._run.name} is at {self._server} yet. What is missing is sent by: {rest}"


def push_command(run: Path, server: str) -> str:
    return f"lamplighter push {shlex.quote(str(run))} {server}"


def main() -> int:
    folder, server = Path(sys.argv[1]), sys.argv[2]

    def say(message: str) -> None:
        print(f"lamplighter: {message}", file=sys.stderr, flush=True)

    # A batch system asks all processes of a job to end at once, and the loop's last steps are still to be sent.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    parent, ended = os.getppid(), Event()

    def read_to_end() -> None:
        # Not through `sys.stdin`, whose lock this thread would hold while the process ends.
        while os.read(0, 1):
            pass
        ended.set()

    Thread(target=read_to_end, daemon=True).start()
    pusher = RunPusher(
        RunFolder(folder),
        PushClient(server, os.environ.get(TOKEN_VARIABLE, "")),
        say=say,
        patience=_PATIENCE,
        # A child of the loop may hold the pipe open.
        loop_ended=lambda: ended.is_set() or os.getppid() != parent,
    )
    try:
        return 0 if pusher.push() else 1
    except (PushRefusedError, *READ_ERRORS) as error:
        say(f"{folder.name} is not sent: {error}. It is kept here: {push_command(folder, server)}")
        return 2


if __name__ == "__main__":
    sys.exit(main())
