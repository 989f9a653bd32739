"""The file of the class's sessions, private, so that a class survives a restart of the server.

It holds digests, numbers and roles: a reader can neither join nor identify viewers.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

from lamplighter.platform.private_modes import open_private
from lamplighter.platform.steady_clock import SteadyClock
from lamplighter.serving.classroom.viewer_session import ViewerSession

SESSIONS_FILE = ".class-sessions.json"
_LARGEST = 2 << 20


def write_sessions(folder: Path, sessions: Iterable[ViewerSession], clock: SteadyClock) -> None:
    """Write the file.

    Raises:
        OSError: the file cannot be written.
    """
    path = folder / SESSIONS_FILE
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    content = {
        "saved": clock(),
        "uptime": clock.uptime(),
        "boot": clock.boot,
        "sessions": [asdict(one) for one in sessions],
    }
    try:
        with open(temporary, "x", encoding="ascii", opener=open_private) as file:
            json.dump(content, file)
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def read_sessions(folder: Path, clock: SteadyClock) -> list[ViewerSession]:
    """Return the sessions of the file, aged by the time since it was written; none if it is missing, damaged, or
    belongs to another user."""
    path = folder / SESSIONS_FILE
    try:
        if path.stat(follow_symlinks=False).st_size > _LARGEST or path.is_symlink():
            return []
        content: Any = json.loads(path.read_text(encoding="ascii"))
        saved, uptime = float(content["saved"]), float(content["uptime"])
        boot = content["boot"]
        found = [ViewerSession(**cast("dict[str, Any]", entry)) for entry in content["sessions"]]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return []
    # The time of writing, by the current clock.
    later = clock() - clock.seconds_since(saved, uptime, boot) - saved
    return [replace(session, joined=session.joined + later) for session in found if _is_sound(session)]


def _is_sound(session: ViewerSession) -> bool:
    words = (session.id, session.browser, session.cookie_digest)
    return (
        all(isinstance(cast(object, word), str) for word in words)
        and isinstance(cast(object, session.number), int)
        and isinstance(cast(object, session.joined), float)
        and session.role in ("viewer", "assistant")
        and isinstance(cast(object, session.watched), bool)
    )
