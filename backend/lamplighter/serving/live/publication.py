"""Messages to those who watch a run, and to new viewers: each is made, and for a class compressed, once for all recipients.
There a layout on a grid is sent as its difference from the one before.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from lamplighter.serving.schemas.base import to_json_text
from lamplighter.serving.schemas.messages import StatusMessage
from lamplighter.wire.envelope import Part, encode_envelope
from lamplighter.wire.frames import encode
from lamplighter.wire.grid_frames import GridLayout, fit_grid, place_on_grid, subtract
from lamplighter.wire.layout_frames import Layout
from lamplighter.wire.row_frames import Census


class GridChain:
    """A chain of layouts of one view.

    A new viewer gets the newest whole, and the differences from then on.
    """

    def __init__(self) -> None:
        self.newest: GridLayout | None = None
        self._number = 0

    def append(self, layout: Layout) -> bytes | None:
        """Append a layout. Returns its frame, or None if it fits no grid."""
        if not len(layout.coordinates):
            return None
        newest, number = self.newest, self._number + 1
        whole = None
        if newest is not None and len(newest.places) == len(layout.coordinates):
            whole = place_on_grid(layout, newest.grid, number)
        frame = encode(subtract(whole, newest)) if whole is not None and newest is not None else None
        if whole is None:
            whole = place_on_grid(layout, fit_grid(layout), number)
            if whole is None:
                return None
        self.newest, self._number = whole, number
        return frame or encode(whole)


@dataclass(frozen=True)
class Publication:
    """The parts of one message."""

    parts: tuple[Part, ...]
    """The parts for all viewers."""
    worded: tuple[Part, ...] = ()
    """The parts that contain words of the run's text, only for viewers who may see it."""
    compress: bool = True
    _envelopes: dict[bool, bytes] = field(
        default_factory=dict[bool, bytes], init=False, repr=False, compare=False
    )

    def envelope(self, *, text: bool) -> bytes | None:
        """Return the message, with the worded parts if `text`; None if it is empty."""
        text = text and bool(self.worded)
        if not text and not self.parts:
            return None
        if text not in self._envelopes:
            parts = self.parts + self.worded if text else self.parts
            self._envelopes[text] = encode_envelope(parts, compress=self.compress)
        return self._envelopes[text]


@dataclass(frozen=True)
class JoiningState:
    """The full state of a run at a position, for viewers who have nothing."""

    attempt: int = 0
    step: int = 0
    """Where the record is."""
    census: Census | None = None
    """The counts just before the step of `beat`, or the newest ones without a beat."""
    beat: bytes | None = None
    """The newest beat, without the steps before it."""
    layouts: tuple[GridLayout | bytes, ...] = ()
    """The newest layout of each view, on its grid or as a frame."""
    districts: bytes | None = None
    status: str | None = None
    words: str | None = None
    """The text read by the step of `beat`."""
    acknowledged: tuple[str, ...] = ()
    """The newest acknowledgements of requests."""
    compress: bool = True
    _envelopes: dict[bool, bytes] = field(
        default_factory=dict[bool, bytes], init=False, repr=False, compare=False
    )

    def parts(self, *, text: bool) -> list[Part]:
        """Return the parts of the message, in the order in which to apply them."""
        census = None if self.census is None else encode(self.census)
        layouts = (one if isinstance(one, bytes) else encode(one) for one in self.layouts)
        frames = (census, self.beat, self.districts, *layouts)
        status = self.status if text or self.status is None else without_message(self.status)
        words = self.words if text else None
        return [part for part in (*frames, status, words, *self.acknowledged) if part is not None]

    def made_envelope(self, *, text: bool) -> bytes | None:
        return self._envelopes.get(text)

    def envelope(self, *, text: bool) -> bytes:
        """Return the message, with words if `text`. Making it takes milliseconds, more for a large vocabulary."""
        if text not in self._envelopes:
            self._envelopes[text] = encode_envelope(self.parts(text=text), compress=self.compress)
        return self._envelopes[text]


def without_message(status: str) -> str:
    """Return a status message without the trainer's message, which may quote the text."""
    message = StatusMessage.model_validate_json(status)
    return to_json_text(StatusMessage(status=message.status.model_copy(update={"message": ""})))


NOTHING_YET = JoiningState()
"""The state of a run that has not begun."""
