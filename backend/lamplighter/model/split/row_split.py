"""How the rows of a matrix, or the sequences of a batch, are split between processes: in runs of equal length."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RowSplit:
    """A split of things in a row, such that process r has those from `starts[r]` to `starts[r + 1]`."""

    starts: tuple[int, ...]

    @classmethod
    def evenly(cls, things: int, processes: int) -> RowSplit:
        """Split so that no process has two more than another; none is without if there are enough. Raises
        ValueError if there are fewer things than processes.
        """
        if not 1 <= processes <= things:
            raise ValueError(f"{things} cannot be split between {processes} processes")
        return cls(tuple(things * rank // processes for rank in range(processes + 1)))

    @property
    def sizes(self) -> list[int]:
        return [end - start for start, end in zip(self.starts, self.starts[1:], strict=False)]

    def of(self, rank: int) -> slice:
        return slice(self.starts[rank], self.starts[rank + 1])

    def owners(self) -> list[tuple[int, int]]:
        """Return `(offset, rows)` of each process."""
        return list(zip(self.starts, self.sizes, strict=False))
