"""The kind *acquisition*: planted curves, independent fits and regressions, and what chance gives."""

from __future__ import annotations

import functools
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.optimize import curve_fit

from lamplighter.contract.questions import AcquisitionQuestion
from lamplighter.examination.examined_model import ExaminedModel
from lamplighter.examination.kinds import acquisition
from lamplighter.examination.kinds.acquisition.examination import regress
from lamplighter.examination.kinds.acquisition.verdicts import (
    Occurrences,
    find_forgotten,
    fit_sigmoids,
    judge,
    midpoint_errors,
)
from lamplighter.model.learner import Learner
from lamplighter.runfolder.run_folder import RunFolder
from tests.support.village import Village, ignore_progress, stored

TOP = 11.2
LOGS = np.log10(
    [1, 2, 5, 10, 20, 50, 100, 250, 500, 750, 1000, 1500, 2000, 2500, 3000, 3500, 4000, 4500, 5000]
)
EACH = 16
"""Occurrences of a planted word."""


def sigmoid(logs: Any, midpoint: Any, width: Any, floor: Any) -> Any:
    return TOP - (TOP - floor) / (1 + np.exp(-(logs - midpoint) / width))


def planted(curves: NDArray[np.float64], noise: float = 0.5, seed: int = 0) -> Occurrences:
    """Return occurrences whose means are near the curves, shape (N, R): each is as surprising as its context makes it."""
    random = np.random.default_rng(seed)
    contexts = random.normal(0, noise, (len(curves) * EACH, 1))
    changes = random.normal(0, noise / 4, (len(contexts), curves.shape[1]))
    return Occurrences(
        np.repeat(curves, EACH, axis=0) + contexts + changes, np.repeat(np.arange(len(curves)), EACH)
    )


def ask(model: ExaminedModel, **fields: Any) -> dict[str, Any]:
    question = AcquisitionQuestion(step=model.step, **fields)
    return stored(acquisition.examine(model, question, ignore_progress))


def test_planted_sigmoids_are_found_as_another_fit_finds_them() -> None:
    random = np.random.default_rng(1)
    midpoints, widths, floors = (random.uniform(*ends, 12) for ends in ((1, 2.5), (0.1, 0.28), (0, 6)))
    curves = np.stack([sigmoid(LOGS, *one) for one in zip(midpoints, widths, floors, strict=True)])
    exact = fit_sigmoids(curves, LOGS, TOP)
    np.testing.assert_allclose(exact.midpoint, midpoints, atol=0.02)
    np.testing.assert_allclose(exact.values(LOGS, TOP), curves, atol=0.15)
    noisy = curves + random.normal(0, 0.2, curves.shape)
    found = fit_sigmoids(noisy, LOGS, TOP)
    for row, curve in enumerate(noisy):
        bounds = ([0, 0.08, curve.min()], [LOGS[-1], 0.8, TOP])
        other, _ = curve_fit(sigmoid, LOGS, curve, p0=[2, 0.3, curve.min() + 0.1], bounds=bounds)
        assert found.midpoint[row] == pytest.approx(other[0], abs=0.03)
        left = ((sigmoid(LOGS, *other) - curve) ** 2).sum() / ((curve - curve.mean()) ** 2).sum()
        assert found.explained[row] == pytest.approx(1 - left, abs=0.002)


def test_the_error_of_a_midpoint_is_that_of_a_bootstrap() -> None:
    occurrences = planted(sigmoid(LOGS, 2.3, 0.25, 2.0)[None], noise=1.5)
    fitted = fit_sigmoids(occurrences.curves, LOGS, TOP)
    [error] = midpoint_errors(fitted, LOGS, TOP, occurrences.losses, occurrences.word)
    random = np.random.default_rng(2)
    drawn = [occurrences.losses[random.integers(EACH, size=EACH)].mean(axis=0) for _ in range(300)]
    again = fit_sigmoids(np.stack(drawn), LOGS, TOP)
    assert error == pytest.approx(again.midpoint.std(ddof=1), rel=0.3)


def test_a_word_is_learned_only_below_its_frequency_the_start_and_chance() -> None:
    curves = np.stack(
        [
            sigmoid(LOGS, 2.0, 0.3, 2.0),
            # As surprising as its frequency allows, and no more.
            sigmoid(LOGS, 1.0, 0.3, 4.0),
            # It never changes; a start below chance is no learning.
            np.full(len(LOGS), TOP - 2),
            # It falls at one state, and is back.
            np.where(np.arange(len(LOGS)) == 5, 3.0, TOP),
        ]
    )
    occurrences = planted(curves)
    fitted = fit_sigmoids(occurrences.curves, LOGS, TOP)
    errors = midpoint_errors(fitted, LOGS, TOP, occurrences.losses, occurrences.word)
    baselines = np.array([9.0, 4.0, TOP, 9.0])
    states = judge(occurrences, fitted, errors, baselines, trained_before=False)
    assert states == ["learned", "unlearned", "unlearned", "unfitted"]
    # A fork begins with what its parent knew.
    forked = Occurrences(occurrences.losses[:, 8:], occurrences.word)
    assert judge(forked, fitted, errors, baselines, trained_before=True)[0] == "before"


