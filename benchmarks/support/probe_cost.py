"""The share of a watched training's time that goes into its probes."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from torch import Tensor

import lamplighter
from benchmarks.watch import Shaped, Trained
from lamplighter.client.watching.probe_readings import ProbeReadings

_SENTENCES = 24


class ProbeCost(NamedTuple):
    """What probes took, in processor time."""

    share: float
    readings: int
    reading_ms: float
    step_ms: float


class _Readable(Shaped):
    def forward(self, ids: Tensor, targets: Tensor | None = None) -> tuple[Tensor, Tensor]:
        return super().forward(ids, ids if targets is None else targets)


def measure_probe_cost(rows: int, width: int, context: int, steps: int) -> ProbeCost:
    """Train a watched model of GPT-2's shape with 24 probed sentences of `context` tokens, at the default pace."""
    spent: list[float] = []

    def timed(self: ProbeReadings, *given: Any, **named: Any) -> None:
        begun, before = time.process_time(), self.readings
        read_if_due(self, *given, **named)
        if self.readings > before:
            spent.append(time.process_time() - begun)

    read_if_due = ProbeReadings.read_if_due
    tokens = [f"word{number}" for number in range(rows)]
    sentences = [" ".join(tokens[(7 * n + i) % rows] for i in range(context)) for n in range(_SENTENCES)]
    with (
        tempfile.TemporaryDirectory(prefix="lamplighter-bench-") as folder,
        patch("benchmarks.watch.Shaped", _Readable),
        patch.object(ProbeReadings, "read_if_due", timed),
    ):
        trained = Trained(rows, width, context)
        watcher = lamplighter.watch(
            trained.model, tokens, Path(folder) / "run", probes=sentences, on_error="raise"
        )
        begun = time.process_time()
        trained.step(steps)
        watcher.close()
        whole = time.process_time() - begun
    return ProbeCost(sum(spent) / whole, len(spent), 1e3 * sum(spent) / len(spent), 1e3 * whole / steps)
