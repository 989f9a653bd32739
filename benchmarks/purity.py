"""Does meaning appear, and soon: 10-NN purity of Lamptown's planted classes as the default recipe trains.

The real application does it: server, trainer, projector and analyst as `lamplighter` starts them, and three
websocket clients that follow everything. The control is the same text with its words shuffled inside each
document: what is left of purity then comes from topics alone.
"""

from __future__ import annotations

import contextlib
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.application import Application, Viewer
from benchmarks.report import report
from lamplighter.geometry.purity import chance_purity, class_purity
from lamplighter.runfolder.folder import RunFolder
from lamplighter.runfolder.snapshots import snapshot
from lamplighter.runfolder.steps import StepsReader
from lamplighter.wire.frames import Pulse, decode

SECONDS = 30.0


def main() -> bool:
    """Measure and print. Returns whether the goals are met."""
    with Application() as application:
        real = _train(application, {})
        control = _train(application, {"corpus": {"kind": "lamptown", "shuffle_words": True}})
    facts: dict[str, Any] = {
        "chance": real["chance"],
        "purity_by_second": real["by_second"],
        "steps_in_30_s": real["steps"],
        "vocabulary": real["vocabulary"],
        "classes": real["classes"],
        "viewers": 3,
    }
    met = report("purity", real["purity"], "10-NN purity after 30 s", ">= 0.9", control=control["purity"], **facts)
    met &= report("purity_lit", real["lit"], "of the rows lit in the median step", "<= 0.1")
    margin = real["purity"] - control["purity"]
    return report("purity_control", margin, "purity above the shuffled control's", ">= 0.2", control=control) and met


def _train(application: Application, recipe: dict[str, Any]) -> dict[str, Any]:
    with contextlib.ExitStack() as stack:
        run = application.start_run(recipe)
        for _ in range(3):
            stack.enter_context(Viewer(application, run.id))
        application.wait_for_training(run, SECONDS)
        application.request(run, {"kind": "stop"})
        application.wait_until_over(run)
    return _measure(run)


def _measure(run: RunFolder) -> dict[str, Any]:
    """From the record: purity by seconds of training, counted from the first step's end."""
    vocabulary = run.vocabulary
    classes: NDArray[np.int32] = vocabulary.class_of()
    with StepsReader(run.steps_path) as reader:
        pulses = [decode(record) for _, record in reader.pulses(1, 1_000_000, 1_000_000)]
        assert all(isinstance(pulse, Pulse) for pulse in pulses)
        begun = pulses[0].time - pulses[0].step_seconds  # pyright: ignore[reportAttributeAccessIssue]
        by_second: dict[str, float] = {}
        last = 0
        for second in (0, 5, 10, 15, 20, 25, 30):
            last = max((p.step for p in pulses if p.time <= begun + second), default=0)
            by_second[str(second)] = round(class_purity(snapshot(reader, last).vectors, classes), 4)
    lit = [len(p.batch_ids) / p.vocabulary for p in pulses]  # pyright: ignore[reportAttributeAccessIssue]
    return {
        "purity": by_second["30"],
        "by_second": by_second,
        "chance": chance_purity(classes),
        "steps": last,
        "lit": float(np.median(lit)),
        "vocabulary": len(vocabulary),
        "classes": len(vocabulary.classes),
    }


if __name__ == "__main__":
    print(json.dumps({"met": main()}))
