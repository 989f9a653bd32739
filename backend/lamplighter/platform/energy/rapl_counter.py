"""The energy counters of the CPUs, from the kernel's powercap tree (Intel's RAPL; AMD's are there too).

Each zone is a folder `intel-rapl:0` with `name`, `energy_uj` and `max_energy_range_uj`, at which it wraps around. Zones
overlap: `core`, `uncore` and `dram` below a package are mostly included in it, `psys` includes the packages, and
`intel-rapl-mmio` is another view of the same counters. So we add up only the packages. Since 2020 only root can read
them (CVE-2020-8694).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lamplighter.platform.energy.energy_method import NoCounterError

POWERCAP = Path("/sys/class/powercap")
_MICRO = 1e-6


@dataclass
class _Zone:
    """A counter that wraps around."""

    path: Path
    range: int
    before: int
    turned: int = 0
    """Microjoules counted before it last wrapped around."""

    def microjoules(self) -> int:
        now = int(self.path.read_text(encoding="ascii"))
        if now < self.before:
            self.turned += self.range
        self.before = now
        return self.turned + now


class RaplCounter:
    """The sum of the counters of all CPU packages. Read it before a counter wraps around, which takes some minutes."""

    def __init__(self, root: Path = POWERCAP) -> None:
        """Find the packages below `root`.

        Raises:
            NoCounterError: there are no packages, or they may not be read.
        """
        try:
            self._zones = [
                _open_zone(folder) for folder in sorted(root.glob("intel-rapl:*")) if _is_package(folder)
            ]
        except (OSError, ValueError):
            raise NoCounterError from None
        if not self._zones:
            raise NoCounterError

    def joules(self) -> float | None:
        """Return the joules of all packages since an arbitrary fixed moment; None if they can no longer be read."""
        try:
            return _MICRO * sum(zone.microjoules() for zone in self._zones)
        except (OSError, ValueError):
            return None


def _is_package(folder: Path) -> bool:
    try:
        return (folder / "name").read_text(encoding="ascii").startswith("package")
    except FileNotFoundError:
        return False


def _open_zone(folder: Path) -> _Zone:
    range_ = int((folder / "max_energy_range_uj").read_text(encoding="ascii"))
    path = folder / "energy_uj"
    return _Zone(path, range_, int(path.read_text(encoding="ascii")))
