"""The errors of a file of a run that is damaged, or a stranger's: what it would have said is left out."""

from __future__ import annotations

from lamplighter.runfolder.errors import READ_ERRORS

UNREADABLE = (*READ_ERRORS, LookupError, ValueError, TypeError, ArithmeticError, RecursionError)
