"""A server seen from outside: its memory, descriptors and log, a presenter who keeps asking it, and those who attack it."""

from __future__ import annotations

import contextlib
import http.client
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import psutil

from lamplighter.runfolder.run_folder import RunFolder
from tests.support.application import Application

Request = tuple[str, str, str, str | None]
"""A request's kind, method, path and body."""


@contextlib.contextmanager
def serving(*words: str, **options: Any) -> Generator[Application]:
    """Start the application with some arguments, on a temporary folder of runs."""
    with tempfile.TemporaryDirectory() as folder, Application(Path(folder), *words, **options) as application:
        yield application


def stop(application: Application, run: RunFolder) -> None:
    """Stop a run, and wait until its processes have ended."""
    application.ask(run, "stop")
    application.wait_until_over(run)


class WatchedServer:
    """The process of a server."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self.process = psutil.Process(application.process.pid)
        self._lines = len(application.said)
        self.log_bytes = 0
        """The bytes logged since the start of the watch."""
        self.peak = 0.0
        """The largest memory seen, in MB."""

    def look(self) -> tuple[int, float]:
        """Return the open descriptors and the resident megabytes, and keep log and peak up to date."""
        new = self._application.said[self._lines :]
        self._lines += len(new)
        self.log_bytes += sum(len(line) + 1 for line in new)
        megabytes = self.process.memory_info().rss / 1e6
        self.peak = max(self.peak, megabytes)
        return self.process.num_fds(), megabytes


class Requester(threading.Thread):
    """Sends requests repeatedly, and records the time of each response by the kind of request."""

    def __init__(
        self,
        authority: str,
        headers: dict[str, str],
        choose: Callable[[int], Request],
        *,
        pause: Callable[[], float] = lambda: 0.1,
        timeout: float = 5.0,
        keep_alive: bool = False,
    ) -> None:
        """Prepare to send requests.

        Args:
            authority: host and port of the server.
            headers: headers of each request.
            choose: returns a request by its number from 0.
            pause: returns the seconds before the next.
            timeout: seconds after which one has failed.
            keep_alive: one connection for all, instead of a new one for each.
        """
        super().__init__(daemon=True)
        self.took: dict[str, list[float]] = defaultdict(list)
        """Milliseconds by kind."""
        self.failed = 0
        self._stopped = threading.Event()
        self._connection = http.client.HTTPConnection(authority, timeout=timeout)
        self._headers, self._choose, self._pause, self._keep_alive = headers, choose, pause, keep_alive

    @property
    def milliseconds(self) -> list[float]:
        """Return the times of all requests."""
        return [took for kind in self.took.values() for took in kind]

    def run(self) -> None:
        """Send requests until stopped."""
        count, connection = 0, self._connection
        while not self._stopped.wait(self._pause()):
            kind, method, path, body = self._choose(count)
            count += 1
            begun = time.monotonic()
            try:
                connection.request(method, path, body, self._headers)
                answer = connection.getresponse()
                answer.read()
                failed = answer.status >= 400
            except (OSError, http.client.HTTPException):
                connection.close()
                failed = True
            if not self._keep_alive:
                connection.close()
            self.failed += failed
            timeout = connection.timeout or 0.0
            self.took[kind].append(1e3 * (timeout if failed else time.monotonic() - begun))
        connection.close()

    def stop(self) -> None:
        """Send no further request, and wait for the last answer."""
        self._stopped.set()
        self.join()


def start_presenter(application: Application, requests: Sequence[tuple[str, str, str | None]]) -> Requester:
    """Let a presenter send these requests in turn, each with its method, path and body, ten a second."""
    headers = {"Authorization": f"Bearer {application.token}", "Content-Type": "application/json"}
    presenter = Requester(
        f"127.0.0.1:{application.port}", headers, lambda count: ("", *requests[count % len(requests)])
    )
    presenter.start()
    return presenter


@contextlib.contextmanager
def attacked(kind: str, *words: str) -> Generator[None]:
    """Let the hostile clients of a kind (`hostile_clients.py`) work during the block."""
    command = [sys.executable, "-m", "benchmarks.support.hostile_clients", kind, *words]
    attack = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
        assert attack.poll() is None, "the attack ended early"
    finally:
        attack.kill()
        attack.wait()
