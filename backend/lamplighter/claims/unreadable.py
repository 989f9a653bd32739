"""Errors of run files that are damaged or untrusted: what they hold is left out."""

from __future__ import annotations

from lamplighter.runfolder.errors import READ_ERRORS

UNREADABLE = (*READ_ERRORS, LookupError, ValueError, TypeError, ArithmeticError, RecursionError)
