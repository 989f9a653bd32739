"""The examiner: how soon it answers, whether its numbers equal those of the record, and its cost in disk space.

The questions are asked about a copy of a finished run, through a real worker process with a warm model, and timed until
the answer has been read. No two are the same, since a stored answer takes no time.
"""

from __future__ import annotations

import random
import time
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import psutil
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.support.processes import processor_seconds
from benchmarks.support.report import report
from benchmarks.support.server import serving, stop
from benchmarks.support.training import BareTraining, finished_run, unasked_run
from lamplighter.contract.questions import parse_question
from lamplighter.model.transformer import Transformer
from lamplighter.processes.asked_question import check_question, read_examination
from lamplighter.processes.local_examiner import LocalExaminer
from lamplighter.runfolder.reading.disk_usage import bytes_by_part
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import decode_as
from lamplighter.wire.pulse_frames import Pulse
from tests.support.runs import wait_for_step

TIMES, REPLAYS, BARE_STEPS, SEED = 9, 12, 50, 18
KINDS = ("microscope", "transplant", "probe", "speak", "what_if")
ROUNDS, SECONDS, WARM = 6, 8.0, 600
PATIENCE = 600
"""Seconds for the first steps."""


@dataclass(frozen=True)
class Answered:
    """An answer with its times."""

    answer: dict[str, Any]
    seconds: float
    """Seconds from asking until the answer has been read."""
    working: float
    """Seconds from when the examiner read the question until it had stored the answer."""
    cpu: float
    """Processor seconds of the examiner, with a resolution of about 10 ms. On a busy machine they are more meaningful
    than the others."""


class Asker:
    """A source of distinct questions about the model of a run, asked one after the other."""

    def __init__(self, run: RunFolder, examiner: LocalExaminer) -> None:
        """Use the examiner of a run that was trained on Lamptown."""
        self.run = run
        self._examiner = examiner
        self.choose = random.Random(SEED)
        self.asked = 0
        classes = run.vocabulary.classes
        self._animals = [run.vocabulary.tokens[token] for token in classes["animals"]]

    def ask(self, kind: str, step: int, **fields: Any) -> Answered:
        """Ask a question of a kind about the model after a step; keyword arguments replace fields of it."""
        self.asked += 1
        # The microscope's step is the one that comes next.
        about = step + 1 if kind == "microscope" else step
        question = parse_question({"kind": kind, "step": about} | self._compose(kind) | fields)
        asked = check_question(self.run, question)
        if read_examination(self.run, asked.id) is not None:
            raise AssertionError(f"asked before: {asked.question}")
        cpu, begun = _children_cpu_seconds(), time.perf_counter()
        answer = self._examiner.examine(asked)
        seconds = time.perf_counter() - begun
        entry = read_examination(self.run, asked.id)
        assert entry is not None
        assert entry.made is not None
        return Answered(answer, seconds, entry.made - entry.asked, _children_cpu_seconds() - cpu)

    def _compose(self, kind: str) -> dict[str, Any]:
        one, other = self.choose.sample(self._animals, 2)
        match kind:
            case "speak":
                return {"prompt": f"the {one}", "words": 20, "seed": self.asked}
            case "microscope":
                recipe = self.run.recipe
                sequence, coordinate = self.asked % recipe.sequences, self.asked % recipe.model.dim
                return {"sequence": sequence, "coordinate": coordinate}
            case "what_if":
                return {"sentence": f"the {one} and the {other} barked", "steps": 5}
            case "transplant":
                # The number of words makes questions about the same animals different ones.
                return {"into": one, "source": other, "prompt": f"the {one}", "words": 12 + self.asked % 3}
            case _:
                return {"sentence": f"the {one} saw the {other} in the garden ."}


def main() -> None:
    """Measure and print."""
    with unasked_run() as run:
        with closing(LocalExaminer(run, "benchmark")) as examiner:
            asker = Asker(run, examiner)
            microscopes = [*_ask_at_loaded_step(asker), *_ask_anywhere(asker)]
        _compare_coordinates(microscopes)
        _compare_flops(run, microscopes[0])
        _compare_bytes(finished_run(), run)
    _measure_pace()


def _children_cpu_seconds() -> float:
    return sum(map(processor_seconds, psutil.Process().children()))


