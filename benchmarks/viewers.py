"""The delay until each of ten viewers of one run receives a committed step, all on this machine's cores."""

from __future__ import annotations

import contextlib
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.support.report import report
from lamplighter.runfolder.run_store import RunStore
from lamplighter.wire.pulse_frames import Pulse
from tests.support.application import Application, Viewer
from tests.support.folders import FakeTrainer, make_run
from tests.support.served import PacedTrainer

SECONDS, STEPS_PER_SECOND, VIEWERS = 10.0, 70, 10


def main() -> bool:
    """Measure and print. Returns whether the goals are met."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Application(Path(folder), "serve", "--no-workers") as application,
    ):
        trainer = FakeTrainer(make_run(RunStore(Path(folder)), steps=1_000_000)).begin()
        with contextlib.ExitStack() as stack:
            viewers = [
                stack.enter_context(Viewer(application, trainer.run.id, "pulse")) for _ in range(VIEWERS)
            ]
            with PacedTrainer(trainer, STEPS_PER_SECOND):
                time.sleep(SECONDS)
        trainer.crash()
    pulses = [(at, frame) for viewer in viewers for at, frame in viewer.frames if isinstance(frame, Pulse)]
    milliseconds = [1e3 * (at - pulse.time) for at, pulse in pulses]
    conditions = {
        "viewers": VIEWERS,
        "steps_per_second": STEPS_PER_SECOND,
        "frames": len(pulses),
        "merged": sum(pulse.merged for _, pulse in pulses),
    }
    median, p99 = (float(np.percentile(milliseconds, at)) for at in (50, 99))
    met = report("viewers_median", median, "ms after the step, median", **conditions)
    return report("viewers_p99", p99, "ms after the step, p99", **conditions) and met