def test_a_forgotten_word_is_found_and_noise_seldom() -> None:
    words = 200
    learned = np.repeat(sigmoid(LOGS, 2.0, 0.2, 2.0)[None], words, axis=0)
    random = np.random.default_rng(3)
    curves = learned + random.normal(0, 0.3, learned.shape)
    curves[:10, -5:] += 2.5
    after = np.full(words, 7)
    rises, by_chance = find_forgotten(planted(curves), learned, after)
    assert np.isfinite(rises[:10]).all()
    assert rises[:10].mean() == pytest.approx(2.7, abs=0.4)
    # The number that chance gives is that of the words that were not forgotten.
    falsely = int(np.isfinite(rises[10:]).sum())
    assert falsely <= 6
    assert by_chance == pytest.approx(falsely, abs=5)


def test_a_regression_is_that_of_plain_least_squares() -> None:
    random = np.random.default_rng(4)
    words = 300
    frequency, length = random.uniform(1, 4, words), random.uniform(1, 12, words)
    meanings, groups = np.round(random.uniform(1, 2, words)), random.integers(0, 3, words)
    ages = 4 - 0.5 * frequency + 0.2 * (meanings - 1) + 0.1 * (groups == 1) + random.normal(0, 0.2, words)
    found = regress(ages, {"frequency": frequency, "length": length, "meanings": meanings}, groups)
    assert found is not None
    by_name = {one.name: one for one in found.predictors}
    columns = [np.ones(words), frequency, length, meanings, groups == 1, groups == 2]
    design = np.column_stack(columns).astype(float)
    slopes, left, *_ = np.linalg.lstsq(design, ages, rcond=None)
    for place, name in enumerate(("frequency", "length", "meanings"), start=1):
        one = by_name[name]
        assert one.slope == pytest.approx(slopes[place], rel=1e-4, abs=1e-6)
        error = math.sqrt(left[0] / (words - 6) * np.linalg.inv(design.T @ design)[place, place])
        assert one.high is not None
        assert one.high - slopes[place] == pytest.approx(1.968 * error, rel=1e-3)
    whole = ((ages - ages.mean()) ** 2).sum()
    assert found.explained == pytest.approx(1 - left[0] / whole, abs=1e-3)
    assert found.chance < 0.06 < found.explained
    # What was planted tells more than chance, and what was not does not.
    tells = {name: one.share > one.chance for name, one in by_name.items()}
    assert tells == {"frequency": True, "length": False, "meanings": True, "class": True}
    assert regress(ages[:20], {"frequency": frequency[:20]}, groups[:20]) is None


def test_the_curves_are_those_of_a_plain_computation(village: Village) -> None:
    model = village.examined()
    answer = ask(model, readings=6)
    assert answer["steps"] == [0, 2, 5, 20, 50, 250]
    run, context = model.run, model.run.recipe.model.context
    dog = next(one for one in answer["words"] if one["id"] == village.word("dog"))
    windows = (len(run.token_ids) - 1) // context
    assert answer["predictions"] == windows * context
    ids = torch.from_numpy(run.token_ids.astype(np.int64))
    starts = np.linspace(0, len(ids) - 1 - context, windows).astype(int)
    surprisals: list[float] = []
    with torch.no_grad():
        for start in starts:
            window = ids[start : start + context + 1]
            logs = model.learner.model.logits(window[None, :-1])[0].log_softmax(dim=1)
            for place, word in enumerate(window[1:].tolist()):
                if word == dog["id"]:
                    surprisals.append(-float(logs[place, word]) / math.log(2))
    spread = np.linspace(0, len(surprisals) - 1, 32).astype(int)
    assert dog["occurrences"] == 32
    assert dog["surprisal"][-1] == pytest.approx(np.mean(np.array(surprisals)[spread]), abs=0.01)
    assert dog["alone"] == pytest.approx(
        -math.log2(run.vocabulary.counts[dog["id"]] / run.vocabulary.counts.sum()), abs=0.01
    )
    assert answer["rare"] + len(answer["words"]) == len(run.vocabulary)


def test_words_are_learned_from_their_contexts_and_not_without(village: Village, tmp_path: Path) -> None:
    learner_at = functools.cache(village.learner)
    model = replace(village.examined(learner=learner_at(250)), learner_at=learner_at)
    taught = ask(model)
    learned = [one for one in taught["words"] if one["state"] == "learned"]
    assert len(learned) > 0.5 * len(taught["words"])
    assert all(1 <= one["age"] <= 250 and one["error"] < 0.3 for one in learned)
    # The model reads words in random order: each is as surprising as its frequency makes it.
    other = village.with_held_out_text(tmp_path)
    np.save(other.run.held_out_path, np.random.default_rng(0).permutation(other.run.token_ids))
    shuffled = ask(replace(model, run=RunFolder(other.run.path)))
    assert shuffled["text"] == "held_out"
    assert sum(one["state"] == "learned" for one in shuffled["words"]) <= 1
    # A model that never learns.
    untrained = learner_at(0)

    def same(_: int) -> Learner:
        return untrained

    still = replace(model, learner=untrained, learner_at=same)
    assert {one["state"] for one in ask(still)["words"]} == {"unlearned"}


def test_too_few_states_give_curves_without_ages(village: Village) -> None:
    answer = ask(village.examined(2))
    assert answer["steps"] == [0, 1, 2]
    assert {one["state"] for one in answer["words"]} <= {"unlearned", "unfitted"}
    assert answer["regression"] is None