def _bare_step_cpu_seconds(run: RunFolder) -> float:
    """Return the processor seconds of a bare training step, measured now, because a busy machine slows it too."""
    training = BareTraining(run.recipe, run.token_ids, run.vocabulary)
    training.train(10)
    begun = time.process_time()
    training.train(BARE_STEPS)
    return (time.process_time() - begun) / BARE_STEPS


def _last_step(run: RunFolder) -> int:
    assert run.recipe.steps is not None
    return run.recipe.steps


def _ask_at_loaded_step(asker: Asker) -> list[Answered]:
    """Ask each kind several times in turn. Returns the microscope's answers."""
    step = _last_step(asker.run) - 1
    begun = time.perf_counter()
    asker.ask("speak", step)
    facts = {"step": step, "first_answer_seconds": time.perf_counter() - begun}
    for kind in KINDS:
        # The first of a kind imports its module.
        asker.ask(kind, step)
    answered: dict[str, list[Answered]] = {kind: [] for kind in KINDS}
    for _ in range(TIMES):
        for kind in KINDS:
            answered[kind].append(asker.ask(kind, step))
    for kind in KINDS:
        took = 1e3 * np.array([one.seconds for one in answered[kind]])
        working = 1e3 * np.array([one.working for one in answered[kind]])
        report(
            f"examiner_{kind}",
            np.median(took),
            "ms at the loaded step, median",
            slowest_ms=took.max(),
            examiner_itself_ms=np.median(working),
            examiner_cpu_ms=1e3 * np.mean([one.cpu for one in answered[kind]]),
            **facts,
        )
        facts = {"step": step}
    return answered["microscope"]


def _ask_anywhere(asker: Asker) -> list[Answered]:
    """Go to steps of the whole run. Returns the microscope's answers there."""
    run = asker.run
    last = _last_step(run)
    steps = _choose_steps(run)
    # The step before the last waypoint needs all steps between two waypoints.
    every = run.recipe.cadence.waypoint_every
    farthest = last // every * every - 1
    seconds, cpu, computed, equal, microscopes = [], [], [], [], []
    bare = _bare_step_cpu_seconds(run)
    # After the first step, so that the farthest one is not near the loaded step.
    for step in [*steps, 1, farthest]:
        found = asker.ask("speak", step, words=1)
        seconds.append(found.seconds)
        cpu.append(found.cpu)
        computed.append(found.answer["replayed"]["steps"])
        equal.append(found.answer["replayed"]["equal"])
        microscopes.append(asker.ask("microscope", step))
    took = np.array(seconds[:REPLAYS])
    report(
        "examiner_replay",
        np.median(took),
        "s to any step, median",
        replays=REPLAYS,
        of_steps=last,
        steps_computed_median=np.median(computed[:REPLAYS]),
        ms_a_step=1e3 * sum(seconds) / sum(computed),
        cpu_ms_a_step=1e3 * sum(cpu) / sum(computed),
        bare_step_cpu_ms=1e3 * (bare + _bare_step_cpu_seconds(run)) / 2,
    )
    report(
        "examiner_replay_slowest",
        max(seconds),
        "s to any step, the farthest from a waypoint among them",
        random_slowest=took.max(),
        farthest=farthest,
        farthest_seconds=seconds[-1],
        farthest_computed=computed[-1],
        farthest_cpu_seconds=cpu[-1],
    )
    compared = [one for one in equal if one is not None]
    share = sum(compared) / len(compared)
    unit = "of the replays with the recorded digest at every step"
    report("examiner_replay_equal", share, unit, replays=len(compared), steps=sum(computed))
    return microscopes


