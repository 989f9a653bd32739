"""The counters of a server, for its presenter: as JSON, and as Prometheus reads it."""

from __future__ import annotations

from starlette.responses import Response

from lamplighter.serving.capacity.thread_pools import Pool
from lamplighter.serving.http.response_cost import Pricing
from lamplighter.serving.http.route_table import Access, Routes
from lamplighter.serving.metrics.prometheus import PROMETHEUS_MEDIA_TYPE, prometheus_text
from lamplighter.serving.schemas.base import json_response
from lamplighter.serving.schemas.metrics import Metric, MetricList, MetricSample
from lamplighter.serving.services import ServicesDep

routes = Routes("session")


@routes.get(
    "/api/metrics",
    polled=True,
    pool=Pool.NONE,
    pricing=Pricing.FIXED,
    access=Access.PRESENT,
    response_model=MetricList,
)
async def get_metrics(services: ServicesDep) -> Response:
    """Return the server's counters: answers, refusals, viewers, the lag of its event loop, descriptors, bytes."""
    metrics = [
        Metric(
            name=found.name,
            kind=found.kind,
            help=found.help,
            samples=[
                MetricSample(labels={} if found.label is None else {found.label: label}, value=value)
                for label, value in found.values.items()
            ],
        )
        for found in services.instruments.counters.read_all()
    ]
    return json_response(MetricList(items=metrics))


@routes.get(
    "/metrics",
    polled=True,
    pool=Pool.NONE,
    pricing=Pricing.FIXED,
    access=Access.PRESENT,
    include_in_schema=False,
)
async def get_prometheus_metrics(services: ServicesDep) -> Response:
    """Return the same in Prometheus' text format."""
    text = prometheus_text(services.instruments.counters.read_all())
    return Response(text, media_type=PROMETHEUS_MEDIA_TYPE)
