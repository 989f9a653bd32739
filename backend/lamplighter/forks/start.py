"""The folder `start/` of a fork: all that its trainer needs to compute the step of the parent that is its step 0.

It has the form of a run folder: recipe, corpus, one kept state in `checkpoints/`, and the layout that the map begins
with. `record.json` has the rates and digests of the steps after the kept state. The trainer removes it once the fork has a
checkpoint of its own.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.run_folder import RunFolder, write_atomically

_RECORD = "record.json"
CORPUS_FILES = ("corpus.npy", "corpus.json", "tokeniser.json", "held-out.npy", "vocabulary.json")
"""The files of a corpus, the last one last: with it the corpus is complete."""


@dataclass(frozen=True)
class ReplayedStep:
    """A step of the parent that the fork computes again."""

    step: int
    learning_rate: float
    digest: bytes | None
    """The recorded digest; None if it is not kept."""


def start_of(fork: RunFolder) -> RunFolder:
    """Return the folder of a fork's start in the form of a run folder. It is gone once the fork has begun."""
    return RunFolder(fork.start_path)


def write_steps(start: RunFolder, steps: list[ReplayedStep]) -> None:
    rows = [(one.step, one.learning_rate, one.digest and one.digest.hex()) for one in steps]
    write_atomically(start.path / _RECORD, json.dumps(rows))


def read_steps(start: RunFolder) -> list[ReplayedStep]:
    """Return the steps to compute again, in order, or raise FormatError."""
    try:
        rows: list[Any] = json.loads((start.path / _RECORD).read_text(encoding="utf-8"))
        return [
            ReplayedStep(int(step), float(rate), None if digest is None else bytes.fromhex(digest))
            for step, rate, digest in rows
        ]
    except (OSError, ValueError, TypeError) as error:
        raise FormatError(f"start/{_RECORD}: the steps before the fork cannot be read: {error}") from error
