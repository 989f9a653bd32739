"""The words a person types, and the composition root: here the rooms of the house are put together."""

from lamplighter.cli.app import main

__all__ = ["main"]
