"""The cost of measuring what training costs: processor time that the meter takes of a step, and the answer about it.

By every method that this machine has, on the trainer's own log: what it does at every step, and a row in the transaction of
every twenty-fifth. Beside it a bare step of the default recipe.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks.report import report
from lamplighter.cost.run_cost import cost_steps, read_run_cost
from lamplighter.recipe import Recipe
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.energy import METHOD_FACT
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.training.control import RunControl
from lamplighter.training.energy_log import EVERY_STEPS, EnergyLog
from lamplighter.training.worker import train

STEPS, CALLS, ANSWERS = 300, 50_000, 30


def main() -> bool:
    """Measure and print. Returns whether the goal is met."""
    with tempfile.TemporaryDirectory() as folder:
        run = RunStore(Path(folder)).create(Recipe(steps=STEPS, device="cpu"))
        started = time.process_time()
        train(run)
        step_ms = 1e3 * (time.process_time() - started) / STEPS
        by_step, row, method = _measure_log(run)
        met = report(
            "energy_meter",
            by_step + row / EVERY_STEPS,
            "us of processor time a step",
            method=method,
            at_every_step_us=by_step,
            row_us=row,
            whole_training_ms_a_step=step_ms,
        )
        milliseconds = _time_answers(run)
    report("cost_answer", milliseconds, "ms, median", steps=STEPS)
    return met


def _measure_log(run: RunFolder) -> tuple[float, float, str]:
    """Return the microseconds that the log takes of each step, those of a row, and the method."""
    with StepsWriter(run.steps_path) as writer, StepsReader(run.steps_path) as reader:
        control = RunControl(run, writer, reader)
        log = EnergyLog(run.recipe.cadence.keyframe_every, control, writer, reader, torch.device("cpu"))
        started = time.process_time()
        for step in range(1, CALLS + 1):
            log.resume()
            log.read_due(step)
        by_step = 1e6 * (time.process_time() - started) / CALLS
        rows = CALLS // EVERY_STEPS
        with writer.transaction():
            started = time.process_time()
            for step in range(1, rows + 1):
                log.commit_sum(step)
            row = 1e6 * (time.process_time() - started) / rows
        control.close()
        return by_step, row, reader.facts()[METHOD_FACT][-1]["name"]


def _time_answers(run: RunFolder) -> float:
    """Return the median milliseconds of reading the cost of a run."""
    taken: list[float] = []
    for _ in range(ANSWERS):
        started = time.perf_counter()
        with StepsReader(run.steps_path) as reader:
            read_run_cost(run, reader, cost_steps(STEPS, run.recipe.cadence.keyframe_every))
        taken.append(1e3 * (time.perf_counter() - started))
    return float(np.median(taken))
