"""The kind *substitution*: the cost of replacing words in sentences that the model has not read.

A word that could stand in another's place costs little there: the model expects it almost as much, and is
hardly more surprised by what follows. The nearest word is compared with the tenth nearest and with words of
similar frequency.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from lamplighter.contract.answers import SubstitutionAnswer
from lamplighter.contract.answers.parts import TextName
from lamplighter.contract.answers.reading import (
    RandomSubstitutionRise,
    SubstitutedWord,
    SubstitutionExample,
    SubstitutionRise,
)
from lamplighter.contract.questions import MAX_POSITIONS, SUBSTITUTES, QuestionError, SubstitutionQuestion
from lamplighter.contract.reason import Reason
from lamplighter.contract.sentences import say
from lamplighter.examination.examined_model import CommonFields, ExaminedModel, ReportProgress
from lamplighter.examination.readings import mean_error, mean_loss, prediction_losses, rounded, standard_error
from lamplighter.geometry.neighbours import nearest_rows
from lamplighter.model.batches import positions_after

_RANK = 10
"""The rank of the more distant neighbour."""
_PEERS = 50
"""Words of similar frequency are those within this distance in the list sorted by count."""
_MAX_SEARCHED = 1 << 21
"""Maximum tokens of a text that are searched for words, from its beginning."""
_NEAR, _FAR, _FIRST_DRAW = 1, 2, 3
"""Columns of the replacements; column 0 is the unchanged sentence."""
DRAWS = 1 + SUBSTITUTES - _FIRST_DRAW
"""Words of similar frequency that replace the word in each sentence."""


def examine(
    model: ExaminedModel, question: SubstitutionQuestion, report: ReportProgress
) -> SubstitutionAnswer:
    """Return how far the loss of sentences rises when one word is replaced.

    A sentence is a window of text with the word in its middle, one for each word of a sample drawn evenly
    over frequencies. The rise, in nats, is that of the word's own prediction (`at`) and the sum over those
    that follow (`after`).
    """
    report(0.0, say("choosing_words"))
    chosen = _choose(model, question)
    count, columns = chosen.replaced.shape
    windows = np.repeat(chosen.windows[:, None], columns, axis=1)
    windows[np.arange(count), :, chosen.places] = chosen.replaced
    report(0.1, say("reading_replaced"))
    losses = prediction_losses(
        model.learner,
        torch.from_numpy(windows.reshape(count * columns, -1)),
        model.run.recipe.sequences,
        lambda share: report(0.1 + 0.9 * share, say("reading_replaced")),
    ).reshape(count, columns, -1)
    # The word itself is predicted at the position before it.
    at = losses[np.arange(count), :, chosen.places - 1]
    follows = np.arange(losses.shape[2]) >= chosen.places[:, None]
    after = (losses * follows[:, None]).sum(axis=2)
    return _describe(model.facts(question), chosen, at, after)


@dataclass(frozen=True)
class _Sentences:
    """Sentences of a text, each with a position and its replacement words: S sentences of T predictions."""

    windows: NDArray[np.int64]
    """Token ids, shape (S, T + 1)."""
    places: NDArray[np.int64]
    """The position of the word in its window, from 1 to T - 1, shape (S,)."""
    replaced: NDArray[np.int64]
    """The word itself, its nearest, its tenth nearest, and random ones, shape (S, 3 + DRAWS)."""
    text: TextName


def _choose(model: ExaminedModel, question: SubstitutionQuestion) -> _Sentences:
    run, random = model.run, np.random.default_rng([question.seed, model.step])
    held_out = run.held_out_ids
    text = (run.token_ids if held_out is None else held_out)[:_MAX_SEARCHED].astype(np.int64)
    length = min(run.recipe.model.context, MAX_POSITIONS, len(text) - 1)
    if length < 2:
        raise QuestionError(
            "the text of this run is too short: a sentence needs a word before and one after",
            Reason("nothing_to_replace"),
        )
    vectors = model.learner.model.embedding.weight.detach().float().cpu().numpy()
    vocabulary = run.vocabulary
    counts = vocabulary.counts if vocabulary.counts_known else np.bincount(text, minlength=len(vectors))
    by_count = np.argsort(-counts, kind="stable")
    # `<unk>` is not a word.
    by_count = by_count[by_count != 0]
    if len(by_count) <= max(_RANK, DRAWS):
        raise QuestionError(
            f"a vocabulary of {len(vectors)} words has too few to put in each other's place",
            Reason("nothing_to_replace"),
        )

    words, found = _sample_words(text, by_count, question.words, random)
    starts = np.clip(found - length // 2, 0, len(text) - 1 - length)
    neighbours, _ = nearest_rows(vectors, words, _RANK + 1)
    near = np.array([row[row != 0][[0, _RANK - 1]] for row in neighbours], dtype=np.int64)
    drawn = np.array([_draw_peers(by_count, word, random) for word in words.tolist()])
    return _Sentences(
        windows=text[positions_after(starts, length)],
        places=found - starts,
        replaced=np.concatenate((words[:, None], near, drawn), axis=1),
        text="training" if held_out is None else "held_out",
    )


def _sample_words(
    text: NDArray[np.int64], by_count: NDArray[np.int64], most: int, random: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return token ids and positions, shape (S,) each, of words from equal parts of the frequency list. A
    position has a token before and after it.
    """
    inner = text[1:-1]
    order = np.argsort(inner, kind="stable")
    ids, first, times = np.unique(inner[order], return_index=True, return_counts=True)
    there = np.isin(by_count, ids)
    if not there.any():
        raise QuestionError(
            "the text of this run has no word that could be replaced", Reason("nothing_to_replace")
        )
    parts = np.array_split(by_count[there], min(most, int(there.sum())))
    words = np.array([random.choice(part) for part in parts])
    which = np.searchsorted(ids, words)
    return words, 1 + order[first[which] + random.integers(times[which])]


