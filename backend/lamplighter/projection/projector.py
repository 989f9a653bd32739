"""From the newest matrix to the next layouts: the linear view at once, the map when its method is ready.

This module covers what a frame is made of. It does not watch the run nor decide when a frame is due (see
`process.py`).
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamplighter.projection.gpu import card_for
from lamplighter.projection.linear import CHOSEN_AT, LinearView, principal_view
from lamplighter.projection.method import MapMethod
from lamplighter.projection.methods import METHODS, begun_over, make_method, settings_of
from lamplighter.projection.rating import rated_layout
from lamplighter.projection.surroundings import Nearest, Surroundings
from lamplighter.projection.survey import Survey
from lamplighter.projection.trust import TrustProbe
from lamplighter.recipe import MapRecipe
from lamplighter.runfolder.drawing import changed, chosen_of
from lamplighter.runfolder.layouts import LayoutsReader, LayoutsWriter
from lamplighter.runfolder.requests import Request
from lamplighter.wire.frames import FrameError, Layout, Method, decode
from lamplighter.wire.vocabulary import Vocabulary

SETTLING = 100
"""Frames after which a space at rest is taken to have settled, whatever the learning rate says."""


class WarmUp:
    """Imports what a method of the map needs, and compiles it, beside the main thread.

    The first time on a machine that takes a quarter of a minute, later a few seconds; the linear view goes
    on meanwhile. Numba aborts the process when two threads run its code at once: the main thread runs none
    before `done`, and this thread none after.
    """

    def __init__(self, chosen: MapRecipe, size: int) -> None:
        self._chosen, self._size = chosen, size
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="warm-up", daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether the map can be made, or failed to (`error`)."""
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            card_for(self._size)
            made = make_method(self._chosen)
            some = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
            for _ in range(2):
                made.frame(some)
                some[:5] += 1  # what keeps up with a moving space is compiled too
        except Exception as error:  # noqa: BLE001  # handed on to the main thread, which says so
            self.error = error


