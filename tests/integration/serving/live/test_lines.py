"""The lines that a model says, on the live socket of a real server."""

from __future__ import annotations

from pathlib import Path

import pytest

from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.lines import SpokenLine, encode_lines
from tests.support.folders import FakeTrainer, make_run
from tests.support.served import ServerThread, receive_until

pytestmark = pytest.mark.anyio


async def test_a_viewer_reads_along(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    text = encode_lines([SpokenLine((1, 2), (3,), (0.5,), False)])
    async with served.watch(run.id, "pulse") as ws:
        await receive_until(ws, lambda message: is_text(message, "hello"))
        trainer = FakeTrainer(run).begin()
        trainer.writer.add_lines(0, text)
        first = (await receive_until(ws, lambda message: is_text(message, "lines")))[-1]
        assert first == {
            "type": "lines",
            "step": 0,
            "attempt": 1,
            "lines": [{"prompt": [1, 2], "words": [3], "probabilities": [0.5], "sampled": False}],
        }
        trainer.train(2)
        trainer.writer.add_lines(2, text)
        assert (await receive_until(ws, lambda message: is_text(message, "lines")))[-1]["step"] == 2
    trainer.crash()


def is_text(message: object, kind: str) -> bool:
    return isinstance(message, dict) and message.get("type") == kind