def _draw_peers(by_count: NDArray[np.int64], word: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Return `DRAWS` different words of similar frequency."""
    [rank] = np.flatnonzero(by_count == word)
    first = min(max(0, int(rank) - _PEERS // 2), max(0, len(by_count) - _PEERS - 1))
    peers = by_count[first : first + _PEERS + 1]
    return random.choice(peers[peers != word], DRAWS, replace=False)


def _describe(
    facts: CommonFields, chosen: _Sentences, at: NDArray[np.float64], after: NDArray[np.float64]
) -> SubstitutionAnswer:
    """Return the answer from the losses at the word and after it, shape (S, 3 + DRAWS) each."""
    # A model that diverged has losses that are not finite.
    with np.errstate(invalid="ignore"):
        rises = tuple(part - part[:, :1] for part in (at, after))
        rise = rises[0] + rises[1]
        random = rise[:, _FIRST_DRAW:]
        differences = random.mean(axis=1) - rise[:, _NEAR]
        by_draw = random.mean(axis=0)

        def tell(columns: slice) -> SubstitutionRise:
            sentences = rise[:, columns].mean(axis=1)
            at_word, following = (rounded(float(part[:, columns].mean())) for part in rises)
            return SubstitutionRise(
                rise=mean_loss(sentences),
                error=standard_error(sentences),
                median=rounded(float(np.median(sentences))),
                at=at_word,
                after=following,
            )

        return SubstitutionAnswer(
            kind="substitution",
            **facts,
            sentences=len(rise),
            draws=DRAWS,
            positions=chosen.windows.shape[1] - 1,
            text=chosen.text,
            loss=rounded(float((at + after)[:, 0].mean())),
            near=tell(slice(_NEAR, _FAR)),
            tenth=tell(slice(_FAR, _FIRST_DRAW)),
            chance=RandomSubstitutionRise(
                **vars(tell(slice(_FIRST_DRAW, None))),
                by_draw=[rounded(mean) for mean in by_draw.tolist()],
                spread=rounded(float(by_draw.std(ddof=1))),
            ),
            chance_less_near=mean_error(differences),
            tenth_less_near=mean_error(rise[:, _FAR] - rise[:, _NEAR]),
            share_near_better=rounded(float((differences > 0).mean())),
            example=_tell_example(chosen, rise, int(np.argsort(differences)[len(differences) // 2])),
        )


def _tell_example(chosen: _Sentences, rise: NDArray[np.float64], row: int) -> SubstitutionExample:
    def tell(column: int) -> SubstitutedWord:
        return SubstitutedWord(id=int(chosen.replaced[row, column]), rise=rounded(float(rise[row, column])))

    return SubstitutionExample(
        ids=chosen.windows[row].tolist(),
        position=int(chosen.places[row]),
        word=int(chosen.replaced[row, 0]),
        near=tell(_NEAR),
        tenth=tell(_FAR),
        chance=tell(_FIRST_DRAW),
    )
