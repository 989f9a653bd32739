"""The examination of the kind *bench*."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import torch

from lamplighter.examination.examined_model import Answer, ExaminedModel, ReportProgress
from lamplighter.examination.kinds.bench.large_embedding import measure_large_embedding
from lamplighter.examination.kinds.bench.update_rules import DECAY, RULES, RuleBench
from lamplighter.questions import BenchQuestion

_SHARE_OF_RULES = 0.9
"""The part of the progress that is spent on the four rules."""


def examine(model: ExaminedModel, question: BenchQuestion, report: ReportProgress) -> Answer:
    """Return what four rules of updating do with the embedding on the same batches.

    All four begin with the recipe's initial state, since trained weights that are apart cannot become tied, and read the
    batches after `question.step`. Everything is computed on a processor, with one thread.

    Returns:
        `recipes`: for each rule `name` (`lazy`: SparseAdam, `adam`, `decay`: AdamW, `tied`: Adam on a matrix that is the
        output matrix, too) and the fields of `RuleBench.describe`. `steps`, `rows` (V), `width` (D), `weight_decay`.
        `large`: an embedding of the size of a large model's, without a model around it (`measure_large_embedding`);
        null where it does not fit into memory, with `large_reason`.
    """
    with _one_thread():
        recipes = []
        for number, rule in enumerate(RULES):
            bench = RuleBench(model.run, rule)
            for done in range(question.steps):
                share = (number + done / question.steps) / len(RULES)
                report(_SHARE_OF_RULES * share, f"{rule}: step {done + 1} of {question.steps}")
                bench.step(question.step + done + 1)
            recipes.append(bench.summarise())
        large, reason = measure_large_embedding(
            model.run.recipe.batch_tokens,
            lambda share: report(_SHARE_OF_RULES + (1 - _SHARE_OF_RULES) * share, "a matrix of 50,000 rows"),
        )
    return {
        "recipes": recipes,
        "steps": question.steps,
        "rows": len(model.run.vocabulary),
        "width": model.run.recipe.model.dim,
        "weight_decay": DECAY,
        "large": large,
        "large_reason": reason,
    }


@contextmanager
def _one_thread() -> Generator[None]:
    """Compute with one thread, and then with as many as before: the run's own number gives the run's own bits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
