"""The time until meaning appears: 10-NN purity of Lamptown's planted classes while the default recipe trains.

The real application runs: server, trainer, projector and analyst as `lamplighter` starts them, and three
websocket clients that follow every channel. The control is the same text with its words shuffled inside each
document, so that any remaining purity comes from topics alone.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.support.report import report
from lamplighter.geometry.purity import class_purity, purity_chance
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import decode
from lamplighter.wire.pulse_frames import Pulse
from tests.support.application import Application, Viewer

SECONDS = (0, 5, 10, 15, 20, 25, 30)


def main() -> bool:
    """Measure and print. Returns whether the goals are met."""
    with tempfile.TemporaryDirectory() as folder, Application(Path(folder), "serve") as application:
        real = _train(application, {})
        control = _train(application, {"corpus": {"kind": "lamptown", "shuffle_words": True}})
    met = report(
        "purity",
        real["purity"],
        "macro 10-NN purity after 30 s of training",
        chance=real["chance"],
        control=control["purity"],
        by_second=real["by_second"],
        steps=real["steps"],
        vocabulary=real["vocabulary"],
        classes=real["classes"],
        viewers=3,
    )
    met &= report("purity_lit", real["lit"], "of the rows lit in the median step")
    margin = real["purity"] - control["purity"]
    unit = "purity above the shuffled control's"
    return report("purity_control", margin, unit, control_by_second=control["by_second"]) and met


def _train(application: Application, recipe: dict[str, Any]) -> dict[str, Any]:
    with contextlib.ExitStack() as stack:
        run = application.start_run(recipe)
        for _ in range(3):
            stack.enter_context(Viewer(application, run.id))
        # Count from the first step, not from the start of the process.
        while (begun := _first_step(run)) is None:
            time.sleep(0.05)
        time.sleep(max(0.0, begun + SECONDS[-1] + 1 - time.time()))
        application.ask(run, "stop")
        application.wait_until_over(run)
    return _measure(run)


def _first_step(run: RunFolder) -> float | None:
    try:
        with StepsReader(run.steps_path) as reader:
            records = reader.pulses(1, 1)
    except FileNotFoundError:
        return None
    return decode(records[0][1]).time if records else None


def _measure(run: RunFolder) -> dict[str, Any]:
    """Compute purity by seconds of training, and other figures, from the run's record."""
    classes = run.vocabulary.class_of()
    with MatrixHistory(run) as history:
        decoded = (decode(record) for _, record in history.steps.pulses(1, 1_000_000, 1_000_000))
        pulses = [pulse for pulse in decoded if isinstance(pulse, Pulse)]
        begun = pulses[0].time - pulses[0].step_seconds
        by_second: dict[str, float] = {}
        last = 0
        for second in SECONDS:
            last = max((p.step for p in pulses if p.time <= begun + second), default=0)
            by_second[str(second)] = round(float(class_purity(history.snapshot(last).vectors, classes)), 4)
    return {
        "purity": by_second["30"],
        "by_second": by_second,
        "chance": purity_chance(classes),
        "steps": last,
        "lit": float(np.median([len(p.batch_ids) / p.vocabulary for p in pulses])),
        "vocabulary": len(run.vocabulary),
        "classes": len(run.vocabulary.classes),
    }
