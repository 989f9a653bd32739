"""The predictions of a step with the largest losses, as kept in the table `top_losses` of `steps.sqlite`."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lamplighter.wire.binary import BinaryReader, Floats, FrameError, UInts, encode_f32, encode_u32
from lamplighter.wire.row_frames import NEVER

MAX_KEPT = 16
"""Maximum predictions of one step."""
MAX_WINDOW = 17
"""Maximum ids kept of the text of each: the token that was to be predicted, and those before it."""

_HEADER = struct.Struct("<HH")


@dataclass(frozen=True)
class TopLosses:
    """The predictions of one step with the largest losses, largest first."""

    places: UInts
    """The place of each in the batch, b T + t for the target of sequence b at position t, shape (N,)."""
    losses: Floats
    """The loss of each, nats, shape (N,)."""
    windows: NDArray[np.uint32]
    """The ids that end in each target, shape (N, W), `NEVER` where the sequence had not begun or the id is unknown. W is
    0 where the recipe gives the text of each batch."""

    def encode(self) -> bytes:
        """Return the record: the numbers N and W, the places, the losses and the windows, little-endian."""
        parts = encode_u32(self.places), encode_f32(self.losses), encode_u32(self.windows.reshape(-1))
        return _HEADER.pack(*self.windows.shape) + b"".join(parts)

    @staticmethod
    def decode(record: bytes, vocabulary: int) -> TopLosses:
        """Return the predictions in an untrusted record of a run with V tokens. Raises FrameError if it is
        not one of this vocabulary.
        """
        reader = BinaryReader(memoryview(record), 0)
        try:
            kept, window = reader.read_struct(_HEADER)
        except struct.error as error:
            raise FrameError("top losses cut short") from error
        if not 0 < kept <= MAX_KEPT or window > MAX_WINDOW:
            raise FrameError("top losses: too many or none")
        places, losses = reader.read_u32(kept), reader.read_f32(kept)
        windows = reader.read_u32(kept * window).reshape(kept, window)
        if reader.offset != len(record):
            raise FrameError("top losses: more bytes than numbers")
        if len(set(places.tolist())) != kept or not np.isfinite(losses).all() or (np.diff(losses) > 0).any():
            raise FrameError("top losses: not distinct places in descending order of finite losses")
        if ((windows >= vocabulary) & (windows != NEVER)).any():
            raise FrameError("top losses: a token that the vocabulary does not have")
        return TopLosses(places, losses, windows)


def keep_largest(losses: Floats) -> TopLosses:
    """Return the largest of a batch's losses, at most `MAX_KEPT`, without windows; shape (B T,)."""
    kept = min(MAX_KEPT, len(losses))
    places = np.argpartition(losses, len(losses) - kept)[len(losses) - kept :]
    # Equal losses in the order of the text, so that computing a step again gives the same record.
    places = places[np.lexsort((places, -losses[places]))].astype(np.uint32)
    return TopLosses(places, losses[places], np.empty((kept, 0), np.uint32))
