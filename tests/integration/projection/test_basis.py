"""The step from which the basis of the linear view is fixed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lamplighter.projection.projector import Projector
from lamplighter.runfolder.tables.layouts import LayoutsReader, LayoutsWriter


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
