"""`LivingMap`, by scikit-learn's conventions: a map that is fitted once and then follows its data."""

from __future__ import annotations

import inspect
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from living_map.incremental_umap import IncrementalUmap
from living_map.rows import Metric
from living_map.settings import MapSettings, Motion
from living_map.trust import Trust, TrustProbe


def checked_rows(rows: Any, width: int | None = None) -> NDArray[np.float32]:
    """Return rows as float32, shape (N, D), contiguous; `width`: the D that is expected, None for any.

    It raises TypeError for sparse rows, ValueError for another shape, or numbers that are complex, not finite
    or too large for float32.
    """
    if hasattr(rows, "toarray"):
        raise TypeError("LivingMap takes no sparse data: give it a dense array, as rows.toarray() makes one")
    given = np.asarray(rows)
    if given.dtype.kind == "c":
        raise ValueError("Complex data not supported: LivingMap takes real numbers")
    if given.ndim != 2:
        raise ValueError(
            f"Expected 2D array, got {given.ndim}D array instead. Reshape your data: a row for each sample"
        )
    if len(given) == 0:
        raise ValueError(
            f"Found array with 0 sample(s) (shape={given.shape}) while a minimum of 1 is required."
        )
    if given.shape[1] == 0:
        raise ValueError(
            f"Found array with 0 feature(s) (shape={given.shape}) while a minimum of 1 is required."
        )
    if width is not None and given.shape[1] != width:
        raise ValueError(
            f"X has {given.shape[1]} features, but LivingMap is expecting {width} features as input"
        )
    with np.errstate(over="ignore"):
        found = np.ascontiguousarray(given, dtype=np.float32)
    if not np.isfinite(found).all():
        raise ValueError("X contains NaN, infinity or a value too large for float32")
    return found


def checked_ids(ids: Any, count: int) -> list[Any]:
    """Return ids as a list of hashable values, each once, or raise TypeError or ValueError."""
    found = ids.tolist() if isinstance(ids, np.ndarray) else list(ids)
    if len(found) != count:
        raise ValueError(f"there are {len(found)} ids for {count} rows")
    if len(set(found)) != count:
        raise ValueError("an id comes twice: each row has one of its own")
    return found


_MIN_STAYING = 3
"""Number of rows that must stay for the others to be exchanged; with fewer, the map begins again."""


