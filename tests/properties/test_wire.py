"""Every encoded frame decodes to the same values; any other bytes raise FrameError."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamplighter.wire.binary import FrameError, UInts
from lamplighter.wire.district_frames import Districts
from lamplighter.wire.frames import Frame, decode, encode, read_step
from lamplighter.wire.layout_frames import Layout, Method
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import NEVER, Census, Rows

GOLDEN = Path(__file__).parents[1] / "golden"


def id_sets(vocabulary: int) -> st.SearchStrategy[UInts]:
    everything = st.just(np.arange(vocabulary, dtype=np.uint32))
    some = st.sets(st.integers(0, vocabulary - 1)).map(lambda ids: np.array(sorted(ids), dtype=np.uint32))
    return st.one_of(some, everything)


def numbers(random: np.random.Generator, *shape: int) -> np.ndarray:
    return random.standard_normal(shape).astype(np.float32)


@st.composite
def pulses(draw: st.DrawFn, vocabulary: int | None = None, step: int | None = None) -> Pulse:
    size = vocabulary or draw(st.integers(1, 40))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    batch = draw(id_sets(size))
    gradient = draw(st.one_of(st.just(batch), id_sets(size)))
    moved = draw(st.one_of(st.just(batch), id_sets(size)))
    return Pulse(
        attempt=1,
        step=step if step is not None else draw(st.integers(0, 2**32 - 1)),
        time=draw(st.floats(0, 4e9)),
        vocabulary=size,
        loss=float(np.float32(random.random())),
        learning_rate=float(np.float32(0.003)),
        tokens_per_second=1024.0,
        step_seconds=0.5,
        observe_seconds=0.25,
        batch_ids=batch,
        batch_counts=random.integers(1, 9, len(batch)).astype(np.uint32),
        gradient_ids=gradient,
        gradient_norms=np.abs(numbers(random, len(gradient))),
        moved_ids=moved,
        moved_distances=np.abs(numbers(random, len(moved))),
        layer_norms=numbers(random, draw(st.integers(0, 6))),
        verified=draw(st.booleans()),
    )


@st.composite
def rows(draw: st.DrawFn, vocabulary: int | None = None, dim: int | None = None) -> Rows:
    size = vocabulary or draw(st.integers(1, 40))
    ids = draw(id_sets(size))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    return Rows(
        1, draw(st.integers(0, 99)), 1.5, size, ids, numbers(random, len(ids), dim or draw(st.integers(1, 5)))
    )


@st.composite
def censuses(draw: st.DrawFn) -> Census:
    size = draw(st.integers(0, 40))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    lit = random.integers(0, 9, size).astype(np.uint32)
    lit[lit == 0] = NEVER
    return Census(3, 7, 0.25, random.integers(0, 9, size).astype(np.uint32), lit)


def assert_same(one: Frame, two: Frame) -> None:
    assert type(one) is type(two)
    for field in fields(one):
        a, b = getattr(one, field.name), getattr(two, field.name)
        if isinstance(a, np.ndarray):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)
        else:
            assert a == b


@given(st.one_of(pulses(), rows(), censuses()))
def test_frames_round_trip(frame: Frame):
    data = encode(frame)
    assert len(data) % 4 == 0
    assert read_step(data) == (frame.attempt, frame.step)
    assert_same(decode(data), frame)


@given(st.integers(1, 50), st.integers(0, 2**32), st.floats(1e-3, 1e3), st.sampled_from(list(Method)))
def test_layouts_round_trip_to_half_a_quantum(size: int, seed: int, spread: float, method: Method):
    xy = numbers(np.random.default_rng(seed), size, 2) * np.float32(spread)
    back = decode(encode(Layout(1, 2, 3.0, method, xy, 0.5, 0.25, 0.125, 64)))
    assert isinstance(back, Layout)
    quantum = np.ptp(xy, axis=0) / 65_535
    assert (np.abs(back.coordinates - xy) <= quantum * 0.51 + np.abs(xy) * 1e-6).all()
    assert (back.trust, back.trust_error, back.recall, back.sample, back.method) == (
        0.5,
        0.25,
        0.125,
        64,
        method,
    )


@given(st.integers(1, 50), st.integers(0, 2**32))
def test_trust_by_token_round_trips_and_is_optional(size: int, seed: int):
    random = np.random.default_rng(seed)
    xy = numbers(random, size, 2)
    by_token = random.integers(0, 256, size, dtype=np.uint8)
    data = encode(Layout(1, 2, 3.0, Method.UMAP, xy, by_token=by_token))
    plain = encode(Layout(1, 2, 3.0, Method.UMAP, xy))
    back, without = decode(data), decode(plain)
    assert isinstance(back, Layout)
    assert isinstance(without, Layout)
    assert len(data) % 4 == 0
    assert len(data) == len(plain) + size + -size % 4
    np.testing.assert_array_equal(back.by_token, by_token)
    np.testing.assert_array_equal(back.coordinates, without.coordinates)
    assert without.by_token is None


@st.composite
def districts(draw: st.DrawFn) -> Districts:
    size = draw(st.integers(1, 40))
    ids = sorted(draw(st.sets(st.integers(1, 2**32 - 1), max_size=size)))
    names = draw(st.lists(st.text(max_size=9), min_size=len(ids), max_size=len(ids)))
    of = draw(st.lists(st.integers(0, len(ids)), min_size=size, max_size=size))
    kept = tuple(" ".join(name.encode("utf-8", "replace").decode().split()) for name in names)
    return Districts(1, 2, 3.0, np.array(ids, np.uint32), kept, np.array(of, np.uint16))


@given(districts())
def test_districts_round_trip(frame: Districts):
    data = encode(frame)
    assert len(data) % 4 == 0
    back = decode(data)
    assert isinstance(back, Districts)
    assert back.names == frame.names
    np.testing.assert_array_equal(back.ids, frame.ids)
    np.testing.assert_array_equal(back.of, frame.of)


@settings(max_examples=400)
@given(st.one_of(pulses(), rows(), censuses(), districts()).map(encode), st.data())
def test_damaged_frames_are_rejected_or_read(data: bytes, choose: st.DataObject):
    damaged = bytearray(data)
    for _ in range(choose.draw(st.integers(1, 4))):
        damaged[choose.draw(st.integers(0, len(damaged) - 1))] = choose.draw(st.integers(0, 255))
    cut = choose.draw(st.integers(0, len(damaged)))
    for candidate in (bytes(damaged), bytes(damaged[:cut]), bytes(damaged) + b"\0\0\0\0"):
        try:
            decode(candidate)
        except FrameError:
            continue


@given(st.binary(max_size=200))
def test_rejects_arbitrary_bytes(data: bytes):
    with pytest.raises(FrameError):
        decode(data)


@pytest.mark.parametrize(("first", "merged"), [(9, 0), (10, 1), (11, 0), (11, 1)])
def test_rejects_a_pulse_with_contradictory_first_step_and_flag(first: int, merged: int):
    ids = np.array([1], dtype=np.uint32)
    size, norms = 3, np.ones(1, dtype=np.float32)
    pulse = Pulse(
        attempt=1, step=10, time=1.5, vocabulary=size, loss=1.0, learning_rate=0.1, tokens_per_second=1.0,
        step_seconds=0.1, observe_seconds=0.1, batch_ids=ids, batch_counts=ids, gradient_ids=ids,
        gradient_norms=norms, moved_ids=ids, moved_distances=norms, layer_norms=norms,
    )  # fmt: skip
    data = bytearray(encode(pulse))
    data[6] = data[6] & ~1 | merged
    data[24:28] = first.to_bytes(4, "little")
    with pytest.raises(FrameError, match="contradicts"):
        decode(bytes(data))


FRAME_FILES = sorted(set(GOLDEN.glob("*.bin")) - set(GOLDEN.glob("envelope*.bin")))


@pytest.mark.parametrize("path", FRAME_FILES, ids=lambda path: path.stem)
def test_golden_frames_are_unchanged(path: Path):
    """A change in the meaning of these bytes requires a new version of the format."""
    data = path.read_bytes()
    frame = decode(data)
    if not isinstance(frame, Layout):
        assert encode(frame) == data


def test_there_are_golden_frames_of_every_kind():
    assert {type(decode(path.read_bytes())) for path in FRAME_FILES} == set(get_args(Frame))
