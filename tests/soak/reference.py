"""The reference for the soak: the same recipe, trained once without disturbance, bit for bit."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamplighter.runfolder.errors import FormatError, is_transient
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.wire.frames import decode_as
from lamplighter.wire.pulse_frames import Pulse
from tests.support.runs import finish, make_run, start_worker


@dataclass(frozen=True)
class ReferenceRun:
    """The digests, pulses and matrices of every step of the undisturbed run."""

    recipe: dict[str, Any]
    """The keyword arguments of `make_run`: every run of the soak has this recipe."""
    digests: dict[int, bytes]
    pulses: dict[int, bytes]
    """Digests of the pulses' contents, without times and attempt, by step."""
    matrices: NDArray[np.float32]
    """Shape (steps + 1, V, D)."""

    @property
    def steps(self) -> int:
        """Return the last step."""
        return len(self.matrices) - 1


def train_reference(folder: Path, recipe: dict[str, Any]) -> ReferenceRun:
    """Train the recipe undisturbed. Returns the reference."""
    run = make_run(folder, **recipe)
    assert finish(start_worker(run), timeout=300) == 0
    with MatrixHistory(run) as history:
        last = history.steps.newest_step()[1]
        return ReferenceRun(
            recipe,
            history.steps.digests(1, last),
            {step: content_digest(decode_as(record, Pulse)) for step, record in pulses_of(history, last)},
            np.stack([snapshot.vectors for snapshot in history.snapshots(0, last)]),
        )


def pulses_of(history: MatrixHistory, last: int) -> list[tuple[int, bytes]]:
    """Return every pulse that counts up to a step, as (step, record)."""
    return [
        pulse
        for first in range(1, last + 1, 200)
        for pulse in history.steps.pulses(first, min(last, first + 199), limit=200)
    ]


def content_digest(pulse: Pulse) -> bytes:
    """Return a digest of the fields that are the same whenever the step is computed."""
    digest = hashlib.sha256(np.array([pulse.step, pulse.vocabulary, pulse.verified]).tobytes())
    for values in (
        np.array([pulse.loss, pulse.learning_rate]),
        pulse.batch_ids,
        pulse.batch_counts,
        pulse.gradient_ids,
        pulse.gradient_norms,
        pulse.moved_ids,
        pulse.moved_distances,
        pulse.layer_norms,
    ):
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.digest()


def newest_step(run: RunFolder) -> int:
    """Return the newest step of a run; 0 if it has none or is just being created."""
    try:
        with MatrixHistory(run) as history:
            return history.steps.newest_step()[1]
    except FileNotFoundError:
        return 0
    except FormatError as error:
        if is_transient(error):
            return 0
        raise


def phase_of(run: RunFolder) -> str:
    """Return the phase of a run; empty if it is unreadable at the moment."""
    try:
        return read_status(run).phase
    except FormatError as error:
        if is_transient(error):
            return ""
        raise
