"""Estimates of a run's disk usage, before the run is created."""

from __future__ import annotations

from starlette.responses import Response

from lamplighter.runfolder.writing.size_estimate import estimate_size
from lamplighter.serving.http.route_table import Routes
from lamplighter.serving.schemas.base import as_json
from lamplighter.serving.schemas.runs import Estimate, WouldBe

routes = Routes("estimates")


@routes.post("/api/estimates", response_model=Estimate)
def estimate(asked: WouldBe) -> Response:
    """Return the expected disk usage of a run with a recipe. Creates nothing."""
    return as_json(Estimate.model_validate(estimate_size(asked.recipe, None, asked.text_bytes).as_dict()))
