"""The register of counters. Whoever counts keeps plain numbers; here they get a name, and are read when somebody asks."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

MetricKind = Literal["counter", "gauge"]
MetricSource = Callable[[], float | Mapping[str, float] | None]
"""A function that returns a number, numbers by label, or None where this machine has no such number. It must not block:
it is called on the event loop."""

PREFIX = "lamplighter_"
_NAME = re.compile(r"[a-z][a-z0-9_]*[a-z0-9]")


@dataclass(frozen=True)
class MetricReading:
    """A metric with its present values."""

    name: str
    kind: MetricKind
    help: str
    label: str | None
    """The name of the label that tells the values apart; None for a metric of a single value."""
    values: Mapping[str, float]
    """The values by label; the label is empty for a metric of a single value."""


@dataclass(frozen=True)
class _Metric:
    name: str
    kind: MetricKind
    help: str
    label: str | None
    read: MetricSource


class Counters:
    """The metrics of one server, in the order in which they were added."""

    def __init__(self) -> None:
        """Start without any."""
        self._metrics: dict[str, _Metric] = {}

    def add_counter(self, name: str, help: str, read: MetricSource, *, label: str | None = None) -> None:
        """Add a metric that only grows while the server runs; `_total` is put behind its name."""
        self._add(_Metric(f"{PREFIX}{name}_total", "counter", help, label, read))

    def add_gauge(self, name: str, help: str, read: MetricSource, *, label: str | None = None) -> None:
        """Add a metric that goes up and down.

        Args:
            name: lower-case words with underscores, the unit last.
            help: one sentence.
            read: returns the present value, or the values by label.
            label: the name of the label, if `read` returns values by label.
        """
        self._add(_Metric(f"{PREFIX}{name}", "gauge", help, label, read))

    def read_all(self) -> list[MetricReading]:
        """Return every metric that has a value now."""
        found: list[MetricReading] = []
        for metric in self._metrics.values():
            value = metric.read()
            if value is None:
                continue
            values = dict(value) if isinstance(value, Mapping) else {"": value}
            found.append(MetricReading(metric.name, metric.kind, metric.help, metric.label, values))
        return found

    def _add(self, metric: _Metric) -> None:
        if not _NAME.fullmatch(metric.name) or metric.name in self._metrics:
            raise ValueError(f"{metric.name!r} is no name for a metric, or has been added already")
        self._metrics[metric.name] = metric
