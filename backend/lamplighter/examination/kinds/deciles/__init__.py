"""The kind *deciles*: the loss on frequent and rare words, and which optimiser learns the rare ones."""

from __future__ import annotations

from lamplighter.examination.kinds.deciles.examination import examine

__all__ = ["examine"]
