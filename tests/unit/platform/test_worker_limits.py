"""Limits of workers: their sources, and the effect on a worker that reaches them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lamplighter.platform import worker_limits
from lamplighter.platform.worker_limits import (
    available_memory,
    bounded_memory,
    machine_memory,
    memory_allowance,
)
from lamplighter.processes.matrix_worker_memory import estimate_matrix_worker_bytes
from lamplighter.runfolder.run_store import RunStore
from tests.support.folders import make_run

resource = pytest.importorskip("resource")
pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux holds a process to a limit on its memory"
)

GB = 1_000_000_000
TOLD = """
import resource, sys
from pathlib import Path
from lamplighter.processes.worker import run_in_role
kinds = (resource.RLIMIT_NOFILE, resource.RLIMIT_CORE, resource.RLIMIT_DATA)
run = lambda: print(*[resource.getrlimit(kind)[0] for kind in kinds], flush=True)
sys.exit(run_in_role(Path(sys.argv[1]), "analyst", run, lambda: None))
"""
GREEDY = """
import sys
from pathlib import Path
import lamplighter.platform.worker_limits as limits
from lamplighter.processes.worker import run_in_role
limits._SLACK_BYTES, limits._HEADROOM = 100_000_000, 0
sys.exit(run_in_role(Path(sys.argv[1]), "analyst", lambda: bytearray(1_000_000_000), lambda: None))
"""


@pytest.fixture(autouse=True)
def no_graphics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_limits, "_GRAPHICS_DRIVERS", ())


def test_allowance_has_headroom_and_is_at_most_a_share_of_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker_limits, "_data_bytes", lambda: GB)
    monkeypatch.setattr(worker_limits, "machine_memory", lambda: 16 * GB)
    assert memory_allowance(GB) == (1 + 3 + 4) * GB
    assert memory_allowance(100 * GB) == (1 + 3 + 12) * GB
    monkeypatch.setattr(worker_limits, "machine_memory", lambda: None)
    assert memory_allowance(100 * GB) == (1 + 3 + 400) * GB


def test_a_graphics_card_disables_the_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    driver = tmp_path / "nvidiactl"
    monkeypatch.setattr(worker_limits, "_GRAPHICS_DRIVERS", (str(driver),))
    assert memory_allowance(GB) is not None
    driver.touch()
    assert memory_allowance(GB) is None
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with bounded_memory(GB) as most:
        assert most is None
        assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_a_containers_memory_counts_as_the_machines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(worker_limits, "_CGROUP_LIMITS", (limit,))
    whole = machine_memory()
    assert whole is not None
    for text, found in (("max", whole), ("1000000000", GB), (str(2**62), whole)):
        limit.write_text(f"{text}\n")
        assert machine_memory() == found


def test_available_memory_is_the_minimum_over_machine_container_and_limit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    limit, used, memory = tmp_path / "memory.max", tmp_path / "memory.current", tmp_path / "meminfo"
    monkeypatch.setattr(worker_limits, "_CGROUP_LIMITS", (limit,))
    monkeypatch.setattr(worker_limits, "_CGROUP_USES", ((used, "inactive_file"),))
    monkeypatch.setattr(worker_limits, "_MEMORY", memory)
    before = resource.getrlimit(resource.RLIMIT_DATA)[0]
    if before == resource.RLIM_INFINITY:
        assert available_memory() is None
    memory.write_text("MemTotal:  9000 kB\nMemAvailable:  3000 kB\nHugePages_Total:  0\n")
    assert available_memory() == 3_072_000
    limit.write_text("2000000\n")
    used.write_text("1500000\n")
    # The page cache of a container counts as free.
    (tmp_path / "memory.stat").write_text("anon 1000000\ninactive_file 500000\n")
    assert available_memory() == 1_000_000
    limit.write_text("max\n")
    assert available_memory() == 3_072_000


def test_the_limit_ends_with_the_work_and_a_lower_one_stays() -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with bounded_memory(GB) as most:
        assert resource.getrlimit(resource.RLIMIT_DATA) == (most, before[1])
        with bounded_memory(10 * GB) as inner:
            assert inner == most
        assert resource.getrlimit(resource.RLIMIT_DATA) == (most, before[1])
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_a_worker_has_limits(tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    told = subprocess.run(
        [sys.executable, "-c", TOLD, str(run.path)], capture_output=True, text=True, check=True
    )
    files, core, data = map(int, told.stdout.split())
    assert files <= worker_limits.MAX_OPEN_FILES
    assert core == 0
    needed = estimate_matrix_worker_bytes(run)
    # The limit includes what the process had before.
    assert 0 < data - 4 * needed - 3 * GB < GB


def test_a_worker_at_its_limit_reports_it(tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    ended = subprocess.run([sys.executable, "-c", GREEDY, str(run.path)], capture_output=True, text=True)
    assert ended.returncode == 4
    assert ended.stderr.startswith("the analyst needs more memory than it may have (0.")
    assert ended.stderr.count("\n") == 1
