"""The examination of the kind *acquisition*: when each word was learned (Chang and Bergen 2022, arXiv 2110.02406)."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.special import stdtrit

from lamplighter.contract.answers.acquisition import (
    AcquisitionAnswer,
    AgePredictor,
    AgeRegression,
    PredictorName,
    WordCurve,
    WordState,
)
from lamplighter.contract.answers.parts import TextName
from lamplighter.contract.questions import AcquisitionQuestion, QuestionError
from lamplighter.contract.sentences import say
from lamplighter.corpora.occurrences import list_homonyms
from lamplighter.examination.examined_model import ExaminedModel, ReportProgress
from lamplighter.examination.kinds.acquisition.verdicts import (
    Floats,
    Occurrences,
    Sigmoids,
    find_forgotten,
    fit_sigmoids,
    judge,
    midpoint_errors,
)
from lamplighter.examination.readings import choose_kept_steps, reading, round_known
from lamplighter.model.held_out import HeldOutLoss
from lamplighter.model.learner import Learner
from lamplighter.runfolder.run_folder import RunFolder

MIN_WORDS = 30
"""Words with an age that a regression needs."""
MIN_GROUP = 5
"""Words of a class that has a coefficient of its own; those of smaller ones are taken together."""
DRAWS = 200


def regress(
    ages: Floats, properties: dict[PredictorName, Floats], groups: NDArray[np.int64]
) -> AgeRegression | None:
    """Return what properties of words tell about their ages (decimal logarithms, shape (N,)); None for too
    few words.

    Properties, shape (N,) each, that are the same for all words are left out. `groups`: the class of each,
    shape (N,).
    """
    columns: dict[PredictorName, Floats] = {
        name: values[:, None] for name, values in properties.items() if len(ages) and np.ptp(values)
    }
    indicators = _indicators(groups)
    if indicators.size:
        columns["class"] = indicators
    left = len(ages) - 1 - sum(own.shape[1] for own in columns.values())
    if len(ages) < MIN_WORDS or left < MIN_WORDS // 2 or not columns or not np.ptp(ages):
        return None
    random = np.random.default_rng(0)
    whole = list(columns.values())
    design = np.column_stack((np.ones(len(ages)), *columns.values()))
    slopes, _, rank, _ = np.linalg.lstsq(design, ages, rcond=None)
    if rank < design.shape[1]:
        return None
    noise = ((ages - design @ slopes) ** 2).sum() / left
    errors = np.sqrt(noise * np.diag(np.linalg.inv(design.T @ design))) * stdtrit(left, 0.975)
    predictors: list[AgePredictor] = []
    place = 1
    for name, own in columns.items():
        shares = _shares(ages, whole, [other for key, other in columns.items() if key != name], random)
        slope, reach = float(slopes[place]), float(errors[place])
        single = name != "class"
        predictors.append(
            AgePredictor(
                name=name,
                slope=round_known(slope) if single else None,
                low=round_known(slope - reach) if single else None,
                high=round_known(slope + reach) if single else None,
                share=round_known(float(shares[0]), 4),
                chance=round_known(float(np.quantile(shares[1:], 0.95)), 4),
            )
        )
        place += own.shape[1]
    explained = _shares(ages, whole, [], random)
    return AgeRegression(
        words=len(ages),
        explained=round_known(float(explained[0]), 4),
        chance=round_known(float(np.quantile(explained[1:], 0.95)), 4),
        predictors=predictors,
    )


def _indicators(groups: NDArray[np.int64]) -> Floats:
    """Return a column for each group but the largest, shape (N, G - 1)."""
    if not len(groups):
        return np.empty((0, 0))
    names, counts = np.unique(groups, return_counts=True)
    small = np.isin(groups, names[counts < MIN_GROUP])
    merged = np.where(small, names.min() - 1, groups)
    names, counts = np.unique(merged, return_counts=True)
    return (merged[:, None] == np.delete(names, counts.argmax())).astype(np.float64)


def _shares(ages: Floats, whole: list[Floats], rest: list[Floats], random: np.random.Generator) -> Floats:
    """Return the share of the variance that `whole` explains and `rest` does not, then that of draws by
    chance, shape (1 + DRAWS,). In each draw the residuals of `rest` are shuffled among the words (Freedman
    and Lane 1983).
    """
    ones = np.ones((len(ages), 1))
    bases = [np.linalg.qr(np.column_stack((ones, *columns)))[0] for columns in (whole, rest)]
    foretold = bases[1] @ (bases[1].T @ ages)
    left = ages - foretold
    dealt = np.stack([ages, *(foretold + random.permutation(left) for _ in range(DRAWS))], axis=1)
    more, less = (((basis.T @ dealt) ** 2).sum(axis=0) for basis in bases)
    return (more - less) / ((dealt - dealt.mean(axis=0)) ** 2).sum(axis=0)


MIN_OCCURRENCES, MAX_OCCURRENCES = 8, 32
"""Occurrences of a word that are averaged: with fewer, the error of an age is larger than its differences."""
MIN_STATES = 5
"""States after step 0 that a sigmoid needs; with fewer there are curves, and no ages."""
_AT_ONCE = 128
"""Predictions at a time: with 512, their logits fall out of the cache of a processor, and take three times as long."""


def examine(model: ExaminedModel, question: AcquisitionQuestion, report: ReportProgress) -> AcquisitionAnswer:
    run = model.run
    steps = choose_kept_steps(model, question.readings)
    # At step 0 nothing is learned: it has no logarithm, and no say in a fit.
    read = [index for index, step in enumerate(steps) if step > 0]
    text = _Text(run, question)
    if not len(text.words):
        raise QuestionError(f"no word occurs {MIN_OCCURRENCES} times in the text that is read")
    losses = np.empty((len(text.word), len(steps)))
    for index, step in enumerate(steps):
        report(index / len(steps), say("reading_words", step=step))
        learner = model.learner if step == model.step else model.learner_at(step)
        losses[:, index] = text.surprisals(learner)
    if not np.isfinite(losses).all():
        raise QuestionError("a surprisal is not finite: this model can no longer be read")
    occurrences = Occurrences(losses, text.word)
    chance, alone = math.log2(len(run.vocabulary)), _alone(run)[text.words]
    curves, logs = occurrences.curves, np.log10(np.array(steps)[read])
    if len(read) < MIN_STATES:
        fitted, errors = Sigmoids(*np.full((4, len(curves)), np.nan)), np.full(len(curves), np.nan)
    else:
        fitted = fit_sigmoids(curves[:, read], logs, chance)
        errors = midpoint_errors(fitted, logs, chance, losses[:, read], text.word)
    states = judge(
        occurrences,
        fitted,
        errors,
        np.fmin(alone, chance),
        trained_before=steps[0] > 0 or run.recipe.parent is not None,
    )
    learned = np.array([state == "learned" for state in states])
    after = np.where(learned, np.searchsorted(logs, fitted.midpoint), len(logs))
    rises, by_chance = find_forgotten(
        Occurrences(losses[:, read], text.word), fitted.values(logs, chance), after
    )
    return AcquisitionAnswer(
        kind="acquisition",
        **model.facts(question),
        steps=steps,
        words=[
            _describe(text, row, curves[row], alone[row], state, fitted, errors[row], rises[row])
            for row, state in enumerate(states)
        ],
        chance=round_known(chance),
        text=text.name,
        predictions=text.predictions,
        least=MIN_OCCURRENCES,
        rare=text.rare,
        more=text.more,
        forgotten_chance=round_known(by_chance, 3),
        regression=_regress(run, text.words[learned], fitted.midpoint[learned]),
    )


class _Text:
    """The occurrences of words whose surprisal is read: P of N words, in windows of the held-out text."""

    def __init__(self, run: RunFolder, question: AcquisitionQuestion) -> None:
        held_out = run.held_out_ids
        self.name: TextName = "training" if held_out is None else "held_out"
        ids = run.token_ids if held_out is None else held_out
        windows = HeldOutLoss(run.recipe, ids, question.text_tokens).windows
        true = windows[:, 1:].reshape(-1).numpy()
        self.predictions = len(true)
        counts = np.bincount(true, minlength=len(run.vocabulary))
        # `<unk>` is not a word.
        counts[0] = 0
        often = np.flatnonzero(counts >= MIN_OCCURRENCES)
        by_count = often[np.argsort(-counts[often], kind="stable")]
        self.words = by_count[: question.words]
        """Token ids, shape (N,)."""
        self.rare, self.more = len(counts) - len(often), len(often) - len(self.words)
        order = np.argsort(true, kind="stable")
        first = np.concatenate(([0], np.cumsum(np.bincount(true, minlength=len(counts)))))
        chosen = [
            order[
                first[word]
                + np.linspace(0, counts[word] - 1, min(counts[word], MAX_OCCURRENCES)).astype(np.int64)
            ]
            for word in self.words
        ]
        self.word = np.repeat(np.arange(len(chosen)), [len(own) for own in chosen])
        """The word of each occurrence, an index in `words`, shape (P,)."""
        places = np.concatenate([*chosen, np.empty(0, dtype=np.int64)])
        context = windows.shape[1] - 1
        rows, of_place = np.unique(places // context, return_inverse=True)
        self._order = np.argsort(of_place, kind="stable")
        """The occurrences in the order of the windows that are read."""
        self._rows, self._columns = of_place[self._order], (places % context)[self._order]
        self._true = torch.from_numpy(true[places][self._order])
        self._windows = windows[rows, :-1]
        self._at_once = run.recipe.sequences

    def surprisals(self, learner: Learner) -> Floats:
        """Return the surprisal of each occurrence in bits, shape (P,)."""
        found = np.empty(len(self._order))
        with reading(learner):
            for first in range(0, len(self._windows), self._at_once):
                part = self._windows[first : first + self._at_once].to(learner.device)
                own = slice(*np.searchsorted(self._rows, (first, first + len(part))))
                stream = learner.model.residual_stream(part)[-1]
                ends = stream[torch.from_numpy(self._rows[own] - first), torch.from_numpy(self._columns[own])]
                losses = [
                    F.cross_entropy(
                        learner.model.unembedding(learner.model.norm(some)).float(),
                        true.to(learner.device),
                        reduction="none",
                    )
                    for some, true in zip(ends.split(_AT_ONCE), self._true[own].split(_AT_ONCE), strict=True)
                ]
                found[self._order[own]] = torch.cat(losses).cpu().numpy()
        return found / math.log(2)


def _alone(run: RunFolder) -> Floats:
    """Return the surprisal of each word by its frequency in the text alone, in bits, shape (V,); NaN if unknown."""
    counts = run.vocabulary.counts
    if not run.vocabulary.counts_known:
        return np.full(len(counts), np.nan)
    return -np.log2(np.maximum(counts, 1) / counts.sum())


def _describe(
    text: _Text,
    row: int,
    curve: Floats,
    alone: float,
    state: WordState,
    fitted: Sigmoids,
    error: float,
    rise: float,
) -> WordCurve:
    learned = state == "learned"
    return WordCurve(
        id=int(text.words[row]),
        occurrences=int((text.word == row).sum()),
        surprisal=[round(value, 2) for value in curve.tolist()],
        alone=None if math.isnan(alone) else round_known(alone, 4),
        state=state,
        age=round_known(10 ** fitted.midpoint[row], 4) if learned else None,
        error=round_known(error, 3) if learned else None,
        width=round_known(fitted.width[row], 3) if learned else None,
        floor=round_known(fitted.floor[row], 4) if learned else None,
        forgotten=None if math.isnan(rise) else round_known(rise, 3),
    )


def _regress(run: RunFolder, words: NDArray[np.int64], ages: Floats) -> AgeRegression | None:
    vocabulary = run.vocabulary
    tokens = [vocabulary.tokens[word] for word in words]
    homonyms = {one.word for one in list_homonyms()} if run.recipe.corpus.kind == "lamptown" else set[str]()
    classes, family_of = vocabulary.class_of()[words].astype(np.int64), vocabulary.family_of()
    names = [family_of.get(name, name) for name in vocabulary.classes]
    groups = {name: number for number, name in enumerate(dict.fromkeys(names))}
    of_class = np.array([groups[name] for name in names], dtype=np.int64)
    return regress(
        ages,
        {
            "frequency": np.log10(np.maximum(vocabulary.counts[words], 1).astype(np.float64)),
            "length": np.array([float(len(token)) for token in tokens]),
            "meanings": np.array([1.0 + (token in homonyms) for token in tokens]),
        },
        np.where(classes < 0, -1, of_class[classes]) if len(names) else classes,
    )
