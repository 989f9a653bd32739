"""The pace of a request body: a least rate at every moment, and one on average in proportion to its length."""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import cast

import pytest

from lamplighter.web.connections.http_protocol import RequestClock
from lamplighter.web.connections.limits import ConnectionLimits

LIMITS = ConnectionLimits(body_seconds=10, body_rate=1_000, whole_body_seconds=100, fair_body_rate=50_000)


class Alarms:
    """An event loop that is only a clock."""

    def __init__(self) -> None:
        self.ring: Callable[[], None] = lambda: None

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Alarms:
        assert seconds == LIMITS.body_seconds
        self.ring = callback
        return self

    def cancel(self) -> None:
        self.ring = lambda: None


@pytest.mark.parametrize(
    ("declared", "came", "ended"),
    [
        (20_000, [10_000, 10_000], 0),
        (20_000, [9_999], 1),
        (1_000_000, [99_999], 1),
        (1_000_000, [300_000, 10_000, 10_000, 79_999], 4),
        (1_000_000, [300_000, 10_000, 10_000, 80_000], 0),
        (1_000_000, [300_000, 9_999], 2),
        (1_000_000_000, [500_000, 500_000], 0),
        (1_000_000_000, [500_000, 499_999], 2),
        (None, [500_000, 499_999], 2),
    ],
)
def test_paces(declared: int | None, came: list[int], ended: int) -> None:
    alarms, slow, windows = Alarms(), list[int](), 0
    clock = RequestClock(
        cast(AbstractEventLoop, alarms),
        LIMITS,
        on_late_head=lambda: None,
        on_slow_body=lambda: slow.append(windows),
        may_wait=lambda: False,
    )
    clock.expect_body(declared)
    for count in came:
        windows += 1
        clock.add_body_bytes(count)
        alarms.ring()
    assert slow == ([ended] if ended else [])


def test_while_this_server_does_not_read_the_clock_stands_still() -> None:
    alarms, slow = Alarms(), list[int]()
    clock = RequestClock(
        cast(AbstractEventLoop, alarms),
        LIMITS,
        on_late_head=lambda: None,
        on_slow_body=lambda: slow.append(1),
        may_wait=lambda: False,
    )
    clock.expect_body(1_000_000)
    for _ in range(5):
        clock.excuse()
        alarms.ring()
    clock.add_body_bytes(100_000)
    alarms.ring()
    assert not slow
