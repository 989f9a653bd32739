"""The kind *acquisition*: when each word was learned, forgotten words, and what foretells the age."""

from __future__ import annotations

from lamplighter.examination.kinds.acquisition.examination import examine

__all__ = ["examine"]
