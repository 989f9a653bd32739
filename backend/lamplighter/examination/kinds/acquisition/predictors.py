"""A least-squares regression of the ages of words on their properties, beside what chance gives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from lamplighter.contract.answers.acquisition import AgePredictor, AgeRegression, PredictorName
from lamplighter.examination.kinds.acquisition.sigmoids import Floats
from lamplighter.examination.readings import round_known

MIN_WORDS = 30
"""Words with an age that a regression needs."""
MIN_GROUP = 5
"""Words of a class that has a coefficient of its own; those of smaller ones are taken together."""
DRAWS = 200


def regress(
    ages: Floats, properties: dict[PredictorName, Floats], groups: NDArray[np.int64]
) -> AgeRegression | None:
    """Return what properties of words tell about their ages; None for too few words.

    Args:
        ages: decimal logarithms, shape (N,).
        properties: by name, shape (N,) each. Those that are the same for all words are left out.
        groups: the class of each word as a number, shape (N,).
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
    """Return the share of the variance that `whole` explains and `rest` does not, and the same of draws by chance.

    In each draw the residuals of `rest` are shuffled among the words (Freedman and Lane 1983).

    Returns:
        Shape (1 + DRAWS,), the measured share first.
    """
    ones = np.ones((len(ages), 1))
    bases = [np.linalg.qr(np.column_stack((ones, *columns)))[0] for columns in (whole, rest)]
    foretold = bases[1] @ (bases[1].T @ ages)
    left = ages - foretold
    dealt = np.stack([ages, *(foretold + random.permutation(left) for _ in range(DRAWS))], axis=1)
    more, less = (((basis.T @ dealt) ** 2).sum(axis=0) for basis in bases)
    return (more - less) / ((dealt - dealt.mean(axis=0)) ** 2).sum(axis=0)