class Projector:
    """Makes layouts of the matrices it is given and commits them. Main thread only."""

    def __init__(
        self,
        writer: LayoutsWriter,
        earlier: LayoutsReader,
        size: int,
        chosen: MapRecipe | None = None,
        vocabulary: Vocabulary | None = None,
    ) -> None:
        """Take up the work where the file says it was left.

        Args:
            writer: of the layouts.
            earlier: reads the same file; used only here.
            size: tokens, V.
            chosen: how the map is drawn where the file does not say yet.
            vocabulary: of the run, for the names of districts; None: none are looked for.
        """
        self._writer = writer
        self._size = size
        self._probe = TrustProbe(size)
        self._surroundings = Surroundings()
        self._nearest: Nearest | None = None
        self._survey = Survey(writer, earlier, vocabulary) if vocabulary is not None else None
        self._method: MapMethod | None = None
        self._ready = False
        self._linear: LinearView | None = None
        self._linear_shown: tuple[int, int] | None = None
        self._settling = 0
        facts = earlier.facts()
        if "linear" in facts:
            self._linear = LinearView.from_facts(facts["linear"])
        linear, drawn = (_newest(earlier, size, *methods) for methods in ((Method.LINEAR,), METHODS.values()))
        self._linear_shown = (linear.attempt, linear.step) if linear else None
        self._places = drawn.coordinates if drawn else None
        self._drawn_by = drawn.method if drawn else None
        self._remembered: NDArray[np.float32] | None = None
        self.shown = (drawn.attempt, drawn.step) if drawn else None
        """(attempt, step) of the newest layout of the map; None before the first."""
        self.chosen = chosen_of(facts) or chosen or MapRecipe()
        """How the map is drawn."""
        self._settled: bool = facts.get("settled", True)

    @property
    def living(self) -> bool:
        """Whether the map is drawn yet."""
        return self._ready

    def remember(self, vectors: NDArray[np.float32] | None) -> None:
        """Say what the space, shape (V, D), was when the last layout was made: then the living map knows
        how far it has to go."""
        self._remembered = vectors

    def begin(self) -> None:
        """The warm-up is done: from the next frame on there is a map."""
        self._ready = True
        self._tell()

    def take_up(self, request: Request, attempt: int, step: int) -> None:
        """Draw as a request of the kind `map` wants it from the next frame on; `step` was shown last.

        What it asks for and the mark that it was taken up are one: whenever this process is killed, the next
        one neither loses it nor takes it up again.
        """
        before = self.chosen
        # What makes no sense changes nothing: it is the server that says so to whoever asks.
        chosen = changed(before, request.body) or before
        with self._writer.together():
            if chosen != before:
                self._settled = False
                self._writer.set_facts({"map": chosen.model_dump(), "settled": False})
            self._writer.add_applied(request.server, request.id, attempt, step, request.kind, request.body)
        self.chosen = chosen
        self._settling = 0
        if chosen.method != before.method:
            self._method = self._remembered = None
        elif self._method is not None and chosen != before:
            self._method.change(settings_of(chosen))
        if self._ready:
            self._tell()

    def _tell(self) -> None:
        chosen = self.chosen
        facts: dict[str, Any] = {"map": chosen.model_dump()}
        if chosen.method != "pca":
            facts["umap"] = {
                "neighbours": min(chosen.neighbours, self._size),
                "min_dist": chosen.min_dist,
                "spread": chosen.spread,
                "negatives": settings_of(chosen).negatives,
                "metric": "cosine",
            }
        self._writer.set_facts(facts)

    def _begun(self, vectors: NDArray[np.float32]) -> MapMethod:
        """The method that is chosen, as it goes on from what is shown."""
        if self._places is not None and self._drawn_by != METHODS[self.chosen.method]:
            return begun_over(self.chosen, vectors, self._places)
        made = make_method(self.chosen, self._places)
        if self._remembered is not None and np.isfinite(self._remembered).all():
            made.remember(self._remembered)
        if not self._settled:
            made.change(settings_of(self.chosen))
        return made

    @property
    def _restless(self) -> bool:
        """Whether another frame of the same space would still move the map."""
        return self._method is None or (self._method.restless and self._settling < SETTLING)

    def wants(self, attempt: int, step: int) -> bool:
        """Whether a frame of this step would show anything that is not shown yet."""
        if self._linear_shown != (attempt, step):
            return True
        return self._ready and (self.shown != (attempt, step) or self._restless)

    def complete(self, attempt: int, step: int) -> bool:
        """Whether both views of this step are there already, as an earlier process left them."""
        return not self.living and self._settled and self._linear_shown == self.shown == (attempt, step)

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
            self._settled = True
            self._writer.set_facts(
                {
                    "settled": True,
                    "skipped": {
                        "attempt": attempt,
                        "step": step,
                        "reason": reason,
                    },
                }
            )
            return False
        self._probe.look(vectors)
        # The first frame of a map may take seconds: the linear view does not wait for it.
        begun = self._method is not None
        if begun:
            self._draw(vectors, attempt, step)
        else:
            self._nearest = self._surroundings.of(vectors, None)
        start_only = self._linear is not None and self._linear.step == 0 < step
        if self._linear_shown != (attempt, step) or (over and start_only):
            places = self._linear_view(vectors, attempt, step, over=over).places(vectors)
            self._commit(Method.LINEAR, places, attempt, step)
            self._linear_shown = (attempt, step)
        if self._ready and not begun:
            self._draw(vectors, attempt, step)
        if self._ready and self._survey is not None:
            final = over and not self.wants(attempt, step)
            self._survey.look(vectors, self._nearest, attempt, step, final=final)
        return True

    def _draw(self, vectors: NDArray[np.float32], attempt: int, step: int) -> None:
        if self._method is None:
            self._method = self._begun(vectors)
            self._remembered = None
        self._settling = self._settling + 1 if self.shown == (attempt, step) else 0
        self._places, self._drawn_by = self._method.frame(vectors), METHODS[self.chosen.method]
        self._nearest = self._surroundings.of(vectors, self._method)
        with self._writer.together():
            self._commit(self._drawn_by, self._places, attempt, step)
            if not self._settled and not self._restless:
                self._writer.set_facts({"settled": True})
                self._settled = True
        self.shown = attempt, step

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
        self._writer.commit(rated_layout(attempt, step, method, places, self._probe, self._nearest))


def _newest(reader: LayoutsReader, size: int, *methods: Method) -> Layout | None:
    """The layout made last; None where there is none, or none that fits."""
    record = reader.last_made(*methods)
    try:
        layout = None if record is None else decode(record)
    except FrameError:
        return None
    return layout if isinstance(layout, Layout) and len(layout.coordinates) == size else None
