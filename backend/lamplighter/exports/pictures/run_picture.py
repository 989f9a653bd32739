"""The picture of a run: its last map as a city at night, or a single lamp if it has no map."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamplighter.exports.pictures.night_picture import (
    LAMP_BYTES,
    PICTURE_BYTES,
    SMALL,
    draw_night,
    draw_single_lamp,
)
from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.reading.district_count import last_districts
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutEntry, LayoutsReader
from lamplighter.wire.district_frames import Districts
from lamplighter.wire.frames import decode_as
from lamplighter.wire.layout_frames import Layout
from lamplighter.wire.vocabulary import Vocabulary

_MIN_BRIGHTNESS = 0.25
"""Brightness of the rarest token; the most frequent has 1."""

PictureCache = Callable[[tuple[Any, ...], Callable[[], bytes]], bytes]
"""A function that returns the cached picture of a key, or makes and caches it."""


def _draw_uncached(_key: tuple[Any, ...], draw: Callable[[], bytes]) -> bytes:
    return draw()


class RunPicture:
    """The picture of a run's current last map. Drawn only when `png` is called."""

    def __init__(
        self, run: RunFolder, cache: PictureCache = _draw_uncached, size: tuple[int, int] = SMALL
    ) -> None:
        """Look up the last layout; a run with an unreadable map has none. `size`: width and height in pixels."""
        self._run, self._cache, self._size = run, cache, size
        self._entry: LayoutEntry | None = None
        self._districts: Districts | None = None
        # A history that no server has shown yet has smoothed maps alone.
        for self._maps in (run.layouts_path, run.relayouts_path):
            with suppress(*READ_ERRORS), LayoutsReader(self._maps) as reader:
                self._entry = reader.last_layout_entry() if run.is_prepared else None
                self._districts = last_districts(reader)
            if self._entry is not None:
                break

    @property
    def key(self) -> tuple[Any, ...]:
        """Return all values that the picture depends on besides the run."""
        layout = self._entry and (self._entry.id, self._entry.attempt, self._entry.step)
        districts = self._districts and (self._districts.attempt, self._districts.step)
        return (self._run.created, layout, districts)

    def cost(self) -> int:
        """Return the approximate bytes of memory for drawing a small picture; 0 for a single lamp, which takes few.

        Raises:
            FormatError: the vocabulary cannot be read.
        """
        if self._entry is None:
            return 0
        return PICTURE_BYTES + LAMP_BYTES * len(self._run.vocabulary)

    def png(self) -> bytes:
        """Return the picture as a PNG.

        Raises:
            READ_ERRORS: the map cannot be read.
        """
        return self._cache(self.key, self._draw)

    def _draw(self) -> bytes:
        entry = self._entry
        if entry is None:
            return draw_single_lamp(self._size)
        with LayoutsReader(self._maps) as reader:
            layout = decode_as(reader.layout_record(entry.id), Layout)
        vocabulary = self._run.vocabulary
        size = min(len(layout.coordinates), len(vocabulary))
        if not size:
            return draw_single_lamp(self._size)
        kinds = _kinds(vocabulary, self._districts)[:size]
        ranks = np.argsort(np.argsort(vocabulary.counts[:size], kind="stable"), kind="stable") / size
        if not vocabulary.counts_known:
            ranks = np.full(size, 0.5)
        brightness = _MIN_BRIGHTNESS + (1 - _MIN_BRIGHTNESS) * ranks**2
        return draw_night(layout.coordinates[:size], kinds, brightness, self._size)


def _kinds(vocabulary: Vocabulary, districts: Districts | None) -> NDArray[np.int64]:
    """Return each token's kind, as coloured on the page: family, class or district, shape (V,); -1 for none."""
    class_of = vocabulary.class_of().astype(np.int64)
    family_of = vocabulary.family_of()
    if family_of:
        # In order of their first classes, as on the page.
        families = dict.fromkeys(family_of[name] for name in vocabulary.classes if name in family_of)
        places = {name: place for place, name in enumerate(families)}
        kind_of_class = [places[family_of[name]] if name in family_of else -1 for name in vocabulary.classes]
    else:
        kind_of_class = list(range(len(vocabulary.classes)))
    if kind_of_class:
        return np.array([*kind_of_class, -1])[class_of]
    if districts is None or len(districts.of) != len(vocabulary):
        return np.full(len(vocabulary), -1)
    # A district keeps its colour for its whole life.
    return np.concatenate([[-1], districts.ids.astype(np.int64)])[districts.of]
