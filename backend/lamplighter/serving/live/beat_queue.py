"""The steps that wait for one viewer of beats: counted exactly, however long it reads nothing."""

from __future__ import annotations

from collections import deque

from lamplighter.serving.live.beat_picker import BeatPicker, PassedStep
from lamplighter.serving.schemas.base import to_json_text
from lamplighter.serving.schemas.messages import PassedMessage
from lamplighter.wire.frames import decode_as, encode
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Census


class BeatQueue:
    """The beats of one viewer. Only the newest step waits, with the counts of those before it."""

    def __init__(self, least_seconds: float) -> None:
        self._least_seconds = least_seconds
        self._picker: BeatPicker | None = None
        self._next_at = float("-inf")
        self._parts: deque[bytes | str] = deque()
        """The unsent rest of the last beat."""

    @property
    def due_at(self) -> float:
        """Return when there is something to send, in seconds; infinite if nothing waits."""
        if self._parts:
            return float("-inf")
        return float("inf") if self._picker is None else self._picker.due_at

    def start(self, census: bytes) -> None:
        """Start from a census, which the viewer gets: it includes or supersedes every step before."""
        self._picker = BeatPicker(decode_as(census, Census))
        self._parts.clear()

    def put(self, pulse: bytes, now: float) -> None:
        if self._picker is not None:
            self._picker.offer(decode_as(pulse, Pulse), now, self._next_at)

    def pop(self, now: float) -> bytes | str | None:
        """Return the next message at `now` (seconds); None if none is due."""
        picked = None if self._parts or self._picker is None else self._picker.pick(now)
        if picked is not None:
            self._next_at = now + self._least_seconds
            beat = picked.beat
            if picked.passed:
                self._parts.append(_passed_message(beat.attempt, picked.passed))
            self._parts.append(encode(beat))
            if beat.elsewhere:
                # A beat has no field for the gradients of rows outside the batch.
                self._parts.append(encode(picked.pulse))
        return self._parts.popleft() if self._parts else None


def _passed_message(attempt: int, passed: list[PassedStep]) -> str:
    return to_json_text(
        PassedMessage(
            attempt=attempt,
            steps=[one.step for one in passed],
            losses=[one.loss for one in passed],
            norms=[list(one.norms) for one in passed],
            ever_rows=[one.ever for one in passed],
        )
    )
