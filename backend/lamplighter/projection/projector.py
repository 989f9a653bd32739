"""Layouts of the newest matrix: the linear view at once, the map when its code is ready.

This module draws frames. `projector_process.py` watches the run and decides when a frame is due.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lamplighter.contract.recipe import MapRecipe
from lamplighter.geometry.neighbours import finite_rows
from lamplighter.projection.districts.tracker import DistrictSchedule
from lamplighter.projection.linear_view import (
    FIXED_FROM_STEP,
    LinearView,
    fourier_view,
    principal_view,
    rows_of_view,
)
from lamplighter.projection.quality import NearestNeighbours, NeighbourSource, score_layout
from lamplighter.projection.umap_view import make_map, make_map_beside, settings_from_recipe
from lamplighter.projection.warm_up import MAX_SETTLING_FRAMES
from lamplighter.runfolder.reading.current_map import merge_settings_if_valid, settings_from_facts
from lamplighter.runfolder.tables.layouts import LANDMARKS_FACT, PLACED_FACT, LayoutsReader, LayoutsWriter
from lamplighter.runfolder.tables.requests import Request
from lamplighter.wire.binary import FrameError
from lamplighter.wire.frames import decode
from lamplighter.wire.layout_frames import Layout, Method
from lamplighter.wire.row_source import RowSource
from lamplighter.wire.vocabulary import Vocabulary
from living_map.trust import TrustProbe

if TYPE_CHECKING:
    from lamplighter.projection.landmarks import LandmarkIndex, PrincipalRows
    from living_map.incremental_umap import IncrementalUmap

_OF_THE_MAP = [method for method in Method if method.view is Method.UMAP]
"""How a layout of the map may have been drawn: before there was one method, by another."""


class Projector:
    """A maker of layouts, which it commits. For the main thread only."""

    def __init__(
        self,
        writer: LayoutsWriter,
        earlier: LayoutsReader,
        size: int,
        chosen: MapRecipe | None = None,
        vocabulary: Vocabulary | None = None,
        landmarks: NDArray[np.int64] | None = None,
        numbers: NDArray[np.int64] | None = None,
    ) -> None:
        """Continue from the state in the file, which `earlier` reads. `size`: V.

        `chosen`: the settings of the map if the file has none yet. `vocabulary`: for the names of districts;
        None: detect none. `landmarks`: the tokens to lay out, ascending, shape (L,); the others are placed by
        them; None for all. `numbers`: the tokens of the numbers of a clock in their order, whose circle the
        linear view shows.
        """
        self._writer = writer
        self._numbers = numbers
        self._size = size
        self._probe = TrustProbe(size)
        self._neighbour_source = NeighbourSource()
        self._nearest: NearestNeighbours | None = None
        self._landmarks = landmarks
        self._space: tuple[int, int] | None = None
        self._reduced: PrincipalRows | None = None
        self._rows = np.empty((0, 0), dtype=np.float32)
        """The current embedding as the map reads it: of a large vocabulary, in few directions."""
        self._index: LandmarkIndex | None = None
        self._districts = DistrictSchedule(writer, earlier, vocabulary) if vocabulary is not None else None
        self._map: IncrementalUmap | None = None
        self._ready = False
        self._linear: LinearView | None = None
        self._linear_shown: tuple[int, int] | None = None
        self._settling = 0
        self._warm_up_share = 0.0
        facts = earlier.facts()
        if "linear" in facts:
            self._linear = LinearView.from_facts(facts["linear"])
        newest_linear, newest_map = (
            _newest_layout_by(earlier, size, *methods) for methods in ((Method.LINEAR,), _OF_THE_MAP)
        )
        self._linear_shown = (newest_linear.attempt, newest_linear.step) if newest_linear else None
        self._coordinates = newest_map.coordinates if newest_map else None
        self._drawn_by = newest_map.method if newest_map else Method.UMAP
        self._remembered: NDArray[np.float32] | None = None
        self.last_drawn = (newest_map.attempt, newest_map.step) if newest_map else None
        """(attempt, step) of the newest layout of the map; None before the first."""
        self.map_recipe = settings_from_facts(facts) or chosen or MapRecipe()
        """The map's current settings."""
        self._settled: bool = facts.get("settled", True)
        self._placed = self.last_drawn if facts.get(PLACED_FACT) and self.last_drawn == (1, 0) else None
        """(attempt, step) of the layout that a fork was given; it is not drawn again."""

    @property
    def map_started(self) -> bool:
        return self._ready

    def set_previous_space(self, vectors: RowSource | None) -> None:
        """Set the embedding of the last layout, shape (V, D), from which the map detects moved rows."""
        self._remembered = (
            None if vectors is None or not finite_rows(vectors).all() else self._reduce(vectors).copy()
        )

    def start_map(self) -> None:
        """Start drawing the map with the next frame; call it once the warm-up is done."""
        self._ready = True
        self._write_facts()

    def apply_request(self, request: Request, attempt: int, step: int) -> None:
        """Apply a request of kind `map` from the next frame on; `step` is the step shown last. The new
        settings and the acknowledgement are written in one transaction, so that a request is neither lost nor
        applied twice if this process is killed.
        """
        before = self.map_recipe
        # An invalid request changes nothing; the server has already rejected it.
        chosen = merge_settings_if_valid(before, request.body) or before
        with self._writer.transaction():
            if chosen != before:
                self._settled = False
                self._writer.set_facts({"map": chosen.model_dump(), "settled": False})
            # It takes effect with the layouts after the one of this step.
            self._writer.add_applied(request, attempt, step)
        self.map_recipe = chosen
        self._settling = 0
        self._placed = None
        if self._map is not None and chosen != before:
            self._map.change_settings(settings_from_recipe(chosen))
        if self._ready:
            self._write_facts()

    def _write_facts(self) -> None:
        chosen = self.map_recipe
        drawn = {
            "neighbours": min(chosen.neighbours, self._size),
            "min_dist": chosen.min_dist,
            "spread": chosen.spread,
            "negatives": settings_from_recipe(chosen).negatives,
            "metric": "cosine",
        }
        self._writer.set_facts({"map": chosen.model_dump(), "umap": drawn})

    def _create_map(self, vectors: NDArray[np.float32]) -> IncrementalUmap:
        start = None if self._coordinates is None else self._laid_out_of(self._coordinates)
        if start is not None and self._drawn_by != Method.UMAP:
            return make_map_beside(self.map_recipe, self._laid_out_of(vectors), start)
        made = make_map(self.map_recipe, start)
        if self._remembered is not None:
            made.resume_from(self._laid_out_of(self._remembered))
        if not self._settled:
            made.change_settings(settings_from_recipe(self.map_recipe))
        return made

    @property
    def _unsettled(self) -> bool:
        if self._map is None:
            return self._placed is None or self._placed != self.last_drawn
        return self._map.unsettled and self._settling < MAX_SETTLING_FRAMES

    def needs_frame(self, attempt: int, step: int) -> bool:
        if self._linear_shown != (attempt, step):
            return True
        return self._ready and (self.last_drawn != (attempt, step) or self._unsettled)

    def is_complete(self, attempt: int, step: int) -> bool:
        """Return whether an earlier process has committed both views of this step."""
        return (
            not self.map_started
            and self._settled
            and self._linear_shown == self.last_drawn == (attempt, step)
        )

    def project_step(self, vectors: RowSource, attempt: int, step: int, *, over: bool = False) -> bool:
        """Make and commit the layouts of one step, whose matrix is (V, D). `over`: choose the directions now.
        Return False if the matrix is not finite: the last layouts stay, and the facts give the reason.
        """
        wild = self._set_space(vectors, attempt, step)
        if wild:
            reason = "1 row is not finite" if wild == 1 else f"{wild} rows are not finite"
            self._linear_shown = self.last_drawn = (attempt, step)
            self._settling = MAX_SETTLING_FRAMES
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
        # The first frame of a map may take seconds, so the linear view is committed before it.
        had_map = self._map is not None
        if had_map:
            self._draw(attempt, step)
        else:
            self._nearest = self._neighbour_source.find(self._rows, None)
        start_only = self._linear is not None and self._linear.step == 0 < step
        if self._linear_shown != (attempt, step) or (over and start_only):
            coordinates = self._linear_view(vectors, attempt, step, over=over).project(vectors)
            self._commit(Method.LINEAR, coordinates, attempt, step)
            self._linear_shown = (attempt, step)
        if self._ready and not had_map and self._placed != (attempt, step):
            self._draw(attempt, step)
        if self._ready and self._districts is not None:
            final = over and not self.needs_frame(attempt, step)
            self._districts.detect_if_due(self._rows, self._nearest, attempt, step, final=final)
        return True

    def draw_missed(self, vectors: RowSource, attempt: int, step: int, *, over: bool = False) -> None:
        """Draw only the map of an earlier step, once the map has started, unless its matrix is not finite.
        `over`: the run has ended, so that there is time to find the districts of the step too.
        """
        if not self._set_space(vectors, attempt, step):
            self._draw(attempt, step)
            if over and self._districts is not None:
                self._districts.detect_if_due(self._rows, self._nearest, attempt, step, due=True)

    def note_warm_up(self, share: float) -> None:
        """Store the progress towards the first layout of the map, for viewers who wait for it."""
        if share != self._warm_up_share:
            self._warm_up_share = share
            self._writer.set_facts({"warm_up": share})

    def _set_space(self, vectors: RowSource, attempt: int, step: int) -> int:
        """Take the embedding of a step once; return how many rows are not finite: then it is not taken."""
        if self._space == (attempt, step):
            return 0
        wild = int((~finite_rows(vectors)).sum())
        if not wild:
            self._probe.set_space(vectors)
            self._rows, self._space = self._reduce(vectors), (attempt, step)
        return wild

    def _reduce(self, vectors: RowSource) -> NDArray[np.float32]:
        if self._landmarks is None:
            return vectors[:]
        if self._reduced is None:
            from lamplighter.projection.landmarks import PrincipalRows

            self._reduced = PrincipalRows(self._landmarks)
        return self._reduced.reduce(vectors)

    def _draw(self, attempt: int, step: int) -> None:
        vectors = self._rows
        if self._map is None:
            self._map = self._create_map(vectors)
            self._remembered = None
        self._settling = self._settling + 1 if self.last_drawn == (attempt, step) else 0
        shown = self._map.draw_frame(self._laid_out_of(vectors))
        if self._landmarks is None:
            self._nearest = self._neighbour_source.find(vectors, self._map)
        else:
            shown = self._place_others(vectors, shown, self._landmarks, self._map)
        self._coordinates, self._drawn_by = shown, Method.UMAP
        with self._writer.transaction():
            self._commit(Method.UMAP, self._coordinates, attempt, step)
            if not self._settled and not self._unsettled:
                self._writer.set_facts({"settled": True})
                self._settled = True
            if self._landmarks is not None and not self._unsettled:
                self._writer.set_facts(
                    {LANDMARKS_FACT: self._probe.estimate(self._coordinates).of_kinds(self._landmarks)}
                )
        self.last_drawn = attempt, step

    def _linear_view(self, vectors: RowSource, attempt: int, step: int, *, over: bool) -> LinearView:
        view = self._linear
        # The view comes from the start or, if the start was not projected, from another step before the embedding took
        # shape.
        early = view is not None and view.step < FIXED_FROM_STEP <= step
        if view is None or early or (over and view.step == 0 < step):
            if self._numbers is not None:
                view = fourier_view(vectors[self._numbers], attempt, step)
            else:
                rows = rows_of_view(vectors, self._landmarks)
                like = None if view is None else view.project(rows)
                view = principal_view(rows, attempt, step, like)
            self._linear = view
            self._writer.set_facts({"linear": view.to_facts()})
        return view

    def _commit(self, method: Method, coordinates: NDArray[np.float32], attempt: int, step: int) -> None:
        self._writer.commit(
            score_layout(attempt, step, method, coordinates, self._probe, self._nearest, self._landmarks)
        )

    def _place_others(
        self,
        vectors: NDArray[np.float32],
        shown: NDArray[np.float32],
        landmarks: NDArray[np.int64],
        drawn: IncrementalUmap,
    ) -> NDArray[np.float32]:
        """Return the positions of all tokens, shape (V, 2), by those of the landmarks on the map, shape (L, 2)."""
        if self._index is None:
            # Imported here, because it imports numba, which the warm-up does first.
            from lamplighter.projection.landmarks import LandmarkIndex

            self._index = LandmarkIndex(landmarks)
        self._index.update(vectors, drawn.nearest)
        self._nearest = self._index.ids, self._index.cosines
        return self._index.place(shown)

    def _laid_out_of(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the rows, of shape (V, ...), of the tokens that the map lays out itself."""
        return rows if self._landmarks is None else rows[self._landmarks]


def _newest_layout_by(reader: LayoutsReader, size: int, *methods: Method) -> Layout | None:
    """Return the newest layout by the given methods; None if there is none of the right size."""
    record = reader.last_written(*methods)
    try:
        layout = None if record is None else decode(record)
    except FrameError:
        return None
    return layout if isinstance(layout, Layout) and len(layout.coordinates) == size else None
