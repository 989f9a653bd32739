"""The process group of a watcher: its own connections on the processor's side, so that nothing is ordered against the loop's
collectives, and the loop's later groups keep their numbers."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import torch
from torch import distributed as dist

from lamplighter.client.errors import InputError
from lamplighter.client.recording.record_warnings import print_notice
from lamplighter.client.sharding.owned_part import OwnedPart, check_parts
from lamplighter.client.sharding.step_part import HEADER_BYTES, Bytes, Header

PATIENCE = 120.0
"""Seconds that a process waits for the others at the beginning, and at a step."""
_NOTICE = 5.0
_OPERATION = timedelta(hours=2)
"""Longer than any wait of a recorder for the others, which ends it with a better message."""
_ANSWER = 600.0
"""Seconds that a collective takes at most, except the one for headers, before which a loop may do other work. The record is
locked in the others, so a process that never answers would keep the loop of the first from ending."""
_MAX_TEXT = 4_000
_meetings = 0


class MissingProcessError(Exception):
    """Another process did not come, or has gone."""


class Meeting:
    """The agreement of all processes before the first step, by the key-value store of their group.

    Each says what it watches, or why it cannot, so that either all watch or none does. Raises InputError if
    there is no store.
    """

    def __init__(self, rank: int, size: int) -> None:
        global _meetings
        _meetings += 1
        self.rank, self.size = rank, size
        try:
            store = dist.distributed_c10d._get_default_store()  # pyright: ignore[reportPrivateUsage]
            self._store = dist.PrefixStore(  # pyright: ignore[reportPrivateImportUsage]
                f"lamplighter/{_meetings}", store
            )
        except (AttributeError, RuntimeError, TypeError, ValueError) as error:
            raise InputError(f"these processes have no store by which they could agree ({error})") from error
        self._told = False

    def tell(self, facts: Mapping[str, Any]) -> None:
        if not self._told:
            self._told = True
            self._store.set(f"watch/{self.rank}", json.dumps(facts))

    def refuse(self, why: str) -> None:
        """Say why this process cannot watch, unless it has agreed."""
        self.tell({"refused": why[:_MAX_TEXT]})

    def agree(
        self, facts: Mapping[str, Any], part: OwnedPart, held: OwnedPart, shape: tuple[int, int]
    ) -> tuple[list[OwnedPart], list[OwnedPart]]:
        """Compare what the processes watch: `facts` must be the same in all. Return what each owns, and what
        each has, if only as a copy.

        Raises InputError if one cannot watch or they do not agree, and MissingProcessError.
        """
        self.tell({"facts": facts, "part": astuple(part), "held": astuple(held)})
        said = self._hear()
        for rank, other in enumerate(said):
            differing = [
                name for name, value in said[0]["facts"].items() if other["facts"].get(name) != value
            ]
            if differing:
                name = differing[0]
                raise InputError(
                    f"the processes must watch alike: {name} is {said[0]['facts'][name]!r} in process 0 and"
                    f" {other['facts'].get(name)!r} in process {rank}"
                )
        parts = [OwnedPart(*one["part"]) for one in said]
        check_parts(parts, *shape)
        return parts, [OwnedPart(*one["held"]) for one in said]

    def _hear(self) -> list[dict[str, Any]]:
        self._wait([f"watch/{rank}" for rank in range(self.size)])
        said = [json.loads(self._store.get(f"watch/{rank}")) for rank in range(self.size)]
        for rank, facts in enumerate(said):
            if "refused" in facts and rank != self.rank:
                raise InputError(f"process {rank} of {self.size} cannot be watched: {facts['refused']}")
        return said

    def _wait(self, keys: list[str]) -> None:
        for seconds in (_NOTICE, PATIENCE - _NOTICE):
            try:
                self._store.wait(keys, timedelta(seconds=seconds))
                return
            except RuntimeError:
                if seconds == _NOTICE:
                    print_notice("waits for the other processes to call watch")
        raise MissingProcessError(
            f"after {PATIENCE:.0f} s not all of {self.size} processes have called watch: call it in each of them, or with"
            " alone=True if this one trains by itself"
        )

    def connect(self) -> WatchGroup:
        """Return the group of all processes. Each must call this."""
        try:
            connections = dist.ProcessGroupGloo(
                self._store, self.rank, self.size, timedelta(seconds=PATIENCE)
            )
            connections._set_default_timeout(_OPERATION)  # pyright: ignore[reportPrivateUsage]
        except RuntimeError as error:
            raise MissingProcessError(f"the processes cannot be connected: {error}") from error
        return WatchGroup(connections, self.rank, self.size)


@dataclass
class Traffic:
    """Bytes that are sent for the record, by kind."""

    headers: int = 0
    parts: int = 0
    words: int = 0
    rows: int = 0
    """Of whole rows, for the first matrix and for snapshots."""


class WatchGroup:
    """The collectives of a watcher. Each is called by all processes in the same order, from one thread.

    Waiting is a loop of short sleeps, not inside the library, so that a thread that waits never keeps a program from
    ending.
    """

    def __init__(self, connections: Any, rank: int, size: int) -> None:
        self._connections: Any = connections
        self.rank, self.size = rank, size
        self.traffic = Traffic()
        """Bytes that all processes have sent, counted once for each process that receives them. They are the sizes of the tensors in
        this process's collectives; for parts and rows only process 0 has them all."""

    def share_headers(self, header: Header) -> list[Header]:
        own = torch.from_numpy(header.encode().copy())
        all_of_them = torch.empty(self.size * HEADER_BYTES, dtype=torch.uint8)
        self._finish(lambda: self._connections._allgather_base(all_of_them, own), patient=True)
        self.traffic.headers += all_of_them.nbytes * (self.size - 1)
        packed = all_of_them.numpy().tobytes()
        return [Header.decode(packed[at : at + HEADER_BYTES]) for at in range(0, len(packed), HEADER_BYTES)]

    def collect(self, own: Bytes, sizes: Sequence[int], kind: str) -> list[Bytes]:
        """Send bytes to the first process, and return those of each there, nothing in the others. `sizes`:
        the number of bytes of each process; `kind`: as what they are counted, a field of `Traffic`."""
        first = self.rank == 0
        sends, receives = [0] * self.size, [0] * self.size
        if first:
            receives[1:] = sizes[1:]
        else:
            sends[0] = len(own)
        if sum(sizes[1:]):
            source = torch.from_numpy(own if own.flags.writeable else own.copy())
            source = torch.empty(0, dtype=torch.uint8) if first else source
            target = torch.empty(sum(receives), dtype=torch.uint8)
            self._finish(lambda: self._connections.alltoall_base(target, source, receives, sends))
            setattr(self.traffic, kind, getattr(self.traffic, kind) + target.nbytes)
            if first:
                return [own, *(one.numpy() for one in target.split(receives[1:]))]
        return [own, *(np.empty(0, np.uint8) for _ in sizes[1:])] if first else []

    def share_number(self, number: int) -> list[int]:
        numbers = torch.empty(self.size, dtype=torch.int64)
        own = torch.tensor([number])
        self._finish(lambda: self._connections._allgather_base(numbers, own))
        self.traffic.words += numbers.nbytes * (self.size - 1)
        return numbers.tolist()

    def say(self, word: int) -> int:
        """Return the word of the first process; those of the others are not sent."""
        told = torch.tensor([word])
        options = dist.BroadcastOptions()
        options.rootRank = 0
        self._finish(lambda: self._connections.broadcast([told], options))
        self.traffic.words += told.nbytes * (self.size - 1)
        return int(told)

    def close(self) -> None:
        self._connections = None

    def _finish(self, begin: Callable[[], Any], *, patient: bool = False) -> None:
        if self._connections is None:
            raise MissingProcessError("the group of the record is closed")
        try:
            work, end = begin(), time.monotonic() + (math.inf if patient else _ANSWER)
            pause = 0.0001
            while not work.is_completed():
                if time.monotonic() > end:
                    raise MissingProcessError(f"another process has not answered for {_ANSWER:.0f} s")
                time.sleep(pause)
                pause = min(2 * pause, 0.005)
            work.wait()
        except RuntimeError as error:
            raise MissingProcessError(f"another process has gone ({str(error)[:200]})") from error
