"""What is read beyond the table: the steps that stand out, what keeping the largest losses costs, when words are
learned, what probes cost, turning points, and when sums on a clock are understood.

- planted: 21 small trainings, in each of which the batches of 1, 2, 3, 6, 12 or 30 steps side by side are bad (random tokens, one
  repeated token, or random targets), or of all steps from one on, which is a jump. Counted: those in which what stands out begins
  with the first of them, one step more or less; beside it, those in which it ends with the last, too. (A model that learns gets used to bad batches.) Damage to a part of a batch is measured beside them, without a goal.
- quiet: 20 more without, and 80 series with the noise of their losses, its signs drawn anew. Counted: those in which anything stands out.
- cost: the processor time of keeping the 16 largest losses, as a share of a step of the default recipe, 2,000 steps.
- curves: seconds for the curves and ages of 200 words at 20 saved states of that run, its model loaded.
- probes: the processor time of reading 24 probed sentences at the default pace, as a share of a watched loop of 2,000 steps.
- turning points: drawn curves of 51 values with a turn, and ones that only slow down, each with noise of four correlations.
  Counted: those with a turn where it is, and those with one where there is none, at the limit of a run with ten curves.
- grokking: processor seconds until a run of sums gets 99 % of those right that it never saw, and how many its control
  without weight decay gets right after 2,000 steps.
- copying: processor seconds until a run of words that come again foresees them a nat better than at first, and how many nats
  its control with one layer gains by the end.

About ten minutes.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from benchmarks.support.copying import measure_copying
from benchmarks.support.grokking import measure_grokking
from benchmarks.support.probe_cost import measure_probe_cost
from benchmarks.support.report import report
from benchmarks.support.turn_counts import count_turns
from lamplighter.contract.questions import AcquisitionQuestion
from lamplighter.contract.recipe import Recipe
from lamplighter.examination.kinds import acquisition
from lamplighter.examination.replayer import Replayer
from lamplighter.model import observer
from lamplighter.model.batch_reader import BatchReader
from lamplighter.outliers.answer import Figure, OutlyingStep
from lamplighter.outliers.reading import MAX_LISTED
from lamplighter.outliers.step_figures import JudgedFigures, read_judged_figures
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables import steps
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.training.worker import train
from lamplighter.wire.top_losses import TopLosses
from tests.support.synthetic_runs.bad_batches import BadBatch, bad_batch_at
from tests.support.synthetic_runs.learning_curves import SLOWING, TURNING

RUNS, STEPS = 20, 400
NOISES = 80
LENGTHS = (1, 2, 3, 6, 12, 30, None)
"""Bad steps side by side; None: up to the last."""
KINDS: tuple[BadBatch, ...] = ("random tokens", "one repeated token", "random targets")
PARTIAL: tuple[BadBatch, ...] = (
    "shuffled targets",
    "a quarter random",
    "one sequence random",
    "reversed text",
    "read twice",
)
PARTIAL_RUNS = 4
COST_STEPS = 2_000
_DEFAULT = {"steps": COST_STEPS, "device": "cpu", "cadence": {"waypoint_every": 100}}
_LEARNS = (90, STEPS - 70)
"""The steps among which the first bad one is drawn."""


def main() -> bool:
    """Measure and print. Returns whether the goals are met."""
    planted, whole_stretch, missed = 0, 0, []
    for seed in range(len(LENGTHS) * len(KINDS)):
        length, kind = LENGTHS[seed % len(LENGTHS)], KINDS[seed % len(KINDS)]
        bad = random.Random(seed).randrange(*_LEARNS)
        until = STEPS if length is None else bad + length - 1
        found = _list_outlying(_train(seed, bad, kind, until))
        begun = [one for one in found if abs(one.step - bad) <= 1]
        planted += bool(begun)
        whole_stretch += any(abs(one.until - until) <= 1 for one in begun)
        if not begun:
            missed.append(f"{kind}, {length or 'all'} from {bad}: {[(one.step, one.until) for one in found]}")
    partial = {
        kind: sum(
            any(one.step <= _LEARNS[1] <= one.until for one in _list_outlying(_train(seed, _LEARNS[1], kind)))
            for seed in range(PARTIAL_RUNS)
        )
        for kind in PARTIAL
    }
    quiet = [_train(RUNS + seed, None, None) for seed in range(RUNS)]
    alarms = sum(bool(_list_outlying(one)) for one in quiet)
    drawn = sum(bool(_list_outlying(_draw_again(quiet[seed % RUNS], seed))) for seed in range(NOISES))
    kept, whole, curves = _measure_default()
    probes = measure_probe_cost(rows=112, width=64, context=32, steps=COST_STEPS)
    turned, false = count_turns(TURNING), count_turns(SLOWING)
    sums, control = measure_grokking(), measure_grokking(weight_decay=0)
    two, one = measure_copying(layers=2), measure_copying(layers=1)
    return all(
        [
            report(
                "outliers_planted",
                planted,
                "runs",
                of=len(LENGTHS) * len(KINDS),
                missed=missed,
                from_first_to_last=whole_stretch,
                partial=partial,
                partial_runs=PARTIAL_RUNS,
            ),
            report(
                "outliers_quiet",
                alarms + drawn,
                "runs",
                trained=alarms,
                of=RUNS,
                drawn=drawn,
                of_drawn=NOISES,
            ),
            report("top_losses_cost", 100 * kept / whole, "%", microseconds=1e6 * kept, step_ms=1e3 * whole),
            report("word_curves", curves, "s"),
            report("grokking", sums.seconds, "s", **sums._asdict()),
            report("grokking_control", 100 * control.last, "%", **control._asdict()),
            report("copying", two.seconds, "s", **two._asdict()),
            report("copying_control", one.gain, "nats", **one._asdict()),
            report("probes_cost", 100 * probes.share, "%", **probes._asdict()),
            report("turning_points_planted", sum(turned.values()) / len(turned), "%", by_shape=turned),
            report("turning_points_quiet", sum(false.values()) / len(false), "%", by_shape=false),
        ]
    )


def _list_outlying(figures: JudgedFigures) -> list[OutlyingStep]:
    return figures.list_outlying(MAX_LISTED).items


def _draw_again(figures: JudgedFigures, seed: int) -> JudgedFigures:
    """Return figures with the noise of others: what lies between each value and those around, with a sign that is drawn."""
    draw = np.random.default_rng(seed)
    drawn: dict[Figure, NDArray[np.float64]] = {}
    for figure, values in figures.values.items():
        smooth = median_filter(values, 15, mode="nearest")
        drawn[figure] = smooth + (values - smooth) * draw.choice((-1.0, 1.0), len(values))
    return JudgedFigures(figures.first, drawn, figures.numbers)


def _train(seed: int, bad: int | None, kind: BadBatch | None, until: int | None = None) -> JudgedFigures:
    """Return the figures of the steps of a small training."""
    recipe = Recipe.model_validate(
        {
            "steps": STEPS,
            "seed": 100 + seed,
            "device": "cpu",
            "sequences": 16,
            "passages": 4,
            "model": {"dim": 32, "layers": 1, "heads": 2, "context": 16},
            "cadence": {"keyframe_every": STEPS, "checkpoint_every": STEPS, "verify_every": 100},
        }
    )
    with tempfile.TemporaryDirectory(prefix="lamplighter-bench-") as folder:
        run = RunStore(Path(folder)).create(recipe)
        with patch.object(BatchReader, "batch", bad_batch_at(bad, kind, until)):
            train(run)
        with StepsReader(run.steps_path) as reader:
            return read_judged_figures(reader, 1, STEPS)


def _measure_default() -> tuple[float, float, float]:
    """Return the seconds of processor time of a step that go into its largest losses, all of its seconds, and those of curves.

    The gather from the logarithms is a part of the step's own work, and is measured apart, on tensors of the same size.
    """
    spent = [0.0]

    def timed(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            begun = time.thread_time()
            result = function(*given)
            spent[0] += time.thread_time() - begun
            return result

        return call

    with tempfile.TemporaryDirectory(prefix="lamplighter-bench-") as folder:
        run = RunStore(Path(folder)).create(Recipe.model_validate(_DEFAULT))
        with (
            patch.object(observer, "keep_largest", timed(observer.keep_largest)),
            patch.object(TopLosses, "encode", timed(TopLosses.encode)),
        ):
            begun = time.process_time()
            train(run)
            whole = time.process_time() - begun
        inserted = _time_inserts(run)
        gathered = _time_gather(run)
        curves = _time_curves(run)
    return spent[0] / COST_STEPS + inserted + gathered, whole / COST_STEPS, curves


def _time_inserts(run: RunFolder) -> float:
    """Return the seconds of an insert of top losses, in a transaction that is open anyway."""
    with steps.StepsWriter(run.path / "other.sqlite") as writer:
        connection = writer._connection  # pyright: ignore[reportPrivateUsage]
        begun = time.thread_time()
        with connection:
            for row in range(COST_STEPS):
                connection.execute(steps.OPTIONAL_TABLES["top_losses"])
                connection.execute("INSERT INTO top_losses VALUES(?,?)", (row, bytes(132)))
        return (time.thread_time() - begun) / COST_STEPS


def _time_gather(run: RunFolder) -> float:
    tokens = run.recipe.sequences * run.recipe.model.context
    logarithms = torch.zeros(tokens, len(run.vocabulary))
    targets = torch.arange(tokens)[:, None]
    begun = time.thread_time()
    for _ in range(COST_STEPS):
        logarithms.gather(1, targets).neg_()[:, 0].numpy()
    return (time.thread_time() - begun) / COST_STEPS


def _time_curves(run: RunFolder) -> float:
    model = Replayer(run).model_at(COST_STEPS, lambda _share, _what: None)
    question = AcquisitionQuestion(step=COST_STEPS, words=200, readings=20)
    begun = time.perf_counter()
    answer = acquisition.examine(model, question, lambda _share, _what: None)
    assert (len(answer.words), len(answer.steps)) == (200, 20)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
