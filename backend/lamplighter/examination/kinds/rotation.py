"""The kind *rotation*: a random rotation of the whole space.

All numbers change, no neighbour does, and the layers, which depend on the old numbers, fail.
"""

from __future__ import annotations

import numpy as np
import torch

from lamplighter.contract.answers import RotationAnswer
from lamplighter.contract.answers.parts import LossChange
from lamplighter.contract.answers.reading import RotatedWord, RotationExample, RotationPurity
from lamplighter.contract.questions import QuestionError, RotationQuestion
from lamplighter.contract.reason import give_reason
from lamplighter.contract.sentences import say
from lamplighter.examination.examined_model import ExaminedModel, ReportProgress
from lamplighter.examination.readings import TextSample, reading, round_known, rounded
from lamplighter.geometry.neighbours import nearest_rows
from lamplighter.geometry.purity import class_purity, purity_chance
from lamplighter.geometry.rotation import Floats, random_rotation, rotate, share_of_kept_lists
from lamplighter.wire.vocabulary import Vocabulary

MAX_DIM = 4_096
"""Maximum width that is rotated: the cost of a random rotation is cubic."""
MAX_COMPARISONS = 1 << 24
"""Maximum pairs of rows compared for the neighbour lists: larger matrices are sampled."""
NEIGHBOURS = 10
SHOWN_NUMBERS = 10
"""Coordinates of the example row that are included."""


def examine(model: ExaminedModel, question: RotationQuestion, report: ReportProgress) -> RotationAnswer:
    learner = model.learner
    weight = learner.model.embedding.weight.detach()
    size, dim = weight.shape
    if dim > MAX_DIM:
        raise QuestionError(
            f"rows of {dim:,} numbers are too long to be turned: at most {MAX_DIM:,}",
            give_reason("rows_too_long", numbers=dim, most=MAX_DIM),
        )
    report(0.0, say("turning_space"))
    before = weight.float().cpu().numpy()
    after = rotate(before, random_rotation(dim, question.seed))

    report(0.2, say("comparing_neighbours"))
    count = max(1, min(size, MAX_COMPARISONS // size))
    rows = np.linspace(0, size - 1, count).astype(np.int64)
    ids, cosines = nearest_rows(before, rows, NEIGHBOURS)
    turned_ids, turned_cosines = nearest_rows(after, rows, NEIGHBOURS)

    report(0.6, say("comparing_classes"))
    vocabulary = model.run.vocabulary
    purity = _purity(before, after, vocabulary)

    report(0.9, say("asking_model"))
    text = TextSample(model)
    with reading(learner):
        turned = learner.model.with_embedding(torch.from_numpy(after).to(weight))
        loss = LossChange(before=text.own_loss(), after=text.loss(turned))
    return RotationAnswer(
        kind="rotation",
        **model.facts(question),
        coordinates=before.size,
        changed=round_known(float((before.view(np.uint32) != after.view(np.uint32)).mean())),
        lists=count,
        kept=round_known(share_of_kept_lists(ids, turned_ids)),
        cosine_error=rounded(float(np.abs(cosines - turned_cosines).max(initial=0))),
        purity=purity,
        example=_example(before, after, vocabulary),
        loss=loss,
        text=text.name,
    )


def _purity(before: Floats, after: Floats, vocabulary: Vocabulary) -> RotationPurity | None:
    class_of = vocabulary.class_of()
    if not 0 < int((class_of >= 0).sum()) ** 2 <= MAX_COMPARISONS:
        return None
    return RotationPurity(
        before=rounded(class_purity(before, class_of)),
        after=rounded(class_purity(after, class_of)),
        chance=round_known(purity_chance(class_of)),
    )


def _example(before: Floats, after: Floats, vocabulary: Vocabulary) -> RotationExample:
    """Return the numbers and neighbours of the most frequent classed word, or else of any but `<unk>`."""
    counts = vocabulary.counts.copy()
    counts[0] = -1
    classed = vocabulary.class_of() >= 0
    token_id = int(np.argmax(np.where(classed, counts, -1) if classed[1:].any() else counts))

    def tell(vectors: Floats) -> RotatedWord:
        ids, cosines = nearest_rows(vectors, np.array([token_id]), NEIGHBOURS)
        pairs = zip(ids[0].tolist(), cosines[0].tolist(), strict=True)
        return RotatedWord(
            numbers=[round_known(float(number)) for number in vectors[token_id, :SHOWN_NUMBERS]],
            neighbours=[(neighbour, round_known(cosine)) for neighbour, cosine in pairs],
        )

    return RotationExample(id=token_id, before=tell(before), after=tell(after))
