"""A run in brief, drawn with numpy alone: its last map as a city at night, and one sentence."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.reading.current_map import count_districts, last_districts
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import describe_fork
from lamplighter.runfolder.tables.layouts import LayoutEntry, LayoutsReader
from lamplighter.wire.district_frames import Districts
from lamplighter.wire.frames import decode_as
from lamplighter.wire.layout_frames import Layout
from lamplighter.wire.vocabulary import Vocabulary

_WORDS_OF_SIZE = ((1e9, "billion"), (1e6, "million"))


def describe_run(run: RunFolder) -> str:
    """Return one sentence with the words that the model knows and has read, and the neighbourhoods found; for
    a fork, where it comes from and what it changes.
    """
    parent = None
    with suppress(*READ_ERRORS):
        parent = run.recipe.parent
    return _describe_learning(run) + ("" if parent is None else f" A fork {describe_fork(parent)}.")


def _describe_learning(run: RunFolder) -> str:
    try:
        status, words = read_status(run), len(run.vocabulary)
        districts = count_districts(run) or 0
    except READ_ERRORS:
        return "A run that cannot be read."
    if status.step == 0:
        return f"{words:,} words, before the first step."
    recipe = run.recipe
    read = ""
    if recipe.corpus.kind != "recorded":
        tokens = status.step * recipe.sequences * recipe.model.context
        read = f", {_approximately(tokens)} words read"
    found = ""
    if districts:
        found = f", {districts:,} neighbourhood{'' if districts == 1 else 's'} found"
    return f"A language model learns {words:,} words: {status.step:,} steps{read}{found}."


def _approximately(number: int) -> str:
    for size, word in _WORDS_OF_SIZE:
        if number >= size:
            return f"{number / size:.1f} {word}"
    return f"{number:,}"


SMALL = (320, 180)
"""Width and height in pixels of the picture in a list."""
PICTURE_BYTES = 12 * 4 * SMALL[0] * SMALL[1]
"""Bytes of memory for drawing a small picture, without lamps: a few images of 32 bits per channel."""
LAMP_BYTES = 80
"""Bytes of memory per lamp for drawing."""
TINTS = ("#f1af64", "#69b3eb", "#38e3b5", "#d77ea6", "#fde56f", "#8d7fee", "#f5642b", "#d6f0f9")
"""Colours of the kinds of lamps, cycled. All colours are those of the page (`frontend/src/map/palette.ts`)."""
PLAIN = "#a3b2d4"
_NIGHT, _LAND, _LAMP = "#0a0e1c", "#12203c", "#ffe9c4"

_MARGIN = 0.05
"""Share of the picture left free on each side."""
_OUTLIERS = 0.3
"""Percentage of lamps cut off at each edge, so that a stray one does not shrink the city."""
_CORE, _GLOW, _LAND_REACH = 0.7, 3.2, 9.0
"""Standard deviations of the blurs, in pixels of a small picture."""
_CORE_LIGHT, _GLOW_LIGHT = 2.6, 5.0
"""Light of a lamp in a small picture of `_USUAL_LAMPS`, summed over its pixels. The more lamps, the dimmer each."""
_USUAL_LAMPS = 2_000
_MAX_SCALE, _MIN_SCALE = 3.0, 0.2


def draw_night(
    coordinates: NDArray[np.float32],
    kinds: NDArray[np.integer],
    brightness: NDArray[np.floating],
    size: tuple[int, int] = SMALL,
) -> bytes:
    """Draw a map, (V, 2), as a PNG. `kinds`: of each lamp, -1 for none; `brightness`: from 0 to 1."""
    larger = _enlargement(size)
    colours = _linear([*TINTS, PLAIN])[np.where(kinds < 0, len(TINTS), kinds % len(TINTS))]
    amount = np.clip((_USUAL_LAMPS / len(coordinates)) ** 0.5, _MIN_SCALE, _MAX_SCALE)
    amount = amount * larger**2
    shades = colours * np.asarray(brightness, np.float32)[:, None]
    light = _sum_light(_place(coordinates, size), shades, size)
    lamps = amount * (_CORE_LIGHT * _blur(light, larger * _CORE) + _GLOW_LIGHT * _blur(light, larger * _GLOW))
    density = _blur(light.mean(axis=2, keepdims=True), larger * _LAND_REACH)
    return _encode(_expose(lamps, density / max(float(density.max()), 1e-9)))


def draw_single_lamp(size: tuple[int, int] = SMALL) -> bytes:
    """Draw the picture of a run without a map: one lamp in the dark. Return it as a PNG."""
    larger, (width, height) = _enlargement(size), size
    light = larger**2 * _sum_light(np.array([[width / 2, height / 2]], np.float32), _linear([_LAMP]), size)
    lamps = 8 * _blur(light, 1.2 * larger) + 60 * _blur(light, 9 * larger)
    return _encode(_expose(lamps, np.zeros((height, width, 1), np.float32)))


def _enlargement(size: tuple[int, int]) -> float:
    return min(size[0] / SMALL[0], size[1] / SMALL[1])


def _linear(colours: list[str]) -> NDArray[np.float32]:
    """Return colours as numbers from 0 to 1, shape (N, 3)."""
    numbers = [[int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)] for colour in colours]
    return np.array(numbers, dtype=np.float32)


def _place(coordinates: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Return the positions of lamps in pixels, shape (V, 2), with the city as large as fits."""
    low, high = np.percentile(coordinates, [_OUTLIERS, 100 - _OUTLIERS], axis=0).astype(np.float64)
    width, height = size
    room = np.array([width, height]) * (1 - 2 * _MARGIN)
    scale = float((room / np.maximum(high - low, 1e-30)).min())
    offset = (coordinates - (low + high) / 2) * scale * [1, -1]
    # The exact position of a lamp far outside does not matter.
    return np.add(np.clip(offset, -width, width), (width / 2, height / 2)).astype(np.float32)


