"""The kind *bench*: which rows move under which rule of updating, what that costs, and how little it matters here."""

from __future__ import annotations

from lamplighter.examination.kinds.bench.examination import examine

__all__ = ["examine"]