class LivingMap:
    """A UMAP layout of rows that move, arrive and leave.

    `fit` lays out rows from scratch. `update` makes the next frame: rows that did not move hardly move on the map, and the
    cost follows the number of those that did.

    Args:
        n_neighbors: neighbours of a row in the graph, itself included: few make islands, many one continent.
        metric: "cosine" or "euclidean".
        min_dist: distance to which rows may approach each other on the map, at most `spread`.
        spread: scale of the map.
        negative_sample_rate: pushes per pull.
        n_epochs: epochs of `fit`.
        update_epochs: epochs of `update`; half as many while most of 20,000 rows or more are stirred.
        motion: "smooth": rows glide after their neighbours. "faithful": a row moves on the map as it moved in the space, and
            stays if it did not; give `update` whole steps and some 100 epochs each.
        random_state: seed of the layout; two maps of the same frames with the same seed are equal.

    Attributes:
        embedding_: positions, shape (N, 2), float32. A new array after each call.
        ids_: the rows' ids, in the order of `embedding_`.
        n_features_in_: the number of columns, D.
        feature_names_in_: the names of the columns, if `fit` was given a table that has some.

    >>> import numpy as np
    >>> rows = np.random.default_rng(0).normal(size=(100, 8)).astype(np.float32)
    >>> model = LivingMap(n_neighbors=10).fit(rows)
    >>> rows[:5] += 0.1                                         # five rows move
    >>> model.update(rows).embedding_.shape
    (100, 2)
    >>> model.update(rows=rows[:5] + 0.1, ids=range(5)).moved_  # they alone
    5
    >>> model.update(rows=-rows[:1], ids=["new"], leave=[98, 99]).embedding_.shape
    (99, 2)
    >>> model.ids_[-2:]
    [97, 'new']
    >>> 0.5 < model.trust_ <= 1
    True
    """

    def __init__(
        self,
        n_neighbors: int = 40,
        *,
        metric: Metric = "cosine",
        min_dist: float = 1.0,
        spread: float = 1.5,
        negative_sample_rate: int = 5,
        n_epochs: int = 200,
        update_epochs: int = 10,
        motion: Motion = "smooth",
        random_state: int = 0,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.metric: Metric = metric
        self.min_dist = min_dist
        self.spread = spread
        self.negative_sample_rate = negative_sample_rate
        self.n_epochs = n_epochs
        self.update_epochs = update_epochs
        self.motion: Motion = motion
        self.random_state = random_state

    def fit(self, X: Any, y: object = None, *, ids: Any = None) -> Self:
        """Lay out rows from scratch.

        Args:
            X: shape (N, D), finite.
            y: ignored.
            ids: N hashable ids; None for the numbers from 0.

        Raises:
            TypeError: the rows are sparse, or an id is not hashable.
            ValueError: a parameter, the rows or the ids are invalid.
        """
        rows = checked_rows(X)
        found = checked_ids(range(len(rows)) if ids is None else ids, len(rows))
        self._engine = self._new_engine()
        self.n_features_in_ = rows.shape[1]
        self._note_names(X)
        places = self._engine.draw_frame(_wide(rows))
        while self._engine.fitting:
            places = self._engine.draw_frame(_wide(rows))
        self._take(rows, found, found, places)
        return self

    def fit_transform(self, X: Any, y: object = None) -> NDArray[np.float32]:
        """Fit to `X`, shape (N, D), and return the positions, shape (N, 2)."""
        return self.fit(X).embedding_

    def update(self, X: Any = None, *, rows: Any = None, ids: Any = None, leave: Any = ()) -> Self:
        """Make the next frame of the map. Before `fit`, `update(X)` fits.

        Call it with the same rows again and the map settles, in at most 25 updates.

        Args:
            X: all rows, shape (N, D). Without `ids` they are those of the last frame in the same order; with them, rows
                whose ids are new arrive, and those whose ids are missing leave.
            rows: in place of X, only the rows that moved or arrive, shape (M, D).
            ids: the ids of X, or of `rows`.
            leave: with `rows` or alone, the ids of rows that leave.

        Raises:
            TypeError: both X and `rows` are given, or `rows` without `ids`, or X and `leave`.
            KeyError: an id that is to leave is not there.
            ValueError: the rows or the ids are invalid, or no row would be left.
        """
        if X is not None:
            if rows is not None or len(leave):
                raise TypeError("update takes X, or the rows and ids that changed and the ids that leave")
            return self._update_all(X, ids)
        if rows is None and not len(leave):
            raise TypeError("update takes X, or the rows and ids that changed and the ids that leave")
        if (rows is None) != (ids is None):
            raise TypeError("update needs the ids of its rows, and the rows of its ids")
        self._check_fitted()
        changed = None if rows is None else checked_rows(rows, self.n_features_in_)
        given = [] if changed is None else checked_ids(ids, len(changed))
        return self._update_some(changed, given, list(leave))

    @property
    def trust_(self) -> float:
        """Return an estimate of trustworthiness (Venna and Kaski 2001) at ten neighbours, by cosine or Euclid as the map is.

        From 500 rows, each ranked against all; computed when first asked for after a frame.
        """
        return self._trust().trust

    @property
    def trust_error_(self) -> float:
        """Return the standard error of `trust_`; 0 for no more than 500 rows."""
        return self._trust().error

    @property
    def recall_(self) -> float:
        """Return the share of the ten nearest that are also nearest on the map, from the same rows."""
        return self._trust().recall

    @property
    def moved_(self) -> int:
        """Return the number of rows that had moved or arrived in the last frame."""
        self._check_fitted()
        update = self._engine.last_update
        return 0 if update is None else update.moved

    @property
    def settled_(self) -> bool:
        """Return whether another update with the same rows would move nothing.

        It becomes true only while the rows rest: about 12 updates after a fit, and at most 25 after any change.
        """
        self._check_fitted()
        return not self._engine.unsettled

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name, as scikit-learn asks."""
        return {name: getattr(self, name) for name in _PARAMETERS}

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name, for the next `fit`.

        Raises:
            ValueError: there is no such parameter.
        """
        for name, value in params.items():
            if name not in _PARAMETERS:
                raise ValueError(f"Invalid parameter {name!r} for LivingMap: it has {', '.join(_PARAMETERS)}")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        """Return the call that makes it, with the parameters that are not the defaults."""
        given = (
            f"{name}={getattr(self, name)!r}"
            for name, default in _PARAMETERS.items()
            if getattr(self, name) != default
        )
        return f"LivingMap({', '.join(given)})"

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn, which alone calls this, asks of an estimator."""
        from sklearn.utils import Tags, TargetTags, TransformerTags

        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=False),
            transformer_tags=TransformerTags(preserves_dtype=[]),
        )

    def _new_engine(self) -> IncrementalUmap:
        if self.metric not in ("cosine", "euclidean"):
            raise ValueError(f'metric must be "cosine" or "euclidean", not {self.metric!r}')
        for name, least in _COUNTS.items():
            count = getattr(self, name)
            if not isinstance(count, Integral) or count < least:
                raise ValueError(f"{name} must be a whole number of at least {least}, not {count!r}")
        settings = MapSettings(
            neighbours=self.n_neighbors,
            min_dist=self.min_dist,
            spread=self.spread,
            negatives=self.negative_sample_rate,
            horizon=self.n_epochs,
            warm_epochs=self.update_epochs,
            motion=self.motion,
            whole_below=0,
            seed=self.random_state,
        )
        return IncrementalUmap(settings, metric=self.metric)

    def _note_names(self, X: Any) -> None:
        names = getattr(X, "columns", None)
        if names is not None and all(isinstance(name, str) for name in names):
            self.feature_names_in_ = np.asarray(names, dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_

    def _update_all(self, X: Any, ids: Any) -> Self:
        if not hasattr(self, "_engine"):
            return self.fit(X, ids=ids)
        rows = checked_rows(X, self.n_features_in_)
        if ids is None and len(rows) != len(self.ids_):
            raise ValueError(
                f"there are {len(rows)} rows where {len(self.ids_)} were: give the ids of all of them"
            )
        return self._follow(rows, self.ids_ if ids is None else checked_ids(ids, len(rows)))

    def _update_some(self, changed: NDArray[np.float32] | None, given: list[Any], leave: list[Any]) -> Self:
        known = {one: number for number, one in enumerate(self.ids_)}
        for one in leave:
            if one not in known:
                raise KeyError(f"no row has the id {one!r}")
        gone = set(leave)
        if gone & set(given):
            raise ValueError("an id both leaves and is given a row")
        ids = [one for one in self.ids_ if one not in gone]
        rows = self._rows[self._order][[known[one] for one in ids]]
        if changed is not None:
            place = {one: number for number, one in enumerate(ids)}
            old = [number for number, one in enumerate(given) if one in place]
            new = [number for number, one in enumerate(given) if one not in place]
            rows[[place[given[number]] for number in old]] = changed[old]
            rows = np.concatenate((rows, changed[new]))
            ids += [given[number] for number in new]
        if not ids:
            raise ValueError("no row would be left")
        return self._follow(rows, ids)

    def _follow(self, rows: NDArray[np.float32], ids: list[Any]) -> Self:
        """Draw the next frame of `rows`, shape (N, D), in the order of `ids`."""
        place = {one: number for number, one in enumerate(ids)}
        stay = np.array([number for number, one in enumerate(self._kept_ids) if one in place], dtype=np.int64)
        staying = [self._kept_ids[number] for number in stay]
        there = set(staying)
        kept_ids = staying + [one for one in ids if one not in there]
        kept = rows[[place[one] for one in kept_ids]]
        if len(kept_ids) == len(self._kept_ids) == len(stay):
            places = self._engine.draw_frame(_wide(kept))
        elif len(stay) < _MIN_STAYING:
            self._engine = self._new_engine()
            places = self._engine.draw_frame(_wide(kept))
        else:
            places = self._engine.exchange_rows(stay, _wide(kept))
        self._take(kept, kept_ids, ids, places)
        return self

    def _take(
        self, rows: NDArray[np.float32], kept_ids: list[Any], ids: list[Any], places: NDArray[np.float32]
    ) -> None:
        """Take a frame: `rows` and `places` in the order of `kept_ids`, shown in that of `ids`."""
        number = {one: n for n, one in enumerate(kept_ids)}
        self._rows, self._kept_ids = rows, kept_ids
        self._order = np.array([number[one] for one in ids], dtype=np.int64)
        self.ids_ = ids
        self._places = places
        self.embedding_ = places[self._order]
        self._trusted: Trust | None = None

    def _trust(self) -> Trust:
        self._check_fitted()
        if self._trusted is None:
            probe = TrustProbe(len(self._rows), metric=self._engine.metric)
            probe.set_space(self._rows)
            self._trusted = probe.estimate(self._places)
        return self._trusted

    def _check_fitted(self) -> None:
        if not hasattr(self, "_engine"):
            raise AttributeError("this LivingMap is not fitted yet: call fit first")


def _wide(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return rows with at least two columns."""
    return rows if rows.shape[1] > 1 else np.pad(rows, ((0, 0), (0, 1)))


_PARAMETERS: dict[str, Any] = {
    name: parameter.default for name, parameter in inspect.signature(LivingMap).parameters.items()
}
_COUNTS = {"n_neighbors": 2, "negative_sample_rate": 1, "n_epochs": 1, "update_epochs": 1}
"""The parameters that are whole numbers, each with its least value; a row is its own first neighbour."""
