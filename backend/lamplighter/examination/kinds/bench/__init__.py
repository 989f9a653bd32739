"""The kind *bench*: the rows that move under each update rule, and their cost."""

from __future__ import annotations

from lamplighter.examination.kinds.bench.examination import examine

__all__ = ["examine"]
