"""The methods that are compared. Their packages are no dependencies of the project: a missing one is skipped.

A method is called with one frame after the other, rows of length one, and returns each row's place. UMAP's methods have the
living map's settings (neighbours, minimum distance, spread), the others their authors' defaults; all have a fixed seed, so
they use one thread.
"""

# The packages have no types.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportMissingTypeStubs=false, reportUnknownArgumentType=false

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamplighter.projection.linear_view import principal_view
from living_map.incremental_umap import IncrementalUmap
from living_map.settings import MapSettings

Places = NDArray[np.float32]
Draw = Callable[[Places], Places]
"""Draws a frame, shape (V, D), as places, shape (V, 2)."""
DrawAll = Callable[[Sequence[Places]], list[Places]]
"""Draws all frames at once."""

_SETTINGS = MapSettings()
_UMAP: dict[str, Any] = {
    "n_neighbors": _SETTINGS.neighbours,
    "min_dist": _SETTINGS.min_dist,
    "spread": _SETTINGS.spread,
    "random_state": 0,
}


@dataclass(frozen=True)
class Method:
    """A method, with what it needs."""

    begin: Callable[[], Draw] | None = None
    """Starts a map that follows the frames. The modules that it needs are imported here, not before."""
    draw_all: DrawAll | None = None
    """For a method that needs to see all frames at once, so that it cannot follow a space live."""
    modules: tuple[str, ...] = ()
    install: str = ""
    """The packages that have the modules, as pip names them."""

    @property
    def missing(self) -> list[str]:
        """Return the modules that are not installed."""
        return [module for module in self.modules if importlib.util.find_spec(module) is None]


def _umap_cold() -> Draw:
    import umap

    return lambda frame: np.asarray(umap.UMAP(**_UMAP).fit_transform(frame))


def _warm(fit: Callable[[Places, Places | None], Any]) -> Draw:
    """Return a map that fits each frame from the places of the last; None for the first."""
    last: Places | None = None

    def draw(frame: Places) -> Places:
        nonlocal last
        last = np.asarray(fit(frame, last))
        return last

    return draw


def _umap_warm() -> Draw:
    import umap

    return _warm(
        lambda frame, last: umap.UMAP(**_UMAP | ({} if last is None else {"init": last})).fit_transform(frame)
    )


def _umap_parametric() -> Draw:
    import keras
    from umap.parametric_umap import ParametricUMAP

    keras.utils.set_random_seed(0)
    # Fitted again, it goes on with the network of the last fit.
    model = ParametricUMAP(**_UMAP, verbose=False, keras_fit_kwargs={"verbose": 0})
    return lambda frame: np.asarray(model.fit_transform(frame))


def _tsne_warm() -> Draw:
    from openTSNE import TSNE

    def fit(frame: Places, last: Places | None) -> Any:
        # Early exaggeration would tear the last map apart.
        warm = {} if last is None else {"initialization": last, "early_exaggeration_iter": 0}
        return TSNE(random_state=0, n_jobs=1, **warm).fit(frame)

    return _warm(fit)


def _pacmap_warm() -> Draw:
    import pacmap

    return _warm(
        lambda frame, last: pacmap.PaCMAP(random_state=0).fit_transform(
            frame, init="pca" if last is None else last
        )
    )


def _pca_procrustes() -> Draw:
    return _warm(lambda frame, last: principal_view(frame, 0, 0, last).project(frame))


def _living(settings: MapSettings = _SETTINGS) -> Draw:
    return IncrementalUmap(settings).draw_frame


def _umap_aligned(frames: Sequence[Places]) -> list[Places]:
    from umap.aligned_umap import AlignedUMAP

    same = {row: row for row in range(len(frames[0]))}
    model = AlignedUMAP(**_UMAP)
    fitted = model.fit(list(frames), relations=[same] * (len(frames) - 1))
    return [np.asarray(places) for places in fitted.embeddings_]


METHODS: dict[str, Method] = {
    "umap_cold": Method(_umap_cold, None, ("umap",), "umap-learn"),
    "umap_warm": Method(_umap_warm, None, ("umap",), "umap-learn"),
    "umap_aligned": Method(None, _umap_aligned, ("umap",), "umap-learn"),
    "umap_parametric": Method(
        _umap_parametric, None, ("umap", "keras", "tensorflow"), "umap-learn tensorflow"
    ),
    "tsne_warm": Method(_tsne_warm, None, ("openTSNE",), "openTSNE"),
    "pacmap_warm": Method(_pacmap_warm, None, ("pacmap",), "pacmap"),
    "pca": Method(lambda: lambda frame: principal_view(frame, 0, 0).project(frame)),
    "pca_procrustes": Method(_pca_procrustes),
    "living": Method(_living),
    "living_faithful": Method(lambda: _living(MapSettings(motion="faithful", warm_epochs=100))),
}
"""Each method by its name."""
