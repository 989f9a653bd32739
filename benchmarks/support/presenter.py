"""A presenter that sends requests repeatedly, and records the time of each response."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Sequence

from tests.support.application import Application

TIMEOUT = 5.0
"""Seconds after which a request has failed."""


class Presenter(threading.Thread):
    """A presenter that sends ten requests a second, each over a new connection."""

    def __init__(self, application: Application, requests: Sequence[tuple[str, str, str | None]]) -> None:
        """Prepare to send these requests in turn, each with its method, path and body."""
        super().__init__(daemon=True)
        self.milliseconds: list[float] = []
        self.failed = 0
        self.stopped = threading.Event()
        self._port = application.port
        self._headers = {"Authorization": f"Bearer {application.token}", "Content-Type": "application/json"}
        self._requests = requests

    def run(self) -> None:
        """Send requests until stopped."""
        count = 0
        while not self.stopped.wait(0.1):
            method, path, body = self._requests[count % len(self._requests)]
            count += 1
            begun = time.monotonic()
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT)
            try:
                connection.request(method, path, body, self._headers)
                answer = connection.getresponse()
                answer.read()
                failed = answer.status >= 400
            except (OSError, http.client.HTTPException):
                failed = True
            finally:
                connection.close()
            self.failed += failed
            self.milliseconds.append(1e3 * (TIMEOUT if failed else time.monotonic() - begun))
