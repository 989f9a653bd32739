"""The command line, and the composition root that wires the packages together."""

from lamplighter.cli.app import main

__all__ = ["main"]
