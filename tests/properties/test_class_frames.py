"""Beats and grid layouts round-trip, differences are exact, envelopes are safe."""

from __future__ import annotations

import tracemalloc
import zlib
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamplighter.wire import envelope
from lamplighter.wire.beat_frames import Beat, StepsBetween
from lamplighter.wire.binary import FrameError
from lamplighter.wire.envelope import decode_envelope, encode_envelope
from lamplighter.wire.frames import decode, decode_as, encode
from lamplighter.wire.grid_frames import (
    GRID_STEPS,
    Grid,
    GridChange,
    GridLayout,
    add,
    fit_grid,
    place_on_grid,
    subtract,
)
from lamplighter.wire.layout_frames import Layout, Method


def assert_equal(one: Any, other: Any) -> None:
    assert type(one) is type(other)
    for field in fields(one):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, StepsBetween):
            assert_equal(a, b)
        elif isinstance(a, np.ndarray):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)
        else:
            assert a == b or a != a, field.name


def some_ids(random: np.random.Generator, size: int) -> np.ndarray:
    return np.flatnonzero(random.random(size) < random.random()).astype(np.uint32)


@st.composite
def beats(draw: st.DrawFn) -> Beat:
    size = draw(st.integers(1, 400))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    batch = some_ids(random, size)
    steps = draw(st.integers(0, 60))
    first = draw(st.integers(0, 2**32 - 1 - steps))
    ids = some_ids(random, size) if steps else some_ids(random, 0)
    norms = random.standard_normal(len(ids)).astype(np.float32) if draw(st.booleans()) else None
    between = StepsBetween(
        ids,
        random.integers(1, max(2, steps + 1), len(ids)).astype(np.uint32),
        (first + random.integers(0, max(1, steps), len(ids))).astype(np.uint32),
        norms,
    )
    return Beat(
        attempt=draw(st.integers(1, 9)),
        step=first + steps,
        time=draw(st.floats(0, 4e9)),
        first_step=first,
        vocabulary=size,
        loss=float(np.float32(random.random())),
        learning_rate=float(np.float32(0.003)),
        tokens_per_second=1024.0,
        step_seconds=0.5,
        observe_seconds=0.25,
        batch_ids=batch,
        batch_counts=random.integers(1, 2**32 - 1, len(batch)).astype(np.uint32),
        gradient_norms=random.standard_normal(len(batch)).astype(np.float32),
        layer_norms=random.standard_normal(draw(st.integers(0, 6))).astype(np.float32),
        gradient_rows=draw(st.integers(0, size)),
        moved_rows=size,
        drifting_rows=draw(st.none() | st.integers(0, size)),
        between=between,
        elsewhere=draw(st.booleans()),
    )


@given(beats())
def test_a_beat_round_trips(beat: Beat):
    data = encode(beat)
    assert len(data) % 4 == 0
    assert_equal(decode(data), beat)


def layouts(random: np.random.Generator, size: int, count: int) -> list[Layout]:
    """Return layouts that drift and grow like a map; some have trust by token."""
    xy = random.standard_normal((size, 2)) * random.choice([1e-3, 1.0, 1e6])
    found: list[Layout] = []
    for step in range(count):
        xy = xy * random.choice([1.0, 1.0, 1.02, 1.5, 0.3]) + 0.01 * random.standard_normal((size, 2))
        trust = random.integers(0, 256, size, dtype=np.uint8) if random.random() < 0.7 else None
        found.append(
            Layout(1, step, step / 2, Method.UMAP, xy.astype(np.float32), 0.5, 0.25, 0.125, 64, trust)
        )
    return found


@given(st.integers(1, 60), st.integers(0, 2**32), st.integers(1, 12))
def test_differences_give_the_whole_layout_bit_for_bit(size: int, seed: int, count: int):
    there: GridLayout | None = None
    here: GridLayout | None = None
    for number, layout in enumerate(layouts(np.random.default_rng(seed), size, count)):
        whole = place_on_grid(layout, there.grid, number) if there is not None else None
        if whole is not None and there is not None and here is not None:
            change = subtract(whole, there)
            here = add(here, decode_as(encode(change), GridChange))
        else:
            whole = place_on_grid(layout, fit_grid(layout), number)
            assert whole is not None
            here = decode_as(encode(whole), GridLayout)
        there = whole
        data = encode(whole)
        assert len(data) % 4 == 0
        assert_equal(here, whole)
        assert encode(here) == data
        quantum = whole.grid.spans() / GRID_STEPS
        low = np.array([whole.grid.x0, whole.grid.y0])
        error = np.abs(low + whole.places * quantum.astype(np.float64) - layout.coordinates)
        assert (error <= 0.51 * quantum + 1e-6 * np.abs(layout.coordinates)).all()


