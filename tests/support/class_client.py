"""A viewer of the class as a program: it joins over HTTP, and keeps its cookie."""

from __future__ import annotations

import http.client
import json
from typing import Any

from tests.support.application import Application

CLASSROOM = ("--classroom", "--class-host", "127.0.0.1", "--class-port", "0")
"""The words that give an application a class which only this machine reaches."""


class ClassClient:
    """A viewer, or somebody who would like to be one."""

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
        """Return the status, the body and the headers of an answer; `known` is the tag of a copy that is there."""
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
        """Join by a code, by default by the link, and ask for the page. Returns the status."""
        status, _, headers = self.ask("POST", "/api/class/join", {"code": code or self.secret})
        if status == 204:
            self.cookie = headers["set-cookie"].partition(";")[0]
            self.ask("GET", "/")
        return status