def _choose_steps(run: RunFolder) -> list[int]:
    """Return random steps in random order, as many near to the waypoint before them as far from it.

    The median of twelve unrestricted random steps would depend more on the draw than on the examiner.
    """
    choose, every = random.Random(SEED), run.recipe.cadence.waypoint_every
    last = _last_step(run)
    behind = [int((number + choose.random()) * every / REPLAYS) for number in range(REPLAYS)]
    steps = [every * choose.randrange(max(1, last // every)) + steps_behind for steps_behind in behind]
    choose.shuffle(steps)
    return [min(max(1, step), last - 1) for step in steps]


def _compare_coordinates(microscopes: list[Answered]) -> None:
    rows = [one.answer["row"] for one in microscopes]
    if any(row["difference"] is None for row in rows):
        raise AssertionError("the record lacks a row that it should have")
    report(
        "examiner_coordinate",
        max(abs(row["difference"]) for row in rows),
        "largest difference of a number by formula from the recorded one",
        coordinates=len(rows),
        whole_rows_equal=sum(row["row"]["numbers_equal"] == row["row"]["numbers"] for row in rows),
    )


def _compare_flops(run: RunFolder, microscope: Answered) -> None:
    """Compare the matrix products of a step in the microscope's answer with torch's count."""
    recipe = run.recipe
    totals = microscope.answer["operations"]["totals"]
    formula = totals["forward_products"] + totals["backward_products"]
    model = Transformer(recipe.model, len(run.vocabulary), sparse=False)
    ids = torch.randint(0, len(run.vocabulary), (recipe.sequences, recipe.model.context))
    # The counter ignores the attention kernel of processors.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        model(ids, ids).backward()
    counted = counter.get_total_flops()
    off = 100 * abs(formula / counted - 1)
    report("examiner_flops", off, "% off torch's counter", formula=formula, torch_counts=counted)


def _compare_bytes(kept: RunFolder, asked: RunFolder) -> None:
    """Compare the bytes used only by the examiner with the rest; a waypoint that is also a checkpoint belongs to the
    rest."""
    parts = bytes_by_part(kept)
    answers = asked.examinations_path.stat().st_size
    known = sum(path.stat().st_size for path in kept.path.glob("examinations.sqlite*"))
    rest = sum(parts.values()) - parts["waypoints"] - known
    report(
        "examiner_bytes",
        (parts["waypoints"] + answers) / rest,
        "of the rest of the run",
        waypoints_megabytes=parts["waypoints"] / 1e6,
        answers_megabytes=answers / 1e6,
        rest_megabytes=rest / 1e6,
    )


def _measure_pace() -> None:
    paces: dict[str, list[float]] = {"quiet": [], "asked": []}
    steps: dict[str, list[float]] = {"quiet": [], "asked": []}
    with serving("serve") as application:
        # Longer than the rounds: on a fast machine the default run would end before them.
        run = application.start_run({"steps": 20_000})
        # The map's first layout compiles code.
        wait_for_step(run, WARM, PATIENCE)
        with closing(LocalExaminer(run, "benchmark")) as examiner:
            asker = Asker(run, examiner)
            _ask_at_random(asker)
            for number in range(ROUNDS):
                # If one side always came second, it would find the other's replay in the caches.
                for name in ("quiet", "asked") if number % 2 == 0 else ("asked", "quiet"):
                    pace, took = _measure_round(run, asker if name == "asked" else None)
                    paces[name].append(pace)
                    steps[name] += took
        stop(application, run)
    shares = np.array(paces["asked"]) / np.array(paces["quiet"])
    report(
        "examiner_pace",
        np.median(shares),
        "of the steps/s without questions, median of the rounds",
        steps_per_second=np.median(paces["asked"]),
        without_steps_per_second=np.median(paces["quiet"]),
        questions=asker.asked,
        rounds=ROUNDS,
        lowest_round=shares.min(),
        highest_round=shares.max(),
    )
    slow = {name: 1e3 * np.percentile(took, 99) for name, took in steps.items()}
    report("examiner_step_p99", slow["asked"], "ms of a step with questions, p99", without_ms=slow["quiet"])


def _ask_at_random(asker: Asker) -> None:
    """Ask a question of the next kind about some step of the run so far."""
    kinds = ("speak", "microscope", "what_if", "transplant")
    asker.ask(kinds[asker.asked % len(kinds)], asker.choose.randrange(1, read_status(asker.run).step))


def _measure_round(run: RunFolder, asker: Asker | None) -> tuple[float, list[float]]:
    """Return the steps a second of a round, and the seconds from the end of each step until the end of the next."""
    begun, first = time.monotonic(), read_status(run).step
    if asker is None:
        time.sleep(SECONDS)
    else:
        # Wait for the last question, so that it does not slow the next round.
        while time.monotonic() - begun < SECONDS:
            _ask_at_random(asker)
    seconds, last = time.monotonic() - begun, read_status(run).step
    with StepsReader(run.steps_path) as reader:
        pulses = reader.pulses(first, last, last - first + 1)
        ends = [decode_as(data, Pulse).time for _, data in pulses]
    return (last - first) / seconds, np.diff(ends).tolist()
