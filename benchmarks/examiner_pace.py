"""The pace of training while its model is asked one question after another, against the pace without questions.

Both are rounds of one training in turn, in a real server with projector and analyst at work, so that a busy machine
slows both alike. The examiner is warm in both. Each question is about another step of the run so far, which is
recomputed.
"""

from __future__ import annotations

import random
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.support.report import report
from lamplighter.contract.questions import parse_question
from lamplighter.processes.asked_question import check_question
from lamplighter.processes.local_examiner import LocalExaminer
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import decode_as
from lamplighter.wire.pulse_frames import Pulse
from tests.support.application import Application
from tests.support.runs import wait_for_step

ROUNDS, SECONDS, WARM = 6, 8.0, 600
PATIENCE = 600
"""Seconds for the first steps."""


@dataclass
class Side:
    """The figures of one side."""

    paces: list[float] = field(default_factory=list[float])
    """Steps a second of each round."""
    steps: list[float] = field(default_factory=list[float])
    """Seconds from the end of a step until the end of the next."""

    def p99(self) -> float:
        """Return the 99th percentile of a step, in milliseconds."""
        return 1e3 * float(np.percentile(self.steps, 99))


class _Questions:
    """Distinct questions about a run in training, one after another."""

    def __init__(self, run: RunFolder, examiner: LocalExaminer) -> None:
        self._run, self._examiner = run, examiner
        self._choose = random.Random(0)
        self.asked = 0

    def ask(self) -> None:
        self.asked += 1
        step = self._choose.randrange(1, read_status(self._run).step)
        kinds = (
            {"kind": "speak", "prompt": "the dog", "seed": self.asked},
            {"kind": "microscope", "coordinate": self.asked % self._run.recipe.model.dim},
            {"kind": "what_if", "sentence": "the cat barked", "steps": 5},
            {"kind": "transplant", "into": "dog", "source": "cat", "prompt": "the dog"},
        )
        question = parse_question({"step": step} | kinds[self.asked % len(kinds)])
        self._examiner.examine(check_question(self._run, question))


def main() -> bool:
    """Measure and print. Returns whether the goal is met."""
    sides = {"quiet": Side(), "asked": Side()}
    with tempfile.TemporaryDirectory() as folder, Application(Path(folder), "serve") as application:
        # Longer than the rounds: on a fast machine the default run would end before them.
        run = application.start_run({"steps": 20_000})
        # The map's first layout compiles code.
        wait_for_step(run, WARM, PATIENCE)
        with closing(LocalExaminer(run, "benchmark")) as examiner:
            questions = _Questions(run, examiner)
            questions.ask()
            for number in range(ROUNDS):
                # If one side always came second, it would find the other's replay in the caches.
                for name in ("quiet", "asked") if number % 2 == 0 else ("asked", "quiet"):
                    _measure_round(run, sides[name], questions if name == "asked" else None)
        application.ask(run, "stop")
        application.wait_until_over(run)
    quiet, asked = sides["quiet"], sides["asked"]
    shares = np.array(asked.paces) / np.array(quiet.paces)
    met = report(
        "examiner_pace",
        float(np.median(shares)),
        "of the steps/s without questions, median of the rounds",
        steps_per_second=float(np.median(asked.paces)),
        without_steps_per_second=float(np.median(quiet.paces)),
        questions=questions.asked,
        rounds=ROUNDS,
        lowest_round=float(shares.min()),
        highest_round=float(shares.max()),
    )
    unit = "ms of a step with questions, p99"
    return report("examiner_step_p99", asked.p99(), unit, without_ms=quiet.p99()) and met


def _measure_round(run: RunFolder, side: Side, questions: _Questions | None) -> None:
    begun, first = time.monotonic(), read_status(run).step
    if questions is None:
        time.sleep(SECONDS)
    else:
        # Wait for the last question, so that it does not slow the next round.
        while time.monotonic() - begun < SECONDS:
            questions.ask()
    seconds, last = time.monotonic() - begun, read_status(run).step
    side.paces.append((last - first) / seconds)
    with StepsReader(run.steps_path) as reader:
        pulses = reader.pulses(first, last, last - first + 1)
        ends = [decode_as(data, Pulse).time for _, data in pulses]
    side.steps += np.diff(ends).tolist()
