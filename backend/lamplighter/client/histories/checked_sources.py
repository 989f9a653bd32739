"""A check of checkpoints where they lie, without making a run of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, SupportsIndex

from lamplighter.client.errors import InputError
from lamplighter.client.histories.history_check import HistoryCheck
from lamplighter.client.histories.open_table import TableOpener
from lamplighter.client.histories.report import HistoryReport
from lamplighter.client.sources.checkpoint_list import collect_checkpoints
from lamplighter.platform.printable import quote_foreign
from lamplighter.runfolder.errors import FormatError


def check_sources(
    sources: Any,
    *,
    steps: Iterable[SupportsIndex] | None = None,
    tensor: str | None = None,
    unread: Mapping[int, str] | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> HistoryReport:
    """Return what is wrong with the checkpoints of one training. A checkpoint that cannot be read is a finding.

    Args:
        sources: as for `series`.
        steps: the step of each of several sources; by default, as for `series`.
        tensor: the name of the matrix, if a source has several.
        unread: why other checkpoints cannot be read, by step.
        progress: called with the share done and a description.

    Raises:
        InputError: there are fewer than two checkpoints, or none that can be read.
    """
    checkpoints = collect_checkpoints(sources, steps)
    check, opener = HistoryCheck(), TableOpener(tensor)
    for step, why in (unread or {}).items():
        check.add_unreadable(step, why)
    reasons: list[str] = []
    for at, (step, source) in enumerate(checkpoints):
        if progress is not None:
            progress(at / len(checkpoints), f"step {step:,}")
        try:
            opened = opener.open(source)
            check.add_table(step, opened.shape, opened.blocks)
            if opened.tokens is not None:
                check.add_tokens(step, opened.tokens.tokens)
        except (InputError, FormatError, OSError) as error:
            reasons.append(quote_foreign(error))
            check.add_unreadable(step, reasons[-1])
    if len(reasons) == len(checkpoints):
        raise InputError(reasons[0])
    return check.report()
