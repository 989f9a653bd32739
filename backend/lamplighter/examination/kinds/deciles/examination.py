"""The examination of the kind *deciles*."""

from __future__ import annotations

import math

from lamplighter.examination.examined_model import Answer, ExaminedModel, ReportProgress
from lamplighter.examination.kinds.deciles.optimiser_race import OptimiserRace
from lamplighter.examination.kinds.deciles.word_groups import GroupedLoss, group_words
from lamplighter.examination.readings import rounded
from lamplighter.questions import DecilesQuestion

NOW_TOKENS, CURVE_TOKENS = 8_192, 2_048
"""Predictions that the losses now, and those of a point of a curve, are the mean of."""


def examine(model: ExaminedModel, question: DecilesQuestion, report: ReportProgress) -> Answer:
    """Return the loss by frequency of the true word: of the model as it is, and of two optimisers from the start.

    Returns:
        `groups`, the most frequent words first: `words` in it, `least` and `most` (counts in the text), `share` of the
        text, `predictions` that were looked at, `loss` of the model, and `by_counts`: the loss of who knows nothing but
        how frequent each word is. `guessing`: the loss of who knows nothing at all. `text`. `steps`.
        `optimisers` (empty without steps): for `sgd` and `adam` `learning_rate` (the best of those `tried`, each with
        its `loss` at the end), and `curve`: at chosen steps `step` and the `losses` by group. A loss is null where it is
        not finite, or no word of a group was looked at.
    """
    report(0.0, "reading frequent and rare words")
    vocabulary = model.run.vocabulary
    groups = group_words(vocabulary.counts, model.run.token_ids)
    now = GroupedLoss(model, groups, NOW_TOKENS)
    described = now.describe(model.learner)
    race = OptimiserRace(model, GroupedLoss(model, groups, CURVE_TOKENS), question.steps, report)
    return {
        "groups": described,
        "guessing": rounded(math.log(len(vocabulary))),
        "text": now.text,
        "steps": question.steps,
        "optimisers": race.find_best() if question.steps else [],
    }
