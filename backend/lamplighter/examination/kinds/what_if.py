"""The kind *what if*: a copy of the model is trained on one sentence, and then on the run's own text again.

Only a model that has learned to speak learns the sentence; the answer lists other statements that change with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from lamplighter.contract.answers import WhatIfAnswer
from lamplighter.contract.answers.parts import WordNumber
from lamplighter.contract.answers.training import (
    ChangedContext,
    RowCounts,
    TaughtRows,
    TaughtState,
    WatchedContext,
    WhatIfCandidates,
)
from lamplighter.contract.questions import WhatIfQuestion
from lamplighter.contract.sentences import say
from lamplighter.examination.examined_model import ExaminedModel, ReportProgress
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
from lamplighter.processes.asked_question import read_sentence
from lamplighter.wire.vocabulary import Vocabulary
from living_map.rows import unit_rows

MAX_CONTEXTS = 128
"""Maximum number of other contexts."""
MAX_LOGITS = 1 << 22
"""Maximum logits computed at once: with a large vocabulary, fewer contexts are watched."""
SHOWN_CONTEXTS = 12
NEIGHBOURS = 8
"""Nearest words that replace a word, if no word of the sentence has a class."""


@dataclass(frozen=True)
class OtherContext:
    """A context that differs from the sentence's own by one word."""

    place: int
    """The position of the replaced word."""
    token_id: int
    """The word in its place."""


class WatchedContexts:
    """The context of a sentence's last word, and others of the same form, read after each step."""

    def __init__(
        self, contexts: list[list[int]], others: list[OtherContext], told: int, model: Transformer
    ) -> None:
        """Read the predictions after each context, all of one length, the sentence's own first, before the
        training. `told`: the word that the sentence has after its context.
        """
        self._ids = torch.tensor(contexts, device=model.embedding.weight.device)
        self._others, self._told = others, told
        probabilities = next_probabilities(model, self._ids)
        self._said = probabilities.argmax(axis=1)
        # The probabilities of (told word, word predicted before) after each context, by reading.
        self._readings = [self._extract(probabilities)]

    def read(self, model: Transformer) -> None:
        self._readings.append(self._extract(next_probabilities(model, self._ids)))

    def _extract(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        rows = np.arange(len(probabilities))
        return np.stack((probabilities[:, self._told], probabilities[rows, self._said]), axis=1)

    def own(self) -> WatchedContext:
        return self._tell(0)

    def also_changed(self, at: int) -> list[ChangedContext]:
        """Return the other contexts in which the told word rose most up to the reading `at`, descending."""
        rises = self._readings[at][:, 0] - self._readings[0][:, 0]
        order = np.argsort(-rises[1:], kind="stable")[:SHOWN_CONTEXTS] + 1
        return [
            ChangedContext(
                place=self._others[row - 1].place,
                id=self._others[row - 1].token_id,
                **vars(self._tell(int(row))),
            )
            for row in order
            if rises[row] > 0
        ]

    @property
    def count(self) -> int:
        return len(self._others)

    def _tell(self, row: int) -> WatchedContext:
        return WatchedContext(
            ids=self._ids[row].tolist(),
            p=[round_known(float(reading[row, 0])) for reading in self._readings],
            said=int(self._said[row]),
            said_p=[round_known(float(reading[row, 1])) for reading in self._readings],
        )


def watch_contexts(
    model: Transformer, vocabulary: Vocabulary, context: list[int], told: int
) -> WatchedContexts:
    """Choose the contexts of the same form as a sentence's own, and read them for the first time. Each
    replaces one word: by words of its class, most similar first; if no word of the sentence has a class, by
    its nearest neighbours. `told`: the word after them.
    """
    others = _choose_others(model, vocabulary, context, {*context, told})
    contexts = [context]
    for other in others:
        changed = list(context)
        changed[other.place] = other.token_id
        contexts.append(changed)
    return WatchedContexts(contexts, others, told, model)


def _choose_others(
    model: Transformer, vocabulary: Vocabulary, context: list[int], taken: set[int]
) -> list[OtherContext]:
    class_of = vocabulary.class_of()
    classed = [place for place, token_id in enumerate(context) if class_of[token_id] >= 0]
    places = classed or list(range(len(context)))
    limit = max(1, min(MAX_CONTEXTS, MAX_LOGITS // len(vocabulary)))
    share = max(1, limit // len(places))
    units = unit_rows(model.embedding.weight.detach().float().cpu().numpy())

    def choose() -> Iterator[OtherContext]:
        for place in places:
            token_id = context[place]
            # `<unk>` occurs in no text.
            allowed = np.arange(len(units)) > 0
            allowed[list(taken)] = False
            if classed:
                allowed &= class_of == class_of[token_id]
            similar = np.where(allowed, units @ units[token_id], -np.inf)
            count = min(share if classed else min(share, NEIGHBOURS), int(allowed.sum()))
            for other in np.argsort(-similar, kind="stable")[:count]:
                yield OtherContext(place, int(other))

    return list(choose())[:limit]


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
    """Return how a copy of a model changes trained on a sentence, and then on the run's own text. The
    sentence is alone in its batch: the model reads all but its last token, and each next one is the target.
    The *told* word is the one in whose place the model was most certain of another (`_find_told`).
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
    pairs = zip(before.model.parameters(), after.model.parameters(), strict=True)
    differing = sum(int((one != other).sum()) for one, other in pairs)
    return differing / sum(parameter.numel() for parameter in before.model.parameters())
