"""A presenter's app with the app of its class, combined as in `ClassServer`, without a socket."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI

from lamplighter.serving.apps.app import create_app
from lamplighter.serving.apps.class_app import create_class_app
from lamplighter.serving.classroom.class_gate import ClassGate
from lamplighter.serving.classroom.classroom import Classroom
from lamplighter.serving.classroom.viewer_sessions import ViewerSession, ViewerSessions
from lamplighter.serving.services import Services
from lamplighter.web.access.session_store import digest_of
from lamplighter.web.capacity.caller import Network
from lamplighter.web.hosts import Origin
from lamplighter.web.settings import ServerSettings
from tests.support.asgi import PORT

CLASS_HOST = "192.168.1.20:8601"
CLASS_ORIGIN = f"http://{CLASS_HOST}"
PUPIL = "192.168.1.77"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"
)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class ClassApps:
    presenting: FastAPI
    watching: FastAPI
    gate: ClassGate

    @property
    def services(self) -> Services:
        return self.presenting.state.services

    @property
    def classroom(self) -> Classroom:
        return self.services.classroom

    def join(self, user_agent: str = "") -> tuple[str, str]:
        """Admit a viewer. Returns the id of the session and its `Cookie` header."""
        session, cookie = self.classroom.join(self.classroom.code_and_secret()[1], PUPIL, user_agent)
        return session.id, f"{self.gate.cookie_name(self.gate.addresses[0])}={cookie}"


def make_class_apps(
    runs: Path,
    *,
    origin: Origin | None = None,
    trusted: Network | None = None,
    lessons: Path | None = None,
) -> ClassApps:
    presenting = create_app(ServerSettings(runs, port=PORT, roles=(), lessons=lessons))
    services: Services = presenting.state.services
    gate = ClassGate(
        services.classroom,
        services.catalog.find_run,
        activity=services.gate.activity,
        port=8601,
        trusted=trusted,
    )
    gate.addresses = [origin or Origin("http", "192.168.1.20", 8601)]
    return ClassApps(presenting, create_class_app(services, gate), gate)


def begin_session(sessions: ViewerSessions, user_agent: str, address: str) -> tuple[ViewerSession, str]:
    """Return a new session with its cookie."""
    cookie = secrets.token_urlsafe(32)
    return sessions.begin(user_agent, address, digest_of(cookie)), cookie
