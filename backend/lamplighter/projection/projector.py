"""The step from the newest matrix to the next layouts: the linear view at once, the map when its method is
ready.

This module makes frames. It neither watches the run nor decides when a frame is due (see
`projector_process.py`).
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamplighter.projection.districts.schedule import Survey
from lamplighter.projection.layout_method import MapMethod
from lamplighter.projection.methods.linear_view import CHOSEN_AT, LinearView, principal_view
from lamplighter.projection.methods.registry import METHODS, begun_over, make_method, settings_of
from lamplighter.projection.quality.layout_score import rated_layout
from lamplighter.projection.quality.neighbour_source import Nearest, Surroundings
from lamplighter.projection.quality.trust import TrustProbe
from lamplighter.projection.umap.gpu_neighbours import card_for
from lamplighter.recipe import MapRecipe
from lamplighter.runfolder.reading.map_settings import changed, chosen_of
from lamplighter.runfolder.tables.layouts import LayoutsReader, LayoutsWriter
from lamplighter.runfolder.tables.requests import Request
from lamplighter.wire.frames import FrameError, Layout, Method, decode
from lamplighter.wire.vocabulary import Vocabulary

SETTLING = 100
"""Frames after which an embedding at rest counts as settled, whatever the learning rate."""


class WarmUp:
    """A background thread that imports and compiles what a layout method needs.

    The first time on a machine this takes a quarter of a minute, later a few seconds; the linear view goes on
    meanwhile. Numba aborts the process when two threads run its code at once, so the main thread runs none
    before `done`, and this thread none after.
    """

    def __init__(self, chosen: MapRecipe, size: int) -> None:
        self._chosen, self._size = chosen, size
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="warm-up", daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Return whether the map can be made, or failed to warm up (`error`)."""
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            card_for(self._size)
            made = make_method(self._chosen)
            some = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
            for _ in range(2):
                made.frame(some)
                some[:5] += 1  # compile the code that updates a moving embedding too
        except Exception as error:  # noqa: BLE001  # passed on to the main thread, which raises it
            self.error = error


class Projector:
    """A maker of layouts, which it commits. For the main thread only."""

    def __init__(
        self,
        writer: LayoutsWriter,
        earlier: LayoutsReader,
        size: int,
        chosen: MapRecipe | None = None,
        vocabulary: Vocabulary | None = None,
    ) -> None:
        """Continue from the state in the file.

        Args:
            writer: writes the layouts.
            earlier: reads the same file; used only here.
            size: number of tokens, V.
            chosen: how the map is drawn where the file does not say yet.
            vocabulary: the run's vocabulary, for the names of districts; None: no districts are detected.
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
        """The map's current method and settings."""
        self._settled: bool = facts.get("settled", True)

    @property
    def living(self) -> bool:
        """Return whether the map is being drawn yet."""
        return self._ready

    def remember(self, vectors: NDArray[np.float32] | None) -> None:
        """Set the embedding, shape (V, D), of the last layout, so that the layout method knows how far it has
        moved since."""
        self._remembered = vectors

    def begin(self) -> None:
        """Start drawing the map with the next frame; call it once the warm-up is done."""
        self._ready = True
        self._tell()

    def take_up(self, request: Request, attempt: int, step: int) -> None:
        """Apply a request of kind `map` from the next frame on; `step` is the step shown last.

        The new settings and the mark that the request was applied are written in one transaction. Whenever
        this process is killed, the next one neither loses the request nor applies it again.
        """
        before = self.chosen
        # An invalid request changes nothing; the server has already refused it to its sender.
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
        """Create the chosen method so that it continues from the layout shown."""
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
        """Return whether another frame of the same embedding would still move the map."""
        return self._method is None or (self._method.restless and self._settling < SETTLING)

    def wants(self, attempt: int, step: int) -> bool:
        """Return whether a frame of this step would show anything new."""
        if self._linear_shown != (attempt, step):
            return True
        return self._ready and (self.shown != (attempt, step) or self._restless)

    def complete(self, attempt: int, step: int) -> bool:
        """Return whether an earlier process already left both views of this step."""
        return not self.living and self._settled and self._linear_shown == self.shown == (attempt, step)

    def frame(self, vectors: NDArray[np.float32], attempt: int, step: int, *, over: bool = False) -> bool:
        """Make and commit the layouts of one step.

        Args:
            vectors: shape (V, D).
            attempt: the attempt that the step belongs to.
            step: the step.
            over: the run has ended, so the directions are chosen now or never.

        Returns:
            False when the matrix has values that are not finite: the last layouts stay, and the facts give
                the reason.
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
        # The first frame of a map may take seconds, so the linear view is committed before it.
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
        # The view comes from the start, or from a step before the embedding had taken shape (the start was
        # not projected).
        early = view is not None and view.step < CHOSEN_AT <= step
        if view is None or early or (over and view.step == 0 < step):
            like = None if view is None else view.places(vectors)
            view = self._linear = principal_view(vectors, attempt, step, like)
            self._writer.set_facts({"linear": view.to_facts()})
        return view

    def _commit(self, method: Method, places: NDArray[np.float32], attempt: int, step: int) -> None:
        self._writer.commit(rated_layout(attempt, step, method, places, self._probe, self._nearest))


def _newest(reader: LayoutsReader, size: int, *methods: Method) -> Layout | None:
    """Return the newest layout made by the given methods, or None where there is none that fits."""
    record = reader.last_made(*methods)
    try:
        layout = None if record is None else decode(record)
    except FrameError:
        return None
    return layout if isinstance(layout, Layout) and len(layout.coordinates) == size else None
