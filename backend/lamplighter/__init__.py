"""Lamplighter: watch a language model learn."""

__version__ = "0.1.0"
