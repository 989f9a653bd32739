"""The CPU counters, on a tree of files like the kernel's."""

from __future__ import annotations

from pathlib import Path

import pytest

from lamplighter.platform.energy.energy_meter import RaplCounter
from lamplighter.platform.energy.energy_method import NoCounterError
from tests.support.machine.rapl_zones import RANGE, zone


def test_adds_up_packages_once(tmp_path: Path) -> None:
    zone(tmp_path, "intel-rapl:0", "package-0", 1_000_000)
    second = zone(tmp_path, "intel-rapl:1", "package-1", 2_000_000)
    for number, name in enumerate(("core", "uncore", "dram")):
        zone(tmp_path, f"intel-rapl:0:{number}", name, 500_000)
    zone(tmp_path, "intel-rapl:2", "psys", 9_000_000)
    zone(tmp_path, "intel-rapl-mmio:0", "package-0", 1_000_000)
    counter = RaplCounter(tmp_path)
    assert counter.joules() == pytest.approx(3.0)
    second.write_text("2500000\n")
    assert counter.joules() == pytest.approx(3.5)


def test_handles_a_counter_that_wraps_around(tmp_path: Path) -> None:
    path = zone(tmp_path, "intel-rapl:0", "package-0", RANGE - 1_000_000)
    counter = RaplCounter(tmp_path)
    before = counter.joules()
    assert before is not None
    for microjoules, joules in ((500_000, 1.5), (RANGE - 1, RANGE / 1e6 + 1.0), (0, RANGE / 1e6 + 1.0)):
        path.write_text(str(microjoules))
        now = counter.joules()
        assert now is not None
        assert now - before == pytest.approx(joules)


@pytest.mark.parametrize("name", ["psys", "core"])
def test_rejects_a_machine_without_packages(tmp_path: Path, name: str) -> None:
    zone(tmp_path, "intel-rapl:0", name, 5)
    (tmp_path / "intel-rapl:9").mkdir()
    with pytest.raises(NoCounterError):
        RaplCounter(tmp_path)


def test_rejects_a_machine_without_powercap(tmp_path: Path) -> None:
    with pytest.raises(NoCounterError):
        RaplCounter(tmp_path / "powercap")


def test_rejects_a_counter_that_only_root_can_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zone(tmp_path, "intel-rapl:0", "package-0", 5)
    read = Path.read_text

    def refuse(self: Path, encoding: str | None = None) -> str:
        # Tests may run as root, which may read everything.
        if self == path:
            raise PermissionError(13, "Permission denied")
        return read(self, encoding=encoding)

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(NoCounterError):
        RaplCounter(tmp_path)


def test_rejects_a_counter_without_a_number(tmp_path: Path) -> None:
    path = zone(tmp_path, "intel-rapl:0", "package-0", 5)
    counter = RaplCounter(tmp_path)
    path.write_text("gone\n")
    assert counter.joules() is None
    with pytest.raises(NoCounterError):
        RaplCounter(tmp_path)
