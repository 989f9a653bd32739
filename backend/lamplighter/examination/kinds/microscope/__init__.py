"""The microscope: one training step computed again, from its text to the update of one number."""

from lamplighter.examination.kinds.microscope.one_step import examine

__all__ = ["examine"]
