"""A class viewer as a program: it joins over HTTP, and keeps its cookie."""

from __future__ import annotations

import http.client
import json
from typing import Any

from tests.support.application import Application

CLASSROOM = ("--classroom", "--class-host", "127.0.0.1", "--class-port", "0")
"""Command-line arguments for a class that only this machine can reach."""


class ClassClient:
    """A viewer, before or after joining."""

    def __init__(self, application: Application) -> None:
        described = application.get("/api/class")
        self.url: str = described["addresses"][0]
        self.secret: str = described["link"].rpartition("#")[2]
        self.code: str = described["code"]
        self.cookie = ""

    @property
    def authority(self) -> str:
        return self.url.removeprefix("http://")

    def ask(
        self, method: str, path: str, body: object = None, *, known: str = ""
    ) -> tuple[int, bytes, dict[str, str]]:
        """Return the status, body and headers of an answer; `known` is the entity tag of a cached copy."""
        connection = http.client.HTTPConnection(self.authority, timeout=20)
        headers = {"Origin": self.url, "Cookie": self.cookie}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if known:
            headers["If-None-Match"] = known
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, answer.read(), {k.lower(): v for k, v in answer.getheaders()}
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        """Return the JSON of an answer."""
        status, body, _ = self.ask("GET", path)
        assert status == 200, body
        return json.loads(body)

    def join(self, code: str | None = None) -> int:
        """Join by a code, by default through the link, and request the page. Returns the status."""
        status, _, headers = self.ask("POST", "/api/class/join", {"code": code or self.secret})
        if status == 204:
            self.cookie = headers["set-cookie"].partition(";")[0]
            self.ask("GET", "/")
        return status
