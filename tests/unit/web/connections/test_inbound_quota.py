"""Frames and bytes that a viewer may send."""

from __future__ import annotations

from lamplighter.web.connections.inbound_quota import InboundQuota


def test_frames_and_bytes_are_counted_in_spans() -> None:
    now = [100.0]
    quota = InboundQuota(3, 50, 10.0, clock=lambda: now[0])
    assert [quota.allows_frame() for _ in range(4)] == [True, True, True, False]
    assert [quota.allows_bytes(25) for _ in range(3)] == [True, True, False]
    now[0] += 9.9
    assert not quota.allows_frame()
    now[0] += 0.1
    assert [quota.allows_frame() for _ in range(4)] == [True, True, True, False]
    assert quota.allows_bytes(50)
    assert not quota.allows_bytes(1)
