"""A page that gets beats: its counts and state from the messages of a class."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from lamplighter.wire.beat_frames import Beat
from lamplighter.wire.envelope import decode_envelope
from lamplighter.wire.frames import decode
from lamplighter.wire.grid_frames import GridChange, GridLayout, add
from lamplighter.wire.layout_frames import Method
from lamplighter.wire.row_frames import NEVER, Census


class BeatPage:
    """The state of a page, as `frontend/src/model/touch-counts.ts` and `frontend/src/api/grid-layouts.ts`
    keep it.
    """

    def __init__(self, vocabulary: int) -> None:
        self.touches = np.zeros(vocabulary, dtype=np.uint32)
        self.last_lit = np.full(vocabulary, NEVER, dtype=np.uint32)
        self.gradient = np.full(vocabulary, np.nan, dtype=np.float32)
        self.step = -1
        self.beats: list[Beat] = []
        self.censuses: list[Census] = []
        self.layouts: dict[Method, GridLayout] = {}
        self.changes = 0
        self.texts: list[dict[str, Any]] = []

    def receive(self, data: bytes | str) -> None:
        """Apply a message."""
        parts = decode_envelope(data) if isinstance(data, bytes) else [data]
        for part in parts:
            if isinstance(part, str):
                self.texts.append(json.loads(part))
            else:
                self._take(decode(part))

    def kinds(self) -> list[str]:
        """Return the types of the texts so far."""
        return [text["type"] for text in self.texts]

    def _take(self, frame: object) -> None:
        match frame:
            case Census():
                self.touches, self.last_lit = frame.touches.copy(), frame.last_lit.copy()
                self.step = frame.step
                self.censuses.append(frame)
            case Beat():
                self._count(frame)
            case GridLayout():
                self.layouts[frame.method.view] = frame
            case GridChange():
                self.changes += 1
                view = frame.method.view
                self.layouts[view] = add(self.layouts[view], frame)
            case _:
                pass

    def _count(self, beat: Beat) -> None:
        assert beat.first_step == self.step + 1, "steps are missing"
        between = beat.between
        self.touches[between.ids] += between.touches
        self.last_lit[between.ids] = between.last_lit
        if beat.elsewhere:
            self.gradient[:] = np.nan
        if between.norms is None:
            self.gradient[between.ids] = np.nan
        else:
            known = between.norms != 0
            self.gradient[between.ids[known]] = between.norms[known]
        self.touches[beat.batch_ids] += np.uint32(1)
        self.last_lit[beat.batch_ids] = beat.step
        known = beat.gradient_norms != 0
        self.gradient[beat.batch_ids[known]] = beat.gradient_norms[known]
        self.step = beat.step
        self.beats.append(beat)
