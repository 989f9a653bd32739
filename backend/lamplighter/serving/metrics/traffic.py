"""The middleware around everything else: it counts every answer, and notes changes and refusals in the audit log."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lamplighter.runfolder.run_store import RUN_ID_PATTERN
from lamplighter.serving.metrics.audit_log import AuditLog

_CREATED_RUN = re.compile(rf"/api/runs/({RUN_ID_PATTERN})(?:/|$)".encode())
_SAFE_METHODS = ("GET", "HEAD")
_NO_CHANGE = ("estimate_run_size",)
"""Operations that are sent with POST only because their question is long."""
_REFUSED = frozenset({400, 401, 403, 404, 405, 413, 422, 429, 503})
_REFUSED_SOCKETS = frozenset({1008, 4400, 4403, 4404})


@dataclass
class TrafficCounts:
    """The answers of a server since it started. Belongs to the event loop."""

    responses: Counter[str] = field(default_factory=Counter[str])
    """HTTP answers by class of their status (`2xx`)."""
    refusals: Counter[str] = field(default_factory=Counter[str])
    """HTTP answers from 400 on, by status."""
    closes: Counter[str] = field(default_factory=Counter[str])
    """Websockets that this side closed or refused, by close code."""
    sent: Counter[str] = field(default_factory=Counter[str])
    """Bytes of bodies and messages, by protocol."""


class TrafficMiddleware:
    """ASGI middleware that counts and notes what the application answers. It changes nothing."""

    def __init__(self, app: ASGIApp, counts: TrafficCounts, audit: AuditLog) -> None:
        """Watch `app`."""
        self._app = app
        self._counts = counts
        self._audit = audit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request or socket."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        note = self._note_http if scope["type"] == "http" else self._note_websocket

        async def watched(message: Message) -> None:
            note(scope, message)
            await send(message)

        await self._app(scope, receive, watched)

    def _note_http(self, scope: Scope, message: Message) -> None:
        if message["type"] == "http.response.body":
            self._counts.sent["http"] += len(message.get("body", b""))
        elif message["type"] == "http.response.start":
            status: int = message["status"]
            self._counts.responses[f"{status // 100}xx"] += 1
            if status >= 400:
                self._counts.refusals[str(status)] += 1
            if status in _REFUSED:
                self._audit.count_refusal(str(status), _peer(scope))
            elif not 400 <= status < 500:
                self._record_change(scope, status, message.get("headers", ()))

    def _note_websocket(self, scope: Scope, message: Message) -> None:
        if message["type"] == "websocket.send":
            self._counts.sent["websocket"] += len(message.get("bytes") or message.get("text") or "")
        elif message["type"] == "websocket.close":
            code: int = message.get("code", 1000)
            self._counts.closes[str(code)] += 1
            if code in _REFUSED_SOCKETS:
                self._audit.count_refusal(str(code), _peer(scope))

    def _record_change(self, scope: Scope, status: int, headers: Any) -> None:
        state: dict[str, Any] = scope.get("state", {})
        what = getattr(scope.get("route"), "name", "") or "unknown"
        kind = state.get("audited")
        presenting = (
            scope["method"] not in _SAFE_METHODS and state.get("presenter") and what not in _NO_CHANGE
        )
        if not presenting and kind is None:
            return
        by = state.get("session") or "token"
        run = scope.get("path_params", {}).get("run")
        if run is None:
            location = next((value for name, value in headers if name.lower() == b"location"), b"")
            created = _CREATED_RUN.match(location)
            run = created[1].decode() if created else None
        self._audit.record_change(by, what, status, run=run, kind=kind)


def _peer(scope: Scope) -> str | None:
    client = scope.get("client")
    return client[0] if client else None
