"""Numbers that a loop logs, read from its run alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import lamplighter
from lamplighter.runfolder.tables.scalars import encode_scalars


def test_they_need_no_server(tmp_path: Path) -> None:
    weights = np.zeros((3, 2), np.float32)
    with lamplighter.record(tmp_path / "mine", list("abc"), embedding=weights) as recorder:
        run = lamplighter.open(recorder.folder)
        assert run.logged() == {}
        for step in range(1, 5):
            weights += 1
            recorder.step(weights, [1], float(step))
            if step % 2 == 0:
                recorder.add_scalars(encode_scalars({"eval/loss": step / 4}) or "")
        assert run.logged() == {2: {"eval/loss": 0.5}, 4: {"eval/loss": 1.0}}
        assert run.measures() == {}
