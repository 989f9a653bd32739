"""Trust in one layout of the map: the estimate made with it, and the exact value over all tokens."""

from __future__ import annotations

import math

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.geometry.neighbours import BLOCK_BYTES
from lamplighter.geometry.trust import trust_in_full
from lamplighter.runfolder.lineage import newest_layout
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.http.caching import anything, headers, tag, unchanged
from lamplighter.serving.http.content_negotiation import UNCHANGED
from lamplighter.serving.http.problems import Refused
from lamplighter.serving.http.route_table import Routes
from lamplighter.serving.http.streaming import LARGE
from lamplighter.serving.routes.layouts import MethodName, counting
from lamplighter.serving.schemas.base import Step, as_json
from lamplighter.serving.schemas.map import Doubtful, Estimate, InFull, LayoutTrust
from lamplighter.serving.services import AHouse, House
from lamplighter.wire.frames import Layout, Method, decode_as

routes = Routes("snapshots")

MOST_TOKENS = 20_000
"""Most tokens ranked against one another in one request: some seconds of this machine."""
DOUBTFUL = 0.25
"""Per-token trust below which a token does not belong where the map shows it."""
_MOST_LISTED = 1_000


@routes.get("/api/runs/{run}/layouts/{step}/trust", response_model=LayoutTrust, responses=UNCHANGED)
def trust(
    run: str,
    step: Step,
    request: Request,
    house: AHouse,
    method: MethodName = "umap",
    full: bool = False,
) -> Response:
    """Return the trust in the newest layout of a method at or before a step; with `full`, also over all tokens,
    against the matrix of the very step it shows.
    """
    found = house.library.find(run)
    with counting(house, found) as drawn:
        entry = newest_layout(drawn.entries, Method[method.upper()], step)
        if entry is None:
            raise Refused(404, f"there is no {method} layout at or before step {step} yet")
        told = headers(tag(found, "trust", entry.attempt, entry.id, full), lasting=False)
        if done := unchanged(request, told) or anything(request, told):
            return done
        layout = decode_as(drawn.record(entry), Layout)
    return as_json(
        LayoutTrust(
            attempt=entry.attempt,
            step=entry.step,
            method=entry.method.name.lower(),
            estimate=Estimate(
                trust=entry.trust,
                trust_error=entry.trust_error,
                recall=entry.recall,
                sample=layout.sample,
            ),
            full=_in_full(house, found, layout) if full else None,
            doubtful=_doubtful(layout),
        ),
        headers=told,
    )


def _in_full(house: House, run: RunFolder, layout: Layout) -> InFull:
    size = len(layout.coordinates)
    if size > MOST_TOKENS:
        raise Refused(
            422,
            f"trust in full ranks every token against every other: {size:,} are too many, at most "
            f"{MOST_TOKENS:,} are done here; the estimate that is kept with the layout says its own error",
        )
    leave = house.turnstile.enter(LARGE + 3 * BLOCK_BYTES)
    try:
        with house.library.history(run) as history:
            matrix = house.library.matrix(run, history, layout.step, nearest=False)
        found = trust_in_full(matrix.vectors, layout.coordinates)
    finally:
        leave()
    some = math.isfinite(found.trust)
    return InFull(
        trust=found.trust if some else None,
        recall=found.recall if some else None,
        neighbours=found.neighbours,
        tokens=size,
    )


def _doubtful(layout: Layout) -> Doubtful | None:
    if layout.by_token is None:
        return None
    ids = np.flatnonzero(layout.by_token < 255 * DOUBTFUL)
    least = ids[np.argsort(layout.by_token[ids], kind="stable")][:_MOST_LISTED]
    return Doubtful(below=DOUBTFUL, count=len(ids), token_ids=least.tolist())
