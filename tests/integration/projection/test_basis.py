"""The step from which the basis of the linear view is fixed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lamplighter.projection.projector import Projector
from lamplighter.runfolder.tables.layouts import LayoutsReader, LayoutsWriter
from lamplighter.wire.frames import decode_as
from lamplighter.wire.layout_frames import Layout, Method


@pytest.mark.parametrize("first", [0, 7, 399])
def test_fixes_the_basis_once_the_space_has_taken_shape(tmp_path: Path, first: int) -> None:
    path = tmp_path / "layouts.sqlite"
    rng = np.random.default_rng(0)
    with LayoutsWriter(path) as writer, LayoutsReader(path) as reader:
        projector = Projector(writer, reader, 40)
        bases: list[int] = []
        for step in (first, 399, 412, 500, 3_000):
            projector.project_step(rng.normal(size=(40, 6)).astype(np.float32), 1, step)
            bases.append(reader.facts()["linear"]["step"])
    assert bases == [first, first, 412, 412, 412]


def test_the_numbers_of_a_clock_lie_on_their_circle_and_a_row_at_rest_stays(tmp_path: Path) -> None:
    p, frequency, rng = 13, 4, np.random.default_rng(1)
    angles = 2 * np.pi * frequency * np.arange(p) / p
    circle = np.stack((np.cos(angles), np.sin(angles)), axis=1)
    vectors = rng.normal(scale=0.1, size=(p + 3, 8)).astype(np.float32)
    vectors[1 : p + 1, 2:4] += circle
    places: list[np.ndarray] = []
    path = tmp_path / "layouts.sqlite"
    with LayoutsWriter(path) as writer, LayoutsReader(path) as reader:
        projector = Projector(writer, reader, p + 3, numbers=1 + np.arange(p))
        for step in (400, 450):
            projector.project_step(vectors, 1, step)
            record = reader.last_written(Method.LINEAR)
            assert record is not None
            places.append(decode_as(record, Layout).coordinates)
            vectors = vectors.copy()
            vectors[2:] += rng.normal(size=vectors[2:].shape).astype(np.float32)
    np.testing.assert_allclose(places[0][1 : p + 1], circle, atol=0.45)
    # Number 0 rests while all others move.
    np.testing.assert_allclose(places[1][1], places[0][1], atol=0.01)
