"""Schemas of what the server has seen."""

from __future__ import annotations

from typing import Literal

from lamplighter.serving.schemas.base import ApiModel, Items


class MetricSample(ApiModel):
    """One value of a metric."""

    labels: dict[str, str]
    """The labels that tell it from the metric's other values; empty if there is only this one."""
    value: float


class Metric(ApiModel):
    """A metric with its present values."""

    name: str
    kind: Literal["counter", "gauge"]
    """A counter only grows while the server runs; a gauge goes up and down."""
    help: str
    samples: list[MetricSample]


class MetricList(Items[Metric]):
    """All metrics of the server."""
