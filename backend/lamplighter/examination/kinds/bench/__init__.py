"""The kind *bench*: the rows that move under each update rule, their cost, and how little that
matters here.
"""

from __future__ import annotations

from lamplighter.examination.kinds.bench.examination import examine

__all__ = ["examine"]
