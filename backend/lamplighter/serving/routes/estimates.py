"""Estimates of a run's disk usage, before the run is created."""

from __future__ import annotations

from starlette.responses import Response

from lamplighter.runfolder.writing.size_estimate import estimate_size
from lamplighter.serving.schemas.base import json_response
from lamplighter.serving.schemas.runs import EstimateRequest, SizeEstimateResponse
from lamplighter.web.http.response_cost import Pricing
from lamplighter.web.http.route_table import Routes

routes = Routes("runs")


@routes.post("/api/estimates", pricing=Pricing.FIXED, response_model=SizeEstimateResponse)
def estimate_run_size(body: EstimateRequest) -> Response:
    """Return the expected disk usage of a run with a recipe. Creates nothing."""
    return json_response(
        SizeEstimateResponse.model_validate(estimate_size(body.recipe, None, body.text_bytes).as_dict())
    )
