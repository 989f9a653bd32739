"""The number of connections that the open files of a process allow."""

from __future__ import annotations

from typing import Any

import pytest

from lamplighter.platform import descriptor_limit
from lamplighter.web.connections.limits import ConnectionLimits, fit_limits
from lamplighter.web.settings import SettingsError


@pytest.mark.parametrize(
    ("descriptors", "total"),
    [(128, 32), (256, 160), (1_024, 768), (4_096, 3_072), (16_384, 4_096), (1_000_000, 4_096), (None, 4_096)],
)
def test_connections_leave_files_for_the_rest(descriptors: int | None, total: int) -> None:
    assert fit_limits(descriptors).total == total


@pytest.mark.parametrize("descriptors", [20, 64, 127])
def test_too_few_files_are_refused_with_what_to_do(descriptors: int) -> None:
    with pytest.raises(SettingsError, match=rf"may open {descriptors}, .*ulimit -n 1024"):
        fit_limits(descriptors)


@pytest.mark.parametrize("total", [32, 160, 4_096])
def test_there_are_always_places_for_newcomers_and_for_the_presenter(total: int) -> None:
    limits = ConnectionLimits(total=total)
    assert limits.reserve // 2 >= 4
    assert limits.newcomers >= 8
    assert limits.share + limits.reserve < total


class FakeResource:
    RLIMIT_NOFILE = 7
    RLIM_INFINITY = -1

    def __init__(self, soft: int, hard: int, allowed: int) -> None:
        self.limits = (soft, hard)
        self.allowed = allowed

    def getrlimit(self, _: int) -> tuple[int, int]:
        return self.limits

    def setrlimit(self, _: int, limits: tuple[int, int]) -> None:
        if limits[0] > self.allowed:
            raise ValueError("current limit exceeds maximum limit")
        self.limits = limits


@pytest.mark.parametrize(
    ("soft", "hard", "allowed", "after"),
    [
        (256, 1_000_000, 1_000_000, 16_384),
        (256, 4_096, 4_096, 4_096),
        (256, 256, 256, 256),
        (65_536, 1_000_000, 1_000_000, 65_536),
        (256, -1, 10_240, 8_192),  # macOS
        (256, -1, 256, 256),
        (-1, -1, 0, 16_384),
    ],
)
def test_the_limit_is_raised_as_far_as_the_system_allows(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, allowed: int, after: int
) -> None:
    system: Any = FakeResource(soft, hard, allowed)
    monkeypatch.setattr(descriptor_limit, "resource", system)
    assert descriptor_limit.raise_descriptor_limit() == after
    assert system.limits[1] == hard


def test_a_system_without_such_a_limit_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descriptor_limit, "resource", None)
    assert descriptor_limit.raise_descriptor_limit() is None
    assert fit_limits(None) == ConnectionLimits()
