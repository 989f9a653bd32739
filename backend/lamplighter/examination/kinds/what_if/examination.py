"""The examination of the kind *what if*."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from lamplighter.contract.answers import WhatIfAnswer
from lamplighter.contract.answers.parts import WordNumber
from lamplighter.contract.answers.training import RowCounts, TaughtRows, TaughtState, WhatIfCandidates
from lamplighter.contract.questions import WhatIfQuestion
from lamplighter.contract.sentences import say
from lamplighter.examination.examined_model import ExaminedModel, ReportProgress
from lamplighter.examination.kinds.what_if.watched_contexts import WatchedContexts, watch_contexts
from lamplighter.examination.readings import (
    CANDIDATES,
    TextSample,
    next_probabilities,
    reading,
    round_known,
    rounded,
)
from lamplighter.model.generation import most_probable
from lamplighter.model.learner import Learner
from lamplighter.model.observer import Observation, Observer
from lamplighter.model.step import train_step
from lamplighter.model.transformer import Transformer
from lamplighter.processes.question_words import read_sentence
from lamplighter.wire.vocabulary import Vocabulary

MAX_ROWS = 256
"""Maximum rows listed per step, those with the largest numbers; the others are only counted."""
_AFTER_READ = (1, 2, 3, 5, 10, 20, 30, 50, 70, 100)
"""Steps on the run's own text after which the model is read, besides the last step."""

Phase = Literal["before", "sentence", "town"]
_SURE = 0.05
"""Probability above which a model prefers another word where it has an expectation; an untrained model
prefers none.
"""


def examine(model: ExaminedModel, question: WhatIfQuestion, report: ReportProgress) -> WhatIfAnswer:
    """Return how a copy of a model changes trained on a sentence, and then on the run's own text.

    The sentence is alone in its batch: the model reads all but its last token, and each next one is the
    target. The *told* word is the one in whose place the model was most certain of another (`_find_told`).

    Raises:
        QuestionError: the sentence is too short or too long, or has unknown words.
    """
    ids = read_sentence(model.run, question.sentence, "sentence", fewest=2)
    return _WhatIf(model, ids, report).answer(question)


class _WhatIf:
    """A copy of a model in training, and its readings."""

    def __init__(self, model: ExaminedModel, ids: list[int], report: ReportProgress) -> None:
        self._model, self._ids, self._report = model, ids, report
        self._learner: Learner = model.copy()
        self._learner.set_learning_rate(model.learning_rate)
        self._text = TextSample(model)
        tokens = torch.tensor([ids], device=self._learner.device)
        self._inputs, self._targets = tokens[:, :-1], tokens[:, 1:]
        with reading(self._learner):
            self._told = _find_told(ids, self._learner.model, model.run.vocabulary)
        self._states: list[TaughtState] = []

    def answer(self, question: WhatIfQuestion) -> WhatIfAnswer:
        """Train on the sentence and then on the run's own text. Return the answer."""
        steps, after = question.steps, question.after
        trained, told = self._learner.model, self._ids[self._told]
        with reading(self._learner):
            watched = watch_contexts(trained, self._model.run.vocabulary, self._ids[: self._told], told)
        before = self._candidates()
        self._add_state("before", 0, None)
        observer = Observer(self._learner, verify_every=1)
        total = steps + after
        for number in range(1, steps + 1):
            self._report((number - 1) / total, say("training_sentence", step=number))
            result = train_step(self._learner, self._inputs, self._targets)
            observation = observer.observe(number, self._inputs.cpu().numpy(), result)
            self._read(watched, "sentence", number, observation)
        sentence = self._candidates()
        moved = _share_moved(self._model.learner, self._learner)
        for number in range(1, after + 1):
            self._report((steps + number - 1) / total, say("training_own_text", step=number))
            _, batch, targets = self._model.batches.batch(self._model.step + number)
            train_step(self._learner, batch, targets)
            if number in _AFTER_READ or number == after:
                self._read(watched, "town", number)
        town = self._candidates() if after else None
        return WhatIfAnswer(
            kind="what_if",
            **self._model.facts(question),
            sentence=self._ids,
            told=self._told,
            learning_rate=round_known(self._model.learning_rate),
            text=self._text.name,
            states=self._states,
            own=watched.own(),
            also_changed=watched.also_changed(at=steps),
            watched=watched.count,
            candidates=WhatIfCandidates(before=before, sentence=sentence, town=town),
            parameters_moved=round_known(moved),
        )

    def _read(
        self, watched: WatchedContexts, phase: Phase, number: int, observation: Observation | None = None
    ) -> None:
        with reading(self._learner):
            watched.read(self._learner.model)
        self._add_state(phase, number, observation)

    def _add_state(self, phase: Phase, number: int, observation: Observation | None) -> None:
        with reading(self._learner):
            loss = float(self._learner.model(self._inputs, self._targets))
            text_loss = self._text.loss(self._learner.model)
        state = TaughtState(phase=phase, number=number, loss=rounded(loss), text_loss=text_loss)
        if observation is not None:
            state = state.model_copy(update={"rows": _describe_rows(observation)})
        self._states.append(state)

    def _candidates(self) -> list[WordNumber]:
        with reading(self._learner):
            [probabilities] = next_probabilities(self._learner.model, self._inputs[:, : self._told])
        return [(token_id, round_known(p)) for token_id, p in most_probable(probabilities, CANDIDATES)]


def _find_told(ids: list[int], model: Transformer, vocabulary: Vocabulary) -> int:
    """Return the position of the word of a sentence that is news to a model.

    That is where the probability of the most probable other word exceeds that of the word itself the most: in
    *the cat barked at the moon* the news is *barked*, and *moon* follows from it. (Low probability alone
    would find unpredictable words, such as *cat* after *the*.) If the model is certain nowhere, it is the
    last word that is not punctuation; without any word, the last token.
    """
    words = [at for at in range(1, len(ids)) if any(map(str.isalnum, vocabulary.tokens[ids[at]]))]
    if not words:
        return len(ids) - 1
    device = model.embedding.weight.device
    # One context at a time, because their lengths differ.
    said = [next_probabilities(model, torch.tensor([ids[:at]], device=device))[0] for at in words]
    surest = [float(p.max() - p[ids[at]]) for p, at in zip(said, words, strict=True)]
    if max(surest) < _SURE:
        return words[-1]
    return words[int(np.argmax(surest))]


def _describe_rows(observation: Observation) -> TaughtRows:
    return TaughtRows(
        lit=observation.batch_ids[:MAX_ROWS].tolist(),
        gradient=_largest(observation.gradient_ids, observation.gradient_norms),
        moved=_largest(observation.moved_ids, observation.moved_distances),
        counts=RowCounts(
            lit=len(observation.batch_ids),
            gradient=len(observation.gradient_ids),
            moved=len(observation.moved_ids),
        ),
    )


def _largest(ids: NDArray[np.uint32], numbers: NDArray[np.float32]) -> list[WordNumber]:
    order = np.argsort(-numbers, kind="stable")[:MAX_ROWS]
    return [(int(ids[at]), round_known(float(numbers[at]))) for at in order]


def _share_moved(before: Learner, after: Learner) -> float:
    """Return the share of the parameters that differ between two learners."""
    pairs = zip(before.model.parameters(), after.model.parameters(), strict=True)
    differing = sum(int((one != other).sum()) for one, other in pairs)
    return differing / sum(parameter.numel() for parameter in before.model.parameters())
