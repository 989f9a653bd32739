"""The live socket where something is missing: rows, tables, a disk that answers, a viewer that reads."""

from __future__ import annotations

import asyncio
import errno
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.requests import Request
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.wire.layout_frames import Layout
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Census, Rows
from tests.support.folders import (
    BATCH_TOKENS,
    FakeTrainer,
    V,
    layout,
    make_run,
    write_layouts,
)
from tests.support.served import (
    ServerThread,
    pulse_at,
    receive_until,
    status_is,
    texts,
)

pytestmark = pytest.mark.anyio


async def test_where_moved_rows_are_not_kept_keyframes_come(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run, rows=False).begin().train(13)
    async with served.watch(run.id, "rows") as ws:
        heard = await receive_until(ws, lambda m: isinstance(m, Rows))
        assert heard[-1].step == 10
        trainer.train(20)
        heard = await receive_until(ws, lambda m: isinstance(m, Rows) and m.step == 30)
        assert all(m.whole for m in heard if isinstance(m, Rows))
        np.testing.assert_array_equal(heard[-1].vectors, trainer.matrices[30])
    trainer.crash()


async def test_a_viewer_behind_the_kept_steps_gets_the_full_matrix(
    served: ServerThread, tmp_path: Path
) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(13)
    async with served.watch(run.id, "pulse,rows") as ws:
        await receive_until(ws, lambda m: isinstance(m, Rows))
        # One transaction, so that the follower falls behind by many steps, whose moved rows the trainer then
        # drops.
        with trainer.writer.transaction():
            trainer.train(142)
            connection = trainer.writer._connection  # pyright: ignore[reportPrivateUsage]
            connection.execute("DELETE FROM rows WHERE id & 0xFFFFFFFF BETWEEN 20 AND 100")
        heard = await receive_until(ws, lambda m: isinstance(m, Rows) and m.step >= 155)
        trainer.train(3)
        heard += await receive_until(ws, lambda m: isinstance(m, Rows) and m.step == 158)
        rows = [m for m in heard if isinstance(m, Rows)]
        # Rows before the hole arrive as usual (the matrix replaces those still in the queue); after it comes
        # the whole matrix.
        assert [m.step for m in rows if m.step >= 20] == [155, 156, 157, 158]
        (whole,) = (m for m in rows if m.whole)
        np.testing.assert_array_equal(whole.vectors, trainer.matrices[155])
        pulses = [m for m in heard if isinstance(m, Pulse)]
        assert pulses[0].first_step == 14
        assert all(b.first_step == a.step + 1 for a, b in pairwise(pulses))
    trainer.crash()


async def test_damaged_layouts_and_measures_hide_no_step(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(5)
    run.layouts_path.write_bytes(b"no database at all " * 500)
    run.measures_path.write_bytes(b"no database at all " * 500)
    async with served.watch(run.id, None) as ws:
        heard = await receive_until(ws, lambda m: isinstance(m, Census))
        assert heard[-1].step == 5
        for number in range(6, 12):
            trainer.train(1)
            trainer.writer.add_applied(Request("abc", number, 0.0, "pause", {}), 1, number)
            heard = await receive_until(ws, lambda m: isinstance(m, dict) and m["type"] == "acknowledged")
            assert [m.step for m in heard if isinstance(m, Pulse)] == [number]
        # The layouts are made again.
        run.layouts_path.unlink()
        write_layouts(run, layout(1, 10))
        heard = await receive_until(ws, lambda m: isinstance(m, Layout))
        assert heard[-1].step == 10
    trainer.crash()


async def test_ids_read_before_a_failure_are_reported(
    served: ServerThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(5)
    async with served.watch(run.id) as ws:
        await receive_until(ws, lambda m: isinstance(m, Census))
        real, failures = RunCatalog.status, iter(range(2))

        def fails_twice(library: RunCatalog, *args: object) -> object:
            if next(failures, None) is not None:
                raise OSError(errno.EIO, "the disk hesitates")
            return real(library, *args)  # pyright: ignore[reportArgumentType]

        monkeypatch.setattr(RunCatalog, "status", fails_twice)
        trainer.train(3)
        trainer.writer.add_applied(Request("abc", 7, 0.0, "pause", {}), 1, 8)
        trainer.writer.set_facts({"phase": "paused"})
        heard = await receive_until(ws, status_is("paused"))
        assert [m.step for m in heard if isinstance(m, Pulse)] == [6, 7, 8]
        assert [m["request"] for m in texts(heard, "acknowledged")] == ["abc:7"]
    trainer.crash()


async def test_merging_keeps_the_promise_about_text(served: ServerThread, tmp_path: Path) -> None:
    """A viewer that stops reading for a while gets every acknowledgement, and merged pulses without a gap."""
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin()
    async with served.watch(run.id, "pulse,rows", max_queue=1, close_timeout=0.2) as ws:
        heard = await receive_until(ws, lambda m: isinstance(m, Census))
        # More than all buffers on the way hold: the kernel's, the client's and the send queue's.
        for number in range(6_000):
            trainer.train_one()
            if number % 500 == 0:
                trainer.writer.add_applied(Request("abc", number + 1, 0.0, "pace", {}), 1, trainer.step)
            if number % 20 == 0:
                await asyncio.sleep(0)
        heard += await receive_until(ws, pulse_at(6_000), 20)
    trainer.crash()
    pulses = [m for m in heard if isinstance(m, Pulse)]
    assert any(p.merged for p in pulses)
    assert pulses[0].first_step == 1
    assert all(b.first_step == a.step + 1 for a, b in pairwise(pulses))
    assert sum(int(p.batch_counts.sum()) for p in pulses) == 6_000 * BATCH_TOKENS
    assert [m["request"] for m in texts(heard, "acknowledged")] == [
        f"abc:{n + 1}" for n in range(0, 6_000, 500)
    ]
    assert all(p.vocabulary == V for p in pulses)
