"""Arbitrary bytes decode to a usable frame or raise FrameError, in memory proportional to their length."""

from __future__ import annotations

import struct
import tracemalloc

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lamplighter.wire.beat_frames import Beat, StepsBetween
from lamplighter.wire.binary import FrameError
from lamplighter.wire.district_frames import Districts
from lamplighter.wire.frames import MAGIC, VERSION, Frame, decode, encode
from lamplighter.wire.grid_frames import GRID_STEPS, GridChange, GridLayout, fit_grid, place_on_grid, subtract
from lamplighter.wire.layout_frames import Layout, Method
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Census, Rows

HEADER = struct.Struct("<4sBBHIId")
HUGE = [0, 1, 2, 7, 255, 65_535, 1 << 22, (1 << 22) + 1, 1 << 31, (1 << 32) - 1]
SMALL_FLOATS = st.floats(width=32)


def ids_of(values: set[int]) -> np.ndarray:
    return np.array(sorted(values), dtype=np.uint32)


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    size = draw(st.integers(1, 30))
    some = st.sets(st.integers(0, size - 1)).map(ids_of)
    batch, moved = draw(some), draw(some)
    random = np.random.default_rng(draw(st.integers(0, 999)))

    def floats(*shape: int) -> np.ndarray:
        return random.standard_normal(shape).astype(np.float32)

    trust = random.integers(0, 256, size, dtype=np.uint8) if size % 2 else None
    layout = Layout(1, 9, 1.0, Method.UMAP, floats(size, 2), by_token=trust)
    on_grid = place_on_grid(layout, fit_grid(layout), 7)
    assert on_grid is not None
    between = StepsBetween(
        moved, np.full(len(moved), 2, np.uint32), np.full(len(moved), 8, np.uint32),
        floats(len(moved)) if size % 3 else None,
    )  # fmt: skip
    return draw(
        st.sampled_from(
            [
                Pulse(
                    attempt=1, step=9, time=1.0, vocabulary=size, loss=1.0, learning_rate=0.1,
                    tokens_per_second=1.0, step_seconds=1.0, observe_seconds=1.0,
                    batch_ids=batch, batch_counts=np.ones(len(batch), np.uint32),
                    gradient_ids=batch, gradient_norms=floats(len(batch)),
                    moved_ids=moved, moved_distances=floats(len(moved)), layer_norms=floats(3),
                ),
                Layout(1, 9, 1.0, Method.UMAP, floats(size, 2), 0.5, 0.1, 0.2, 5),
                Rows(1, 9, 1.0, size, moved, floats(len(moved), 3)),
                Rows.of_matrix(1, 9, 1.0, floats(size, 3)),
                Layout(1, 9, 1.0, Method.UMAP, floats(size, 2), by_token=np.zeros(size, np.uint8)),
                Census(1, 9, 1.0, batch, batch),
                Districts(1, 9, 1.0, batch + np.uint32(1), ("a",) * len(batch),
                          np.full(size, len(batch), np.uint16)),
                Beat(
                    attempt=1, step=9, time=1.0, first_step=3, vocabulary=size, loss=1.0, learning_rate=0.1,
                    tokens_per_second=1.0, step_seconds=1.0, observe_seconds=1.0,
                    batch_ids=batch, batch_counts=np.ones(len(batch), np.uint32),
                    gradient_norms=floats(len(batch)), layer_norms=floats(3), gradient_rows=len(batch),
                    moved_rows=len(moved), drifting_rows=0 if size % 2 else None, between=between,
                ),
                on_grid,
                subtract(on_grid, on_grid),
            ]
        )
    )  # fmt: skip


def use(frame: Frame) -> None:
    """Check the properties that readers rely on."""
    match frame:
        case Pulse():
            everything = np.zeros(frame.vocabulary, np.float32)
            for ids, values in (
                (frame.batch_ids, frame.batch_counts),
                (frame.gradient_ids, frame.gradient_norms),
                (frame.moved_ids, frame.moved_distances),
            ):
                assert len(ids) == len(values)
                assert bool((np.diff(ids.astype(np.int64)) > 0).all())
                everything[ids] += 1
        case Rows():
            matrix = np.zeros((frame.vocabulary, frame.vectors.shape[1]), np.float32)
            matrix[frame.token_ids] = frame.vectors
        case Layout():
            assert np.isfinite(frame.coordinates).all()
            assert frame.by_token is None or len(frame.by_token) == len(frame.coordinates)
        case Districts():
            assert len(frame.ids) == len(frame.names)
            assert all("\n" not in name for name in frame.names)
            assert not len(frame.of) or int(frame.of.max()) <= len(frame.ids)
        case Census():
            assert len(frame.touches) == len(frame.last_lit)
        case Beat():
            everything = np.zeros(frame.vocabulary, np.float32)
            everything[frame.batch_ids] = frame.gradient_norms + frame.batch_counts
            between = frame.between
            everything[between.ids] = between.touches + between.last_lit
            assert between.norms is None or len(between.norms) == len(between.ids)
            assert ((between.last_lit >= frame.first_step) & (between.last_lit < frame.step)).all()
        case GridLayout():
            assert not frame.places.size or int(frame.places.max()) <= GRID_STEPS
            assert np.isfinite(frame.grid.spans()).all()
        case GridChange():
            assert not frame.moves.size or int(np.abs(frame.moves).max()) <= GRID_STEPS


def take(data: bytes) -> None:
    tracemalloc.start()
    try:
        frame = decode(data)
    except FrameError:
        frame = None
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000 + 20 * len(data), f"{peak} bytes for a frame of {len(data)}"
    if frame is not None:
        use(frame)


@settings(max_examples=300, deadline=None)
@given(frames(), st.data())
def test_a_mutated_frame_is_rejected_or_usable(frame: Frame, choose: st.DataObject):
    data = bytearray(encode(frame))
    for _ in range(choose.draw(st.integers(1, 3))):
        match choose.draw(st.integers(0, 4)):
            case 0:
                data[choose.draw(st.integers(0, len(data) - 1))] = choose.draw(st.integers(0, 255))
            case 1 if len(data) > 28:
                at = choose.draw(st.integers(6, len(data) // 4 - 1)) * 4
                data[at : at + 4] = struct.pack("<I", choose.draw(st.sampled_from(HUGE)))
            case 2 if len(data) > 28:
                at = choose.draw(st.integers(6, len(data) // 4 - 1)) * 4
                data[at : at + 4] = struct.pack("<f", choose.draw(SMALL_FLOATS))
            case 3:
                del data[choose.draw(st.integers(24, len(data))) :]
            case _:
                data += choose.draw(st.binary(max_size=40))
    take(bytes(data))


@settings(max_examples=300, deadline=None)
@given(
    kind=st.integers(0, 9),
    flags=st.integers(0, 65_535) | st.integers(0, 63),
    counts=st.lists(st.sampled_from(HUGE), min_size=0, max_size=12),
    rest=st.binary(max_size=120),
)
def test_huge_counts_take_no_memory(kind: int, flags: int, counts: list[int], rest: bytes):
    head = HEADER.pack(MAGIC, VERSION, kind, flags, 1, 7, 1.0)
    take(head + b"".join(struct.pack("<I", count) for count in counts) + rest)


def test_rejects_a_megabyte_of_any_bytes():
    noise = np.random.default_rng(0).integers(0, 256, 1 << 20, dtype=np.uint8).tobytes()
    for kind in range(1, 9):
        take(HEADER.pack(MAGIC, VERSION, kind, 0, 1, 7, 1.0) + noise)
