"""The class as it stands in the folder of runs, for the server that comes after this one: who is in it, what they may
see, and what they were asked and answered. Read as if a stranger had written it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lamplighter.platform.private_modes import open_private
from lamplighter.platform.steady_clock import SteadyClock
from lamplighter.serving.classroom.questions.asked_questions import QuestionsState, RunName
from lamplighter.serving.classroom.viewer_sessions import LIFETIME, ViewerSession
from lamplighter.serving.schemas.classroom import ViewQuery

CLASS_FILE = ".class-sessions.json"
_LARGEST = 16 << 20


class StoredClass(BaseModel):
    """A class without its code, which is new with each server."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False, revalidate_instances="never")

    sessions: Annotated[list[ViewerSession], Field(max_length=7_000)]
    questions: QuestionsState | None = None
    door: bool = True
    following: bool = False
    view: ViewQuery | None = None
    texts: Annotated[dict[RunName, bool], Field(max_length=10_000)] = {}
    """The runs whose text was given to the class, or taken from it."""


class _Written(StoredClass):
    """The file: a class, and when it was written."""

    saved: float
    uptime: float
    boot: str | None


def write_class(folder: Path, stored: StoredClass, clock: SteadyClock) -> None:
    """Write the file of a class. Raises OSError."""
    written = _Written(**vars(stored), saved=clock(), uptime=clock.uptime(), boot=clock.boot)
    path = folder / CLASS_FILE
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        with open(temporary, "x", encoding="ascii", opener=open_private) as file:
            file.write(written.model_dump_json(ensure_ascii=True))
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def read_class(folder: Path, clock: SteadyClock) -> StoredClass | None:
    """Return the class of the file, its sessions aged by the time since it was written; None if it is missing,
    damaged, older than a session may be, or belongs to another user.
    """
    path = folder / CLASS_FILE
    try:
        if path.stat(follow_symlinks=False).st_size > _LARGEST or path.is_symlink():
            return None
        found = _Written.model_validate_json(path.read_bytes(), strict=True)
    except (OSError, ValidationError, RecursionError):
        return None
    age = clock.seconds_since(found.saved, found.uptime, found.boot)
    if age >= LIFETIME:
        return None
    # The time of writing, by the current clock.
    later = clock() - age - found.saved
    found.sessions = [replace(session, joined=session.joined + later) for session in found.sessions]
    if found.questions is not None and not found.questions.is_sound():
        found.questions = None
    return found