def test_a_layout_too_large_or_small_for_the_grid_needs_another():
    xy = np.array([[0, 0], [1, 2], [3, 1]], dtype=np.float32)
    layout = Layout(1, 2, 3.0, Method.LINEAR, xy)
    grid = fit_grid(layout)
    assert place_on_grid(layout, grid, 0) is not None
    assert place_on_grid(replace(layout, coordinates=xy * 2), grid, 0) is None
    assert place_on_grid(replace(layout, coordinates=xy / 4), grid, 0) is None


@pytest.mark.parametrize("place", [0.0, 1e9, -3e38])
def test_a_layout_without_extent_has_a_grid(place: float):
    layout = Layout(1, 2, 3.0, Method.PCA, np.full((3, 2), place, dtype=np.float32))
    whole = place_on_grid(layout, fit_grid(layout), 1)
    assert whole is not None
    assert_equal(decode(encode(whole)), whole)


def test_rejects_a_difference_from_another_layout_or_off_the_grid():
    layout = Layout(1, 2, 3.0, Method.UMAP, np.array([[0, 0], [1, 2]], dtype=np.float32))
    whole = place_on_grid(layout, fit_grid(layout), 1)
    assert whole is not None
    change = subtract(replace(whole, number=2), whole)
    with pytest.raises(FrameError):
        add(replace(whole, number=3), change)
    with pytest.raises(FrameError):
        add(whole, replace(change, moves=np.full((2, 2), -GRID_STEPS, np.int16)))
    with pytest.raises(FrameError):
        add(whole, replace(change, by_token=np.zeros(2, np.uint8), from_base=True))


PARTS = st.lists(
    st.binary(max_size=300).filter(lambda data: not data.startswith(b"{"))
    | st.text(st.characters(codec="utf-8"), max_size=80).map(lambda text: "{" + text),
    max_size=8,
)


@given(PARTS)
def test_an_envelope_round_trips(parts: list[bytes | str]):
    assert decode_envelope(encode_envelope(parts)) == parts


def test_an_envelope_is_no_larger_than_its_parts():
    noise = np.random.default_rng(0).bytes(4_000)
    assert len(encode_envelope([noise])) == 2 + 4 + len(noise)
    assert len(encode_envelope(["{" + " " * 9_000])) < 100


@settings(max_examples=300, deadline=None)
@given(PARTS, st.data())
def test_a_damaged_envelope_is_rejected_or_read_in_bounded_memory(
    parts: list[bytes | str], choose: st.DataObject
):
    data = bytearray(encode_envelope(parts))
    for _ in range(choose.draw(st.integers(1, 3))):
        data[choose.draw(st.integers(0, len(data) - 1))] = choose.draw(st.integers(0, 255))
    cut = bytes(data[: choose.draw(st.integers(0, len(data)))])
    tracemalloc.start()
    for candidate in (bytes(data), cut, bytes(data) + b"\0"):
        try:
            decode_envelope(candidate)
        except FrameError:
            continue
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_does_not_inflate_a_bomb(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(envelope, "MAX_INFLATED", 1 << 20)
    bomb = zlib.compressobj(wbits=-15)
    data = b"\x01\x01" + bomb.compress(bytes(64 << 20)) + bomb.flush()
    tracemalloc.start()
    with pytest.raises(FrameError):
        decode_envelope(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20


def test_rejects_too_many_empty_parts():
    with pytest.raises(FrameError):
        decode_envelope(b"\x01\x00" + bytes(4) * 2_000)


@pytest.mark.parametrize(
    ("grid", "accepted"),
    [
        (Grid(-4e37, 4e37, 0.0, 1.0), True),
        (Grid(-6e37, 6e37, 0.0, 1.0), False),
        (Grid(0.0, 1.0, 6e37, -6e37), False),
        (Grid(0.0, float("inf"), 0.0, 1.0), False),
        (Grid(0.0, 1.0, float("nan"), 1.0), False),
    ],
)
def test_rejects_a_grid_too_wide_to_compute(grid: Grid, accepted: bool):
    """A reader subtracts the bounds in 32 bits, and may go beyond them."""
    places = np.zeros((2, 2), dtype=np.uint16)
    data = encode(GridLayout(1, 2, 3.0, Method.UMAP, 1, grid, places, 0.5, 0.1, 0.5, 2, None))
    if accepted:
        assert decode_as(data, GridLayout).grid.x1 == pytest.approx(grid.x1)
    else:
        with pytest.raises(FrameError, match="too far apart"):
            decode(data)
