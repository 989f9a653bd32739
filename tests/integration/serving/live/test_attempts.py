"""The live socket of a run that is resumed before its last step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.measures import MeasuresWriter
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Census, Rows
from tests.support.folders import (
    FakeTrainer,
    make_run,
)
from tests.support.served import (
    ServerThread,
    pulse_at,
    receive_until,
)

pytestmark = pytest.mark.anyio


async def test_a_new_attempt_begins_again_where_it_differs(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(28)
    async with served.watch(run.id, "pulse,rows") as ws:
        await receive_until(ws, lambda m: isinstance(m, Rows))
        trainer.train(4)
        await receive_until(ws, lambda m: isinstance(m, Rows) and m.step == 32)
        trainer.crash()
        again = FakeTrainer(run)
        again.matrices = trainer.matrices
        again.touches, again.last_lit = trainer.touches, trainer.last_lit
        again.start_attempt_after(20).train(6)
        heard = await receive_until(ws, lambda m: isinstance(m, Rows) and (m.attempt, m.step) == (2, 26))
        frames = [m for m in heard if not isinstance(m, dict)]
        assert isinstance(frames[0], Census)
        assert (frames[0].attempt, frames[0].step) == (1, 20)
        pulses = [m for m in frames if isinstance(m, Pulse)]
        assert [(m.attempt, m.step) for m in pulses] == [(2, step) for step in range(21, 27)]
        matrix = next(m for m in frames if isinstance(m, Rows) and m.whole)
        vectors = matrix.vectors.copy()
        for one in (m for m in frames if isinstance(m, Rows) and not m.whole):
            vectors[one.token_ids] = one.vectors
        np.testing.assert_array_equal(vectors, again.matrices[26])
    again.crash()


async def test_a_new_attempt_that_changes_nothing_seen_just_goes_on(
    served: ServerThread, tmp_path: Path
) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(15)
    async with served.watch(run.id) as ws:
        await receive_until(ws, lambda m: isinstance(m, Census))
        trainer.start_attempt_after(15).train(3)
        heard = await receive_until(ws, pulse_at(18))
        frames = [m for m in heard if not isinstance(m, dict)]
        assert [(m.attempt, m.step) for m in frames] == [(2, 16), (2, 17), (2, 18)]
    trainer.crash()


async def test_superseded_measures_do_not_count(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(28)
    with MeasuresWriter(run.measures_path) as measures:
        measures.commit(1, 10, {"purity": 0.25})
        async with served.watch(run.id, None) as ws:
            await receive_until(ws, lambda m: isinstance(m, Census))
            measures.commit(1, 20, {"purity": 0.5})
            await receive_until(ws, lambda m: isinstance(m, dict) and m["type"] == "measures")
            trainer.start_attempt_after(15).train(6)
            await receive_until(ws, pulse_at(21, attempt=2))
            measures.commit(1, 28, {"purity": 0.9})
            measures.commit(2, 20, {"purity": 0.75})
            heard = await receive_until(ws, lambda m: isinstance(m, dict) and m["type"] == "measures")
            assert heard[-1] == {"type": "measures", "step": 20, "values": {"purity": 0.75}}
    trainer.crash()
