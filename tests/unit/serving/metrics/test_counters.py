"""The register of counters, and Prometheus' text format."""

from __future__ import annotations

import re

import pytest

from lamplighter.serving.metrics.counters import Counters
from lamplighter.serving.metrics.prometheus import prometheus_text

LABEL = r'\{[a-z_]+="(?:[^"\\\n]|\\\\|\\"|\\n)*"\}'
LINE = re.compile(
    rf"# HELP (?P<help>[a-z_]+) (?:[^\\\n]|\\\\|\\n)*|# TYPE (?P<type>[a-z_]+) (?:counter|gauge)"
    rf"|(?P<sample>[a-z_]+)(?:{LABEL})? -?\d+(?:\.\d+)?(?:e[+-]?\d+)?"
)
"""A line of the format 0.0.4, as far as we write it."""


def require_format(text: str) -> None:
    """Raise AssertionError if a text is not in Prometheus' format, or a metric comes twice or without its type."""
    assert text.endswith("\n")
    typed: list[str] = []
    for line in text[:-1].split("\n"):
        found = LINE.fullmatch(line)
        assert found, line
        if found["type"]:
            typed.append(found["type"])
        if found["sample"]:
            assert found["sample"] == typed[-1]
    assert len(typed) == len(set(typed))


def test_a_source_is_one_line_and_read_when_asked() -> None:
    counters, seen = Counters(), {"a": 1}
    counters.add_counter("lamps", "Lamps lit.", lambda: seen["a"])
    counters.add_gauge("places", "Places.", lambda: seen, label="which")
    seen["a"] = 3
    assert [(m.name, m.kind, m.values) for m in counters.read_all()] == [
        ("lamplighter_lamps_total", "counter", {"": 3}),
        ("lamplighter_places", "gauge", {"a": 3}),
    ]


def test_what_this_machine_does_not_know_is_left_out() -> None:
    counters = Counters()
    counters.add_gauge("descriptors", "None here.", lambda: None)
    assert counters.read_all() == []


def test_a_name_is_used_once_and_is_one() -> None:
    counters = Counters()
    counters.add_gauge("lamps", "Lamps.", lambda: 1)
    for name in ("lamps", "Lamps", "lamps-lit", "", "lamps lit"):
        with pytest.raises(ValueError, match="no name"):
            counters.add_gauge(name, "Lamps.", lambda: 1)


def test_prometheus_text() -> None:
    counters = Counters()
    counters.add_counter("lamps", "Lamps \\ lit,\nall of them.", lambda: 3)
    counters.add_gauge("lag_seconds", "Lag.", lambda: {"0.5": 0.00025, 'a"b\\c\nd': 2.0}, label="quantile")
    text = prometheus_text(counters.read_all())
    assert text == (
        "# HELP lamplighter_lamps_total Lamps \\\\ lit,\\nall of them.\n"
        "# TYPE lamplighter_lamps_total counter\n"
        "lamplighter_lamps_total 3\n"
        "# HELP lamplighter_lag_seconds Lag.\n"
        "# TYPE lamplighter_lag_seconds gauge\n"
        'lamplighter_lag_seconds{quantile="0.5"} 0.00025\n'
        'lamplighter_lag_seconds{quantile="a\\"b\\\\c\\nd"} 2\n'
    )
    require_format(text)
