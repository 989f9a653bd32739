"""The lag of the event loop."""

from __future__ import annotations

import asyncio
import time

import pytest

from lamplighter.serving.metrics.loop_lag import LoopLag


def test_quantiles_of_the_last_minute() -> None:
    lag = LoopLag(interval=1.0, window=60.0)
    assert lag.quantiles() is None
    for second in range(1_000):
        lag.note_lag(float(second), 5.0 if second < 900 else (second - 939) / 1_000)
    assert lag.quantiles() == pytest.approx({"0.5": 0.03, "0.99": 0.06, "1": 0.06})


def test_a_loop_that_stood_still_forgets_what_is_older() -> None:
    lag = LoopLag(interval=1.0, window=60.0)
    lag.note_lag(1.0, 4.0)
    lag.note_lag(100.0, -0.001)
    assert lag.quantiles() == {"0.5": 0.0, "0.99": 0.0, "1": 0.0}


@pytest.mark.anyio
async def test_a_blocked_loop_shows() -> None:
    lag = LoopLag(interval=0.01)
    measuring = asyncio.create_task(lag.measure_forever())
    await asyncio.sleep(0.03)
    time.sleep(0.2)  # noqa: ASYNC251  (blocks the loop on purpose)
    await asyncio.sleep(0.03)
    measuring.cancel()
    found = lag.quantiles()
    assert found is not None
    assert found["1"] >= 0.15
