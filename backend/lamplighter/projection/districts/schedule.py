"""The schedule of district detection, within a share of the projector's time, and storage of its results."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from lamplighter.projection.districts.tracker import DistrictChange, DistrictTracker
from lamplighter.projection.quality.neighbour_source import NearestNeighbours
from lamplighter.runfolder.tables.layouts import LayoutsReader, LayoutsWriter
from lamplighter.wire.binary import FrameError
from lamplighter.wire.district_frames import Districts
from lamplighter.wire.frames import decode
from lamplighter.wire.vocabulary import Vocabulary

MIN_INTERVAL = 2.0
"""Minimum seconds between two detections."""
TIME_SHARE = 0.1
"""Maximum share of the projector's time."""
_MAX_EVENTS = 20
"""Maximum events of one detection on the timeline; the last one summarises the rest."""


class DistrictSchedule:
    """The detector of districts in the embeddings that the projector draws. For the main thread only."""

    def __init__(self, writer: LayoutsWriter, earlier: LayoutsReader, vocabulary: Vocabulary) -> None:
        self._writer = writer
        last = _last_districts(earlier)
        next_id = earlier.facts().get("next_district", 1)
        self._tracker = DistrictTracker(vocabulary, last, next_id)
        self._seen = (last.attempt, last.step) if last else None
        self._due = 0.0
        self._final = False

    def detect_if_due(
        self,
        vectors: NDArray[np.float32],
        nearest: NearestNeighbours | None,
        attempt: int,
        step: int,
        *,
        due: bool = False,
        final: bool = False,
    ) -> None:
        """Detect the districts of a step, if detection is due. `vectors`: shape (V, D), finite.

        Clusters before the first step do not count: nothing has been learned. `due`: however little time has
        passed; `final`: this is the last embedding.
        """
        fresh = self._seen != (attempt, step) or (final and not self._final)
        if nearest is None or not fresh or (time.monotonic() < self._due and not (due or final)):
            return
        used = time.thread_time()
        members, names, changes = (
            ({}, {}, []) if step == 0 else self._tracker.detect(vectors, *nearest, final=final)
        )
        district_of = np.zeros(len(vectors), dtype=np.uint16)
        for index, some in enumerate(members.values(), 1):
            district_of[some] = index
        ids = np.array(list(members), dtype=np.uint32)
        self._writer.set_facts({"next_district": self._tracker.next_id})
        self._writer.commit_districts(
            Districts(attempt, step, time.time(), ids, tuple(names[known] for known in members), district_of),
            [(change.kind, change.message) for change in _limit_events(changes)],
        )
        self._seen, self._final = (attempt, step), final
        self._due = time.monotonic() + max(MIN_INTERVAL, (time.thread_time() - used) / TIME_SHARE)


def _limit_events(changes: list[DistrictChange]) -> list[DistrictChange]:
    if len(changes) <= _MAX_EVENTS:
        return changes
    rest = len(changes) - _MAX_EVENTS + 1
    kind = changes[-1].kind
    return [
        *changes[: _MAX_EVENTS - 1],
        DistrictChange(kind, f"{rest} other districts came, changed or went."),
    ]


def _last_districts(earlier: LayoutsReader) -> Districts | None:
    record = earlier.last_written_districts()
    try:
        districts = None if record is None else decode(record)
    except FrameError:
        return None
    return districts if isinstance(districts, Districts) else None
