"""Process 0 keeps in the run's folder what the processes of a watched loop send each other for its record."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

from lamplighter.client.sharding.own_time import own_seconds
from lamplighter.client.sharding.owned_part import OwnedPart
from lamplighter.client.sharding.step_part import Header
from lamplighter.client.sharding.watch_group import Traffic
from lamplighter.runfolder.tables.exchanges import MAX_PROCESSES, Exchange, ExchangesWriter, WatchedSplit
from lamplighter.runfolder.writing.failed_write import WRITE_ERRORS

_PATIENCE = 0.25
"""Seconds that a write waits for readers of a file without a WAL."""
_SEALING_SECONDS = 1.0


class KeptExchanges:
    """The rows of `exchanges.sqlite`. A row that cannot be written is left out; of more than `MAX_PROCESSES` there are none."""

    def __init__(self, held: Sequence[OwnedPart]) -> None:
        """Prepare to write; the file appears with the first step.

        Args:
            held: what each process has of the table.
        """
        self._held = held
        self._writer: ExchangesWriter | None = None
        self._is_told = False
        self._before = Traffic()
        self._asked, self._snapshots = [0] * len(held), 0

    def note_rows(self, sizes: Sequence[int]) -> None:
        """Note that rows of a snapshot were collected.

        Args:
            sizes: the bytes of each process's.
        """
        self._snapshots += 1
        for rank, (size, part) in enumerate(zip(sizes, self._held, strict=True)):
            # Those of the first process stay there.
            self._asked[rank] += size // (4 * (part.columns + 1)) if rank else 0

    def add_step(
        self, path: Path, attempt: int, step: int, headers: Sequence[Header], numbers: int, traffic: Traffic
    ) -> None:
        """Add what was sent since the step before.

        Args:
            path: of the file.
            attempt: the attempt of the run.
            step: its number in the record.
            headers: the headers of all processes.
            numbers: how many numbers of moved rows were sent.
            traffic: the bytes of all processes so far.
        """
        if len(headers) > MAX_PROCESSES:
            # A reader would refuse so long a row, and the run with it.
            return
        others = headers[1:]
        sent = {kind: size - getattr(self._before, kind) for kind, size in asdict(traffic).items()}
        worked = tuple(round(one, 6) for one in own_seconds([header.own for header in headers]))
        exchange = Exchange(
            sent,
            read=tuple(one.ids for one in headers),
            asked=tuple(self._asked),
            recorded=(sum(max(one.gradients, 0) for one in others), sum(one.moved for one in others)),
            worked=worked,
            waited=tuple(round(max(worked) - own, 6) for own in worked),
            sent=(numbers, sum(one.top_losses for one in others), self._snapshots),
        )
        self._before = replace(traffic)
        self._asked, self._snapshots = [0] * len(headers), 0
        with suppress(*WRITE_ERRORS):
            if self._writer is None:
                self._writer = ExchangesWriter(path)
                self._writer.set_patience(_PATIENCE)
            with self._writer.transaction():
                if not self._is_told:
                    parts = tuple((one.offset, one.rows, one.first_column, one.columns) for one in self._held)
                    self._writer.begin_split(attempt, step, WatchedSplit(parts))
                self._writer.add_exchange(attempt, step, exchange)
            self._is_told = True

    def close(self) -> None:
        """Close the file, while this process still holds the role that allows it to write. Safe to call again."""
        writer, self._writer = self._writer, None
        if writer is None:
            return
        with suppress(*WRITE_ERRORS):
            writer.close(sealed=True, patience=_SEALING_SECONDS)