def _sum_light(
    places: NDArray[np.float32], light: NDArray[np.float32], size: tuple[int, int]
) -> NDArray[np.float32]:
    """Return the light on each pixel, shape (H, W, 3); a lamp lights the four pixels around it."""
    width, height = size
    summed = np.zeros((height * width, 3), dtype=np.float32)
    corner = np.floor(places - 0.5).astype(np.int64)
    share = places - 0.5 - corner
    for right in (0, 1):
        for below in (0, 1):
            x, y = corner[:, 0] + right, corner[:, 1] + below
            part = np.abs(1 - right - share[:, 0]) * np.abs(1 - below - share[:, 1])
            seen = (x >= 0) & (x < width) & (y >= 0) & (y < height)
            pixels = (y * width + x)[seen]
            for channel in range(3):
                weights = (part * light[:, channel])[seen]
                summed[:, channel] += np.bincount(pixels, weights, height * width).astype(np.float32)
    return summed.reshape(height, width, 3)


def _blur(image: NDArray[np.float32], deviation: float) -> NDArray[np.float32]:
    """Blur an image of shape (H, W, C) with a Gaussian; the outside is dark."""
    # Imported late: a server needs it for the first preview only.
    from scipy.ndimage import gaussian_filter

    blurred = np.empty_like(image)
    gaussian_filter(image, deviation, output=blurred, mode="constant", truncate=3, axes=(0, 1))
    return blurred


def _expose(lamps: NDArray[np.float32], density: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the picture, shape (H, W, 3): the lamps' light over land, which is drawn where lamps are dense."""
    night, land = _linear([_NIGHT, _LAND])
    edge = np.clip((density - 0.06) / 0.1, 0, 1)
    ground = night + (land - night) * (edge * edge * (3 - 2 * edge))
    shine = 1 - np.exp(-lamps)
    return np.rint(255 * (1 - (1 - ground) * (1 - shine))).astype(np.uint8)


def _encode(pixels: NDArray[np.uint8]) -> bytes:
    """Return an image of shape (H, W, 3) as a PNG."""
    height, width, _ = pixels.shape
    # Each row as its difference from the one above (filter 2), which compresses best here.
    above = np.vstack([np.zeros((1, width, 3), np.uint8), pixels[:-1]])
    rows = np.hstack([np.full((height, 1), 2, np.uint8), (pixels - above).reshape(height, 3 * width)])
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )


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
        """Look up the last layout; a run with an unreadable map has none. `size`: in pixels."""
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
        """Return the approximate bytes of memory for drawing a small picture; 0 for a single lamp."""
        if self._entry is None:
            return 0
        return PICTURE_BYTES + LAMP_BYTES * len(self._run.vocabulary)

    def png(self) -> bytes:
        """Return the picture as a PNG."""
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
