"""From the newest matrix to the next layouts: the linear view at once, the living map when it is ready.

This module covers what a frame is made of. It does not watch the run nor decide when a frame is due (see
`process.py`).
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lamplighter.projection.linear import CHOSEN_AT, LinearView, principal_view
from lamplighter.projection.method import MapSettings
from lamplighter.projection.trust import TrustProbe
from lamplighter.runfolder.layouts import LayoutsReader, LayoutsWriter
from lamplighter.wire.frames import FrameError, Layout, Method, decode

if TYPE_CHECKING:
    from lamplighter.projection.living_layout import LivingLayout

SETTLING = 100
"""Frames after which a space at rest is taken to have settled, whatever the learning rate says."""


class WarmUp:
    """Imports UMAP and compiles its parts beside the main thread.

    The first time on a machine that takes a quarter of a minute, later a few seconds; the linear view goes
    on meanwhile. Numba aborts the process when two threads run its code at once: the main thread runs none
    before `done`, and this thread none after.
    """

    def __init__(self) -> None:
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="warm-up", daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether the living map can be made, or failed to (`error`)."""
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            from lamplighter.projection.living_layout import LivingLayout

            made = LivingLayout()
            some = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
            for _ in range(2):
                made.frame(some)
        except Exception as error:  # noqa: BLE001  # handed on to the main thread, which says so
            self.error = error


class Projector:
    """Makes layouts of the matrices it is given and commits them. Main thread only."""

    def __init__(self, writer: LayoutsWriter, earlier: LayoutsReader, size: int) -> None:
        """Take up the work where the file says it was left.

        Args:
            writer: of the layouts.
            earlier: reads the same file; used only here.
            size: tokens, V.
        """
        self._writer = writer
        self._size = size
        self._probe = TrustProbe(size)
        self._living: LivingLayout | None = None
        self._linear: LinearView | None = None
        self._linear_shown: tuple[int, int] | None = None
        self._settling = 0
        facts = earlier.facts()
        if "linear" in facts:
            self._linear = LinearView.from_facts(facts["linear"])
        linear, umap = (_newest(earlier, method, size) for method in (Method.LINEAR, Method.UMAP))
        self._linear_shown = (linear.attempt, linear.step) if linear else None
        self._places = umap.coordinates if umap else None
        self._remembered: NDArray[np.float32] | None = None
        self.shown = (umap.attempt, umap.step) if umap else None
        """(attempt, step) of the newest UMAP layout; None before the first."""

    @property
    def living(self) -> bool:
        """Whether there is a living map yet."""
        return self._living is not None

    def remember(self, vectors: NDArray[np.float32] | None) -> None:
        """Say what the space, shape (V, D), was when the last layout was made: then the living map knows
        how far it has to go."""
        self._remembered = vectors

    def begin(self, settings: MapSettings | None = None) -> None:
        """The warm-up is done: from the next frame on there is a living map."""
        from lamplighter.projection.living_layout import LivingLayout

        settings = settings or MapSettings()
        self._living = LivingLayout(settings, self._places)
        if self._remembered is not None and np.isfinite(self._remembered).all():
            self._living.remember(self._remembered)
        self._remembered = self._places = None
        self._writer.set_facts(
            {
                "umap": {
                    "neighbours": min(settings.neighbours, self._size),
                    "min_dist": settings.min_dist,
                    "spread": settings.spread,
                    "negatives": settings.negatives,
                    "metric": "cosine",
                }
            }
        )

    def wants(self, attempt: int, step: int) -> bool:
        """Whether a frame of this step would show anything that is not shown yet."""
        if self._linear_shown != (attempt, step):
            return True
        if self._living is None:
            return False
        return self.shown != (attempt, step) or (self._living.restless and self._settling < SETTLING)

    def complete(self, attempt: int, step: int) -> bool:
        """Whether both views of this step are there already, as an earlier process left them."""
        return not self.living and self._linear_shown == self.shown == (attempt, step)

    def frame(self, vectors: NDArray[np.float32], attempt: int, step: int, *, over: bool = False) -> bool:
        """Make and commit the layouts of one step.

        Args:
            vectors: shape (V, D).
            attempt: of the step.
            step: that step.
            over: the run has ended: directions are chosen now or never.

        Returns:
            False when the matrix holds values that are not finite: the last layouts stay, and the facts say
            so.
        """
        wild = int((~np.isfinite(vectors).all(axis=1)).sum())
        if wild:
            reason = "1 row is not finite" if wild == 1 else f"{wild} rows are not finite"
            self._linear_shown = self.shown = (attempt, step)
            self._settling = SETTLING
            self._writer.set_facts(
                {
                    "skipped": {
                        "attempt": attempt,
                        "step": step,
                        "reason": reason,
                    }
                }
            )
            return False
        self._probe.look(vectors)
        start_only = self._linear is not None and self._linear.step == 0 < step
        if self._linear_shown != (attempt, step) or (over and start_only):
            places = self._linear_view(vectors, attempt, step, over=over).places(vectors)
            self._commit(Method.LINEAR, places, attempt, step)
            self._linear_shown = (attempt, step)
        if self._living is not None:
            self._settling = self._settling + 1 if self.shown == (attempt, step) else 0
            self._commit(Method.UMAP, self._living.frame(vectors), attempt, step)
            self.shown = attempt, step
        return True

    def _linear_view(
        self, vectors: NDArray[np.float32], attempt: int, step: int, *, over: bool
    ) -> LinearView:
        view = self._linear
        # Of the start, or of a step before the space had taken shape (nobody projected the start).
        early = view is not None and view.step < CHOSEN_AT <= step
        if view is None or early or (over and view.step == 0 < step):
            like = None if view is None else view.places(vectors)
            view = self._linear = principal_view(vectors, attempt, step, like)
            self._writer.set_facts({"linear": view.to_facts()})
        return view

    def _commit(self, method: Method, places: NDArray[np.float32], attempt: int, step: int) -> None:
        trust = self._probe.estimate(places)
        self._writer.commit(
            Layout(
                attempt,
                step,
                time.time(),
                method,
                places,
                trust.trust,
                trust.error,
                trust.recall,
                len(trust.token_ids),
            )
        )


def _newest(reader: LayoutsReader, method: Method, size: int) -> Layout | None:
    """The layout made last; None where there is none, or none that fits."""
    record = reader.last_made(method)
    try:
        layout = None if record is None else decode(record)
    except FrameError:
        return None
    return layout if isinstance(layout, Layout) and len(layout.coordinates) == size else None
