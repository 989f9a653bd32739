"""What the fan-out must know of the class: who is there, what each is told, and what they may see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.schemas.classroom import ClassMessage, PredictionMessage


class AudienceMember(Protocol):
    """A session of a viewer."""

    @property
    def id(self) -> str:
        """Return its public name."""
        ...


class Audience(Protocol):
    """The class. Any thread may call it, and nothing here takes long."""

    def session(self, session_id: str) -> AudienceMember | None:
        """Return a session; None once it has ended."""
        ...

    def message_for(self, session_id: str, run: RunFolder) -> ClassMessage | None:
        """Return all that a viewer of a run is told; None once the session has ended."""
        ...

    def predict(self, session_id: str, prediction: PredictionMessage) -> bool:
        """Take a viewer's prediction. Returns whether it fits an open question."""
        ...

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call `callback` after every change, on whichever thread made it."""
        ...
