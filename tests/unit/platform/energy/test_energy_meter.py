"""The meter: its choice of method, and pauses.

The CPU counters, on a tree of files like the kernel's.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import pytest

from lamplighter.platform.energy.energy_meter import EnergyMeter, NvmlCounter, RaplCounter, open_meter
from lamplighter.platform.energy.energy_method import (
    DEFAULT_WATTS,
    METHODS,
    EnergyMethod,
    NoCounterError,
    SpentEnergy,
    WattsError,
    method_error,
    parse_watts,
    stated_watts,
)
from tests.support.machine.rapl_zones import RANGE, zone

CARD = "GPU-11111111-2222-3333-4444-555555555555"


class FakeNvml:
    """A library with one card."""

    def __init__(self, millijoules: int = 5_000, status: int = 0) -> None:
        self.millijoules, self.status = millijoules, status

    def nvmlInit_v2(self) -> int:
        return 0

    def nvmlDeviceGetHandleByUUID(self, uuid: ctypes.c_char_p, device: Any) -> int:
        if uuid.value != CARD.encode():
            return 6
        ctypes.cast(device, ctypes.POINTER(ctypes.c_void_p))[0] = 77
        return 0

    def nvmlDeviceGetTotalEnergyConsumption(self, device: ctypes.c_void_p, energy: Any) -> int:
        assert device.value == 77
        ctypes.cast(energy, ctypes.POINTER(ctypes.c_ulonglong))[0] = self.millijoules
        return self.status


class FixedCounter:
    """A counter set by the test."""

    value: float | None = 100.0

    def joules(self) -> float | None:
        return self.value


def no_library() -> Any:
    raise NoCounterError


def test_reads_a_cards_counter() -> None:
    library = FakeNvml()
    meter = open_meter(DEFAULT_WATTS, CARD, load=lambda: library)
    assert meter.method == EnergyMethod("nvml")
    meter.resume()
    library.millijoules += 2_500
    assert meter.spent().joules == pytest.approx(2.5)
    library.status = 15
    library.millijoules += 9_000
    assert meter.spent().joules == pytest.approx(2.5)


@pytest.mark.parametrize(
    ("library", "card"),
    [(FakeNvml(status=3), CARD), (FakeNvml(status=4), CARD), (FakeNvml(), "GPU-other"), (object(), CARD)],
)
def test_rejects_a_card_without_a_readable_counter(library: Any, card: str) -> None:
    with pytest.raises(NoCounterError):
        NvmlCounter(library, card)


def test_uses_the_next_best_method_and_marks_a_missing_card(tmp_path: Path) -> None:
    zone(tmp_path, "intel-rapl:0", "package-0", 5)
    rapl = open_meter(DEFAULT_WATTS, None, load=FakeNvml, powercap=tmp_path)
    assert rapl.method == EnergyMethod("rapl")
    estimate = open_meter(20.0, CARD, load=no_library, powercap=tmp_path / "none")
    assert estimate.method == EnergyMethod("processor", 20.0, without_card=True)
    # A card of another maker has no name for the library.
    other = open_meter(DEFAULT_WATTS, "", load=FakeNvml, powercap=tmp_path)
    assert other.method == EnergyMethod("rapl", without_card=True)


def test_an_estimate_is_cpu_seconds_times_watts() -> None:
    meter = open_meter(20.0, None, SpentEnergy(7.0, 3.0, 4.0), powercap=Path("/nowhere"))
    meter.resume()
    sum(range(200_000))
    spent = meter.spent()
    assert spent.processor_seconds > 3.0
    assert spent.joules - 7.0 == pytest.approx(20 * (spent.processor_seconds - 3.0), rel=0.05)
    assert spent.seconds > 4.0


def test_a_pause_costs_nothing() -> None:
    counter = FixedCounter()
    meter = EnergyMeter(counter, EnergyMethod("rapl"))
    meter.resume()
    counter.value = 103.0
    meter.pause()
    counter.value = 200.0
    meter.pause()
    assert meter.spent().joules == pytest.approx(3.0)
    meter.resume()
    meter.resume()
    counter.value = 204.0
    assert meter.spent().joules == pytest.approx(7.0)


def test_a_reset_or_lost_counter_subtracts_nothing() -> None:
    counter = FixedCounter()
    meter = EnergyMeter(counter, EnergyMethod("nvml"))
    meter.resume()
    for joules in (105.0, 2.0, None, 4.0):
        counter.value = joules
        meter.spent()
    assert meter.spent().joules == pytest.approx(5.0)


def test_every_method_has_an_error_with_a_source() -> None:
    for name in METHODS:
        error = method_error(EnergyMethod(name, DEFAULT_WATTS if name == "processor" else None))
        assert error is not None
        assert 0 < error.least < 1 < error.most
        assert error.url.startswith("https://")
    assert method_error(EnergyMethod("processor", 20.0)) is None


def test_the_error_of_a_counter_is_relative_to_the_truth() -> None:
    error = method_error(EnergyMethod("rapl"))
    assert error is not None
    for truth, told in ((100.0, 173.0), (100.0, 27.0)):
        assert truth in (pytest.approx(told * error.least), pytest.approx(told * error.most))


def test_rejects_invalid_watts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parse_watts(" 7.5 ") == 7.5
    for text in ("", "many", "0", "-3", "nan", "inf", "1001"):
        with pytest.raises(WattsError, match="above 0 and at most 1,000"):
            parse_watts(text)
    monkeypatch.delenv("LAMPLIGHTER_WATTS", raising=False)
    assert stated_watts() == DEFAULT_WATTS
    monkeypatch.setenv("LAMPLIGHTER_WATTS", "many")
    with pytest.raises(WattsError, match="LAMPLIGHTER_WATTS: 'many'"):
        stated_watts()


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
