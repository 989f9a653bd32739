"""The log of training energy, read between steps and committed with them.

It includes observing and recording, and pauses while the trainer waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import torch

from lamplighter.platform.energy.energy_meter import open_meter
from lamplighter.platform.energy.energy_method import stated_watts
from lamplighter.runfolder.reading.spent_energy import read_run_energy
from lamplighter.runfolder.tables.energy import METHOD_FACT, encode_energy, join_method
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.writing.free_space import DISK_FULL_ERRORS
from lamplighter.training.control import RunControl

EVERY_STEPS = 25
EVERY_SECONDS = 10.0
"""Maximum time between readings: shorter than the overflow of any counter, and a page waits no longer for a number."""


class EnergyLog:
    """The energy log of one trainer."""

    def __init__(
        self,
        keyframe_every: int,
        control: RunControl,
        writer: StepsWriter,
        reader: StepsReader,
        device: torch.device,
        processor_seconds: Callable[[], float] = time.process_time,
    ) -> None:
        """Open the best available meter, paused, and record its method. Raises WattsError if the environment
        states impossible watts.
        """
        self._keyframe_every, self._control, self._writer = keyframe_every, control, writer
        before = read_run_energy(reader)
        self._meter = open_meter(
            stated_watts(),
            _card_name(device),
            before and before.spent,
            processor_seconds=processor_seconds,
        )
        self._read_at = time.monotonic()
        fact = join_method(reader.facts().get(METHOD_FACT), self._meter.method, reader.newest_step()[1])
        writer.set_facts({METHOD_FACT: fact})

    def pause(self) -> None:
        self._meter.pause()

    def resume(self) -> None:
        self._meter.resume()

    def count_step(self) -> None:
        """Count a computed step, recomputed steps included."""
        self._meter.count_step()

    def read_due(self, step: int) -> str | None:
        """Return the encoded energy up to the step about to be committed; None if no reading is due."""
        now = time.monotonic()
        if not (
            step % EVERY_STEPS == 0
            or step % self._keyframe_every == 0
            or step == self._control.end
            or now - self._read_at >= EVERY_SECONDS
        ):
            return None
        self._read_at = now
        return encode_energy(self._meter.spent())

    def commit_sum(self, step: int) -> None:
        """Commit the energy up to a committed step. Raises one of `DISK_FULL_ERRORS` if the disk is full."""
        self._writer.set_energy(step, encode_energy(self._meter.spent()))

    def try_commit_sum(self, step: int) -> None:
        """Commit the energy up to a committed step, unless the disk is full."""
        with suppress(*DISK_FULL_ERRORS):
            self.commit_sum(step)


def _card_name(device: torch.device) -> str | None:
    """Return the driver's name of an NVIDIA card; empty for another card, None for a CPU."""
    if device.type == "cpu":
        return None
    # ROCm devices are called cuda, too.
    if device.type != "cuda" or torch.version.hip:
        return ""
    return f"GPU-{torch.cuda.get_device_properties(device).uuid}"
