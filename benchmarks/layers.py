"""What is read beyond the table: steps that stand out, when words are learned, turning points, and what this costs.

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
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import median_filter
from torch import Tensor

import lamplighter
from benchmarks.support.learning import count_turns, measure_copying, measure_grokking
from benchmarks.support.processes import timed
from benchmarks.support.report import report
from benchmarks.support.training import trained
from benchmarks.watch import Shaped, Trained
from lamplighter.client.watching.probe_readings import ProbeReadings
from lamplighter.contract.questions import AcquisitionQuestion
from lamplighter.contract.recipe import Recipe
from lamplighter.examination.examined_model import Replayer
from lamplighter.examination.kinds import acquisition
from lamplighter.model import observer
from lamplighter.model.batch_reader import BatchReader
from lamplighter.outliers.answer import Figure, OutlyingStep
from lamplighter.outliers.reading import MAX_LISTED
from lamplighter.outliers.step_figures import JudgedFigures, read_judged_figures
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables import steps
from lamplighter.runfolder.tables.steps_reader import StepsReader
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
_SENTENCES = 24


def main() -> None:
    """Measure and print."""
    _measure_planted()
    _measure_quiet()
    _measure_default()
    sums, control = measure_grokking(), measure_grokking(weight_decay=0)
    report("grokking", sums.seconds, "s", **sums._asdict())
    report("grokking_control", 100 * control.last, "%", **control._asdict())
    two, one = measure_copying(layers=2), measure_copying(layers=1)
    report("copying", two.seconds, "s", **two._asdict())
    report("copying_control", one.gain, "nats", **one._asdict())
    probes = measure_probe_cost(rows=112, width=64, context=32, steps=COST_STEPS)
    report("probes_cost", 100 * probes.share, "%", **probes._asdict())
    turned, false = count_turns(TURNING), count_turns(SLOWING)
    report("turning_points_planted", sum(turned.values()) / len(turned), "%", by_shape=turned)
    report("turning_points_quiet", sum(false.values()) / len(false), "%", by_shape=false)


def _measure_planted() -> None:
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
    report(
        "outliers_planted",
        planted,
        "runs",
        of=len(LENGTHS) * len(KINDS),
        missed=missed,
        from_first_to_last=whole_stretch,
        partial=partial,
        partial_runs=PARTIAL_RUNS,
    )


def _measure_quiet() -> None:
    quiet = [_train(RUNS + seed, None, None) for seed in range(RUNS)]
    alarms = sum(bool(_list_outlying(one)) for one in quiet)
    drawn = sum(bool(_list_outlying(_draw_again(quiet[seed % RUNS], seed))) for seed in range(NOISES))
    told = {"trained": alarms, "of": RUNS, "drawn": drawn, "of_drawn": NOISES}
    report("outliers_quiet", alarms + drawn, "runs", **told)


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
    with (
        patch.object(BatchReader, "batch", bad_batch_at(bad, kind, until)),
        trained(recipe) as (run, _),
        StepsReader(run.steps_path) as reader,
    ):
        return read_judged_figures(reader, 1, STEPS)


def _measure_default() -> None:
    """Measure the processor time of a step that goes into its largest losses, and the seconds of curves.

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

    with (
        patch.object(observer, "keep_largest", timed(observer.keep_largest)),
        patch.object(TopLosses, "encode", timed(TopLosses.encode)),
        trained(Recipe.model_validate(_DEFAULT)) as (run, whole),
    ):
        kept = spent[0] / COST_STEPS + _time_inserts(run) + _time_gather(run)
        curves = _time_curves(run)
    step = whole / COST_STEPS
    report("top_losses_cost", 100 * kept / step, "%", microseconds=1e6 * kept, step_ms=1e3 * step)
    report("word_curves", curves, "s")


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
    model = Replayer(run).model_at(COST_STEPS, lambda *_: None)
    question = AcquisitionQuestion(step=COST_STEPS, words=200, readings=20)
    answer, seconds = timed(lambda: acquisition.examine(model, question, lambda *_: None))
    assert (len(answer.words), len(answer.steps)) == (200, 20)
    return seconds


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
        patch.object(ProbeReadings, "read_if_due", timed),
    ):
        loop = Trained(_Readable(rows, width, context))
        watcher = lamplighter.watch(
            loop.model, tokens, Path(folder) / "run", probes=sentences, on_error="raise"
        )
        begun = time.process_time()
        loop.step(steps)
        watcher.close()
        whole = time.process_time() - begun
    return ProbeCost(sum(spent) / whole, len(spent), 1e3 * sum(spent) / len(spent), 1e3 * whole / steps)
