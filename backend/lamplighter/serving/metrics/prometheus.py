"""The text format 0.0.4 in which Prometheus reads metrics.

Three kinds of lines and two rules of escaping: not worth a dependency, whose registry is global by default.
"""

from __future__ import annotations

from collections.abc import Iterable

from lamplighter.serving.metrics.counters import MetricReading

PROMETHEUS_MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def prometheus_text(readings: Iterable[MetricReading]) -> str:
    """Return metrics in Prometheus' text format."""
    lines: list[str] = []
    for metric in readings:
        lines.append(f"# HELP {metric.name} {_escape(metric.help)}")
        lines.append(f"# TYPE {metric.name} {metric.kind}")
        for label, value in metric.values.items():
            braces = "" if metric.label is None else f'{{{metric.label}="{_escape(label, quoted=True)}"}}'
            lines.append(f"{metric.name}{braces} {_number(value)}")
    return "".join(f"{line}\n" for line in lines)


def _escape(text: str, *, quoted: bool = False) -> str:
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n")
    return escaped.replace('"', '\\"') if quoted else escaped


def _number(value: float) -> str:
    return repr(float(value)) if value % 1 else str(int(value))
