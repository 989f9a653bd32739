"""Disk usage of a run: everything in its finished folder, against a full fp32 matrix per step."""

from __future__ import annotations

import numpy as np

from benchmarks.finished import finished_run
from benchmarks.report import report
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.wire.frames import decode_as
from lamplighter.wire.pulse_frames import Pulse

_BATCH = 500


def main() -> bool:
    """Measure and print. Returns whether the goal is met."""
    run = finished_run()
    size, dim = len(run.vocabulary), run.recipe.model.dim
    lit: list[float] = []
    with MatrixHistory(run) as history:
        last = history.steps.newest_step()[1]
        exact = history.exact_steps()
        for first in range(1, last + 1, _BATCH):
            pulses = history.steps.pulses(first, first + _BATCH - 1)
            lit += [len(decode_as(data, Pulse).batch_ids) / size for _, data in pulses]
    by_file = {path.name: path.stat().st_size for path in sorted(run.path.glob("*.*")) if path.is_file()}
    ours, full = run.bytes_on_disk() / last, 4 * size * dim
    median = float(np.median(lit))
    facts = {
        "bytes_per_step": ours,
        "full_fp32_bytes_per_step": full,
        "lit_median": median,
        "lit_mean": float(np.mean(lit)),
        "exact_steps": len(exact),
        "steps": last,
        "megabytes": {name: size / 1e6 for name, size in by_file.items() if size > 100_000},
    }
    if len(exact) != last + 1:
        raise AssertionError(f"{last + 1 - len(exact)} steps are not exact")
    return report("storage", full / ours, "times smaller than full fp32", f">= {1 / median:.4g}", **facts)
