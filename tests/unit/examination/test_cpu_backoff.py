"""The examiner's pauses during training: just enough to keep the steps nearly as fast as before."""

from __future__ import annotations

from lamplighter.examination.examiner import CpuBackoff

USUAL = 0.04
PIECE = 0.05
"""Seconds of work between two pauses."""


class Machine:
    """A machine on which work beside the training slows its steps."""

    def __init__(self, slower: float, training: bool = True) -> None:
        self.now, self.step, self.slower, self.training = 100.0, 500, slower, training
        self.working = 0.0
        """The share of the last second spent on work."""

    def clock(self) -> float:
        return self.now

    def read(self) -> tuple[int, list[float]]:
        return self.step, [USUAL * (1 + (self.slower - 1) * self.working)] * 24

    def examine(self, backoff: CpuBackoff, seconds: float) -> float:
        """Return the share of pauses in the second half of `seconds` of work, pauses included."""
        backoff.begin_work()
        paused, begun = 0.0, self.now
        while self.now < begun + seconds:
            self.now += PIECE
            pause = backoff.pause()
            self.working = PIECE / (PIECE + pause)
            if self.now > begun + seconds / 2:
                paused += pause
            self.now += pause
            self.step += self.training
        return paused / (seconds / 2)


def test_without_a_slowdown_there_are_no_pauses() -> None:
    machine = Machine(slower=1.05)
    assert machine.examine(CpuBackoff(machine.read, machine.clock), 20) == 0


def test_steps_that_would_be_half_slower_stay_nearly_as_fast() -> None:
    machine = Machine(slower=1.5)
    share = machine.examine(CpuBackoff(machine.read, machine.clock), 60)
    assert 0.6 < share < 0.9
    assert 1 + 0.5 * (1 - share) < 1.2


def test_an_idle_run_causes_no_pauses() -> None:
    machine = Machine(slower=1.5, training=False)
    assert machine.examine(CpuBackoff(machine.read, machine.clock), 20) == 0


def test_the_usual_duration_is_measured_again_after_an_idle_while() -> None:
    machine = Machine(slower=1.5)
    backoff = CpuBackoff(machine.read, machine.clock)
    machine.examine(backoff, 30)
    machine.now, machine.working, machine.slower = machine.now + 60, 0.0, 1.0
    assert machine.examine(backoff, 60) == 0


def test_without_a_record_there_are_no_pauses() -> None:
    machine = Machine(slower=2)
    assert machine.examine(CpuBackoff(lambda: (0, []), machine.clock), 10) == 0
