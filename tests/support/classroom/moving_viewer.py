"""A viewer of a class whose page connects again, as a browser's does, when its server is gone."""

from __future__ import annotations

import json
import random
import threading
import time
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from tests.support.classroom.class_client import ClassClient
from tests.support.waiting import wait_until

_PAUSE = (0.3, 3.0)
"""Seconds before a page of a class connects again: `reconnectDelay` of the page."""


class MovingViewer:
    """A viewer that has joined, with its socket in a thread."""

    def __init__(self, client: ClassClient, run_id: str) -> None:
        """Connect to a run by the address at which `client` joined."""
        self.client, self._run_id = client, run_id
        self.message: dict[str, Any] = {}
        """The newest state of the class."""
        self.beats = self.connections = 0
        self.told_at = 0.0
        """When the first message of the newest connection came, in seconds of the monotonic clock."""
        self._socket: ClientConnection | None = None
        self._answers = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._stay, daemon=True)
        self._thread.start()

    @property
    def is_connected(self) -> bool:
        """Return whether it has been told of the class by a server that lives."""
        return self._socket is not None

    @property
    def question(self) -> dict[str, Any]:
        """Return the question that it is shown; empty: none."""
        return self.message.get("question") or {}

    def predict(self, question: int, answer: float) -> int:
        """Send a prediction once its socket is open. Returns its id."""
        self._answers += 1
        self.say(question, answer, self._answers)
        return self._answers

    def say(self, question: int, answer: float, number: int) -> None:
        """Send a prediction with an id."""
        text = json.dumps({"question": question, "answer": answer, "id": number})

        def is_sent() -> bool:
            socket = self._socket
            try:
                if socket is None:
                    return False
                socket.send(text)
            except (WebSocketException, OSError):
                return False
            return True

        wait_until(is_sent, "an open socket")

    def close(self) -> None:
        """Leave."""
        self._ended.set()
        if self._socket is not None:
            self._socket.close()
        self._thread.join(10)

    def _stay(self) -> None:
        while not self._ended.is_set():
            try:
                self._watch()
            except (WebSocketException, OSError):
                pass
            finally:
                self._socket = None
            self._ended.wait(random.uniform(*_PAUSE))

    def _watch(self) -> None:
        with connect(
            f"{self.client.url.replace('http', 'ws', 1)}/api/runs/{self._run_id}/beats",
            origin=self.client.url,  # pyright: ignore[reportArgumentType]
            additional_headers={"Cookie": self.client.cookie},
            max_size=None,
            compression=None,
            close_timeout=1,
        ) as socket:
            told = False
            for data in socket:
                if isinstance(data, bytes):
                    self.beats += 1
                elif (message := json.loads(data))["type"] == "class":
                    self.message = message
                    if not told:
                        self.told_at, told = time.monotonic(), True
                        self.connections += 1
                        self._socket = socket
