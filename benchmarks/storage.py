"""Disk usage of a run: everything in its finished folder, against a full fp32 matrix per step.

A second figure excludes the waypoints, which are not part of the record: each holds the whole model and the optimiser's
    two averages of every number, eight times the matrix, for recomputing steps; none is needed for reading.
"""

from __future__ import annotations

import numpy as np

from benchmarks.support.finished import finished_run
from benchmarks.support.report import report
from lamplighter.model.checkpoint import list_checkpoints
from lamplighter.runfolder.reading.disk_usage import bytes_by_part
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
    whole, full = run.bytes_on_disk() / last, 4 * size * dim
    waypoints = bytes_by_part(run)["waypoints"]
    record = whole - waypoints / last
    facts = {
        "full_fp32_bytes_per_step": full,
        "lit_median": float(np.median(lit)),
        "lit_mean": float(np.mean(lit)),
        "exact_steps": len(exact),
        "steps": last,
        "megabytes": {name: size / 1e6 for name, size in by_file.items() if size > 100_000},
        "waypoints": len(list_checkpoints(run.waypoints)),
        "waypoints_megabytes": waypoints / 1e6,
    }
    if len(exact) != last + 1:
        raise AssertionError(f"{last + 1 - len(exact)} steps are not exact")
    unit = "times smaller than full fp32"
    met = report("storage", full / whole, unit, bytes_per_step=whole, **facts)
    return report("storage_without_waypoints", full / record, unit, bytes_per_step=record) and met
