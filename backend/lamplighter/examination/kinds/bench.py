"""The kind *bench*: training under four update rules, with rows that move, costs and times."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn, optim

from lamplighter.contract.answers import BenchAnswer
from lamplighter.contract.answers.training import LargeEmbedding, RowSets, RuleReading, UpdateCost
from lamplighter.contract.questions import BenchQuestion
from lamplighter.contract.recipe import OptimiserKind, Recipe
from lamplighter.contract.sentences import say
from lamplighter.examination.examined_model import ExaminedModel, ReportProgress
from lamplighter.examination.readings import round_known, rounded
from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.flops import NUMBER_BYTES, count_softmax_flops, count_update_bytes, count_update_flops
from lamplighter.model.learner import Learner, build_learner
from lamplighter.model.observer import Observation, Observer
from lamplighter.model.step import train_step
from lamplighter.platform.worker_limits import available_memory, is_out_of_memory, machine_memory
from lamplighter.runfolder.run_folder import RunFolder


def quartiles_ms(seconds: Sequence[float]) -> list[float]:
    """Return the first and third quartile, in milliseconds, of times in seconds."""
    return [round_known(1_000 * quartile) for quartile in np.quantile(seconds, (0.25, 0.75)).tolist()]


ROWS, WIDTH, TOUCHED = 50_000, 1_024, 200
_COPIES = 6
"""Matrices of that size that exist at once: weights, gradient, both averages, and two during the update."""
_WHOLE_UPDATES, _SPARSE_UPDATES = 5, 10
_RATE = 1e-3


def measure_large_embedding(
    batch_tokens: int, report: Callable[[float], None]
) -> tuple[LargeEmbedding | None, str | None]:
    """Measure updates of an embedding of `ROWS` x `WIDTH`: `TOUCHED` rows by SparseAdam, and all by Adam.

    Args:
        batch_tokens: predictions of a step, for the cost of one softmax over all rows.
        report: receives the share done.

    Returns:
        The measurements; or None, and the reason.
    """
    needed = _COPIES * ROWS * WIDTH * NUMBER_BYTES
    free = available_memory()
    machine = machine_memory()
    if free is None and machine is not None:
        free = machine // 4
    if free is None or free < needed:
        known = "this machine does not say how much memory is free"
        if free is not None:
            known = f"{free / 1e9:.1f} GB of memory are free"
        return None, f"{known}, and a matrix of {ROWS:,} rows takes {needed / 1e9:.1f} GB to be trained"
    try:
        touched = _time_updates(_SPARSE_UPDATES, report, 0.0, sparse=True)
        whole = _time_updates(_WHOLE_UPDATES, report, 0.5, sparse=False)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        return None, f"a matrix of {ROWS:,} rows did not fit into memory"
    measured = LargeEmbedding(
        rows=ROWS,
        width=WIDTH,
        touched=TOUCHED,
        touched_ms=round_known(1_000 * median(touched)),
        whole_ms=round_known(1_000 * median(whole)),
        touched_ms_quartiles=quartiles_ms(touched),
        whole_ms_quartiles=quartiles_ms(whole),
        touched_flops=count_update_flops("lazy", TOUCHED * WIDTH),
        whole_flops=count_update_flops("adam", ROWS * WIDTH),
        softmax_flops=count_softmax_flops(WIDTH, ROWS, batch_tokens),
        batch_tokens=batch_tokens,
    )
    return measured, None


def _time_updates(number: int, report: Callable[[float], None], share: float, *, sparse: bool) -> list[float]:
    """Return the CPU seconds of some updates, without the first, which allocates the averages."""
    report(share)
    embedding = nn.Embedding(ROWS, WIDTH, sparse=sparse, _weight=torch.zeros(ROWS, WIDTH))
    optimiser = (optim.SparseAdam if sparse else optim.Adam)(embedding.parameters(), lr=_RATE)
    rows = torch.arange(0, ROWS, ROWS // TOUCHED)
    weight = embedding.weight
    weight.grad = (
        torch.sparse_coo_tensor(
            rows[None], torch.ones(len(rows), WIDTH), (ROWS, WIDTH), check_invariants=True
        ).coalesce()
        if sparse
        else torch.ones(ROWS, WIDTH)
    )
    times: list[float] = []
    for done in range(number + 1):
        report(share + 0.5 * done / (number + 1))
        begun = time.process_time()
        optimiser.step()
        times.append(time.process_time() - begun)
    return times[1:]


UpdateRule = Literal["lazy", "adam", "decay", "tied"]
RULES: tuple[UpdateRule, ...] = ("lazy", "adam", "decay", "tied")
DECAY = 0.1
"""Weight decay of AdamW, as used for large models (Brown et al. 2020, "Language Models are Few-Shot
Learners").
"""
MAX_DISTANCES = 20_000
"""Maximum rows whose distances are included: more would not fit into an answer."""
_DISTANCE_DIGITS = 3


class RuleBench:
    """Training from the initial state of a run's recipe under one rule, on a CPU."""

    def __init__(self, run: RunFolder, rule: UpdateRule) -> None:
        self._rule: UpdateRule = rule
        recipe = _change_recipe(run.recipe, rule)
        cpu = torch.device("cpu")
        self._learner = build_learner(recipe, len(run.vocabulary), cpu)
        self._update_times: list[float] = []
        self._step_times: list[float] = []
        self._separate_embedding(recipe)
        self._batches = BatchReader(recipe, run.token_ids, cpu)
        self._observer = Observer(self._learner, verify_every=1)
        self._seen: Observation | None = None
        self._counts: list[tuple[int, int, int]] = []
        self._losses: list[float | None] = []

    def step(self, number: int) -> None:
        host_ids, ids, targets = self._batches.batch(number)
        begun = time.process_time()
        result = train_step(self._learner, ids, targets)
        self._step_times.append(time.process_time() - begun)
        seen = self._seen = self._observer.observe(number, host_ids, result)
        self._counts.append((len(seen.batch_ids), len(seen.gradient_ids), len(seen.moved_ids)))
        self._losses.append(rounded(seen.loss))

    def summarise(self) -> RuleReading:
        seen = self._seen
        assert seen is not None, "no step was taken"
        rows, width = self._learner.model.embedding.weight.shape
        touched = len(seen.gradient_ids)
        kind: OptimiserKind = "lazy" if self._rule == "lazy" else "adam"
        # Decay multiplies each weight once.
        by_row = count_update_flops(kind, width) + (width if self._rule == "decay" else 0)
        row_bytes = count_update_bytes(kind, width)
        return RuleReading(
            name=self._rule,
            batch_rows=len(seen.batch_ids),
            gradient_rows=touched,
            moved_rows=len(seen.moved_ids),
            sets=RowSets(
                batch=_bitmap(seen.batch_ids, rows),
                gradient=_bitmap(seen.gradient_ids, rows),
                moved=_bitmap(seen.moved_ids, rows),
                distances=_distances(seen, rows),
            ),
            bytes=UpdateCost(touched=touched * row_bytes, whole=rows * row_bytes),
            flops=UpdateCost(touched=touched * by_row, whole=rows * by_row),
            updates="touched" if self._rule == "lazy" else "whole",
            update_ms=round_known(1_000 * median(self._update_times)),
            step_ms=round_known(1_000 * median(self._step_times)),
            update_ms_quartiles=quartiles_ms(self._update_times),
            step_ms_quartiles=quartiles_ms(self._step_times),
            losses=self._losses,
            counts=self._counts,
        )

    def _separate_embedding(self, recipe: Recipe) -> None:
        """Give the embedding an optimiser of its own, which changes nothing else, and time it."""
        learner: Learner = self._learner
        groups = [group for optimiser in learner.optimisers for group in optimiser.param_groups]
        own, *rest = (
            {"params": group["params"], "lr": group["lr"], "factor": group["factor"]} for group in groups
        )
        match self._rule:
            case "lazy":
                embedding: optim.Optimizer = optim.SparseAdam([own])
            case "decay":
                embedding = optim.AdamW([own], weight_decay=DECAY)
            case _:
                embedding = optim.Adam([own])
        others = optim.AdamW(rest, weight_decay=DECAY) if self._rule == "decay" else optim.Adam(rest)
        learner.optimisers = [embedding, others]
        learner.set_learning_rate(recipe.optimiser.learning_rate)

        def start(*_: Any) -> None:
            self._update_times.append(-time.process_time())

        def stop(*_: Any) -> None:
            self._update_times[-1] += time.process_time()

        embedding.register_step_pre_hook(start)
        embedding.register_step_post_hook(stop)


def _change_recipe(recipe: Recipe, rule: UpdateRule) -> Recipe:
    kind: OptimiserKind = "lazy" if rule == "lazy" else "adam"
    return recipe.model_copy(
        update={
            "model": recipe.model.model_copy(update={"tied": rule == "tied"}),
            "optimiser": recipe.optimiser.model_copy(update={"kind": kind}),
        }
    )


def _bitmap(ids: NDArray[np.uint32], rows: int) -> str:
    flags = np.zeros(rows, dtype=bool)
    flags[ids] = True
    return base64.b64encode(np.packbits(flags, bitorder="little").tobytes()).decode("ascii")


def _distances(seen: Observation, rows: int) -> list[float | None] | None:
    if rows > MAX_DISTANCES:
        return None
    distances = np.zeros(rows)
    distances[seen.moved_ids] = seen.moved_distances
    return [rounded(distance, _DISTANCE_DIGITS) for distance in distances.tolist()]


_SHARE_OF_RULES = 0.9
"""The share of the progress for the four rules."""


def examine(model: ExaminedModel, question: BenchQuestion, report: ReportProgress) -> BenchAnswer:
    """Return what four update rules do with the embedding on the same batches, on a CPU, with one thread. All
    four start from the recipe's initial state, because separately trained matrices cannot be tied, and read
    the batches after `question.step`.
    """
    with _one_thread():
        recipes: list[RuleReading] = []
        for number, rule in enumerate(RULES):
            bench = RuleBench(model.run, rule)
            for done in range(question.steps):
                share = (number + done / question.steps) / len(RULES)
                report(
                    _SHARE_OF_RULES * share,
                    say("trying_rule", step=done + 1, steps=question.steps, rule=rule),
                )
                bench.step(question.step + done + 1)
            recipes.append(bench.summarise())
        large, reason = measure_large_embedding(
            model.run.recipe.batch_tokens,
            lambda share: report(
                _SHARE_OF_RULES + (1 - _SHARE_OF_RULES) * share, say("large_matrix", rows=ROWS)
            ),
        )
    return BenchAnswer(
        kind="bench",
        **model.facts(question),
        recipes=recipes,
        steps=question.steps,
        rows=len(model.run.vocabulary),
        width=model.run.recipe.model.dim,
        weight_decay=DECAY,
        large=large,
        large_reason=reason,
    )


@contextmanager
def _one_thread() -> Generator[None]:
    """Compute with one thread, then restore the number of threads: the run's bits depend on it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
