"""The middleware around everything else: it records changes and counts refusals in the audit log."""

from __future__ import annotations

import re
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lamplighter.runfolder.run_folder import RUN_ID_PATTERN
from lamplighter.web.audit.audit_log import AuditLog

_CREATED_RUN = re.compile(rf"/api/runs/({RUN_ID_PATTERN})(?:/|$)".encode())
_SAFE_METHODS = ("GET", "HEAD")
_NO_CHANGE = ("estimate_run_size",)
"""Operations that use POST only because their query is long."""
_REFUSED = frozenset({400, 401, 403, 404, 405, 413, 422, 429, 503})
_REFUSED_SOCKETS = frozenset({1008, 4400, 4403, 4404})


class AuditMiddleware:
    """ASGI middleware that records the application's responses without changing them."""

    def __init__(self, app: ASGIApp, audit: AuditLog) -> None:
        self._app = app
        self._audit = audit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._record_answer(scope, message)
            elif message["type"] == "websocket.close" and message.get("code") in _REFUSED_SOCKETS:
                self._audit.count_refusal(str(message["code"]))
            await send(message)

        await self._app(scope, receive, watched)

    def _record_answer(self, scope: Scope, message: Message) -> None:
        status: int = message["status"]
        if status in _REFUSED:
            self._audit.count_refusal(str(status))
        elif not 400 <= status < 500:
            self._record_change(scope, status, message.get("headers", ()))

    def _record_change(self, scope: Scope, status: int, headers: Any) -> None:
        state: dict[str, Any] = scope.get("state", {})
        what = getattr(scope.get("route"), "name", "") or "unknown"
        kind = state.get("audited")
        presenting = (
            scope["method"] not in _SAFE_METHODS and state.get("presenter") and what not in _NO_CHANGE
        )
        if not presenting and kind is None:
            return
        by = state.get("session") or getattr(state.get("pusher"), "id", "token")
        run = scope.get("path_params", {}).get("run")
        if run is None:
            location = next((value for name, value in headers if name.lower() == b"location"), b"")
            created = _CREATED_RUN.match(location)
            run = created[1].decode() if created else None
        self._audit.record_change(by, what, status, run=run, kind=kind)
