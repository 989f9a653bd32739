"""One CPU thread per process, because two cores are shared with workers and a browser; and the order of tests."""

from __future__ import annotations

import subprocess
import sys
from itertools import chain, zip_longest
from pathlib import Path

import pytest

from lamplighter.projection.worker import prepare_environment

# Also a cache of compiled functions that tests and the projectors they start have in common.
prepare_environment()


def pytest_configure(config: pytest.Config) -> None:
    """Compile once, before several test processes start that would all compile the same functions."""
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        subprocess.run([sys.executable, "-m", "tests.warm_up"], cwd=config.rootpath, check=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With several test processes: slow files first, alternating between those that use the processor and those that wait."""
    if not hasattr(config, "workerinput"):
        return
    files: dict[str, dict[Path, list[pytest.Item]]] = {"browser": {}, "integration": {}, "": {}}
    for item in items:
        folder = item.path.relative_to(config.rootpath / "tests").parts[0]
        files[folder if folder in files else ""].setdefault(item.path, []).append(item)
    turns = chain.from_iterable(
        zip_longest(files["browser"].values(), files["integration"].values(), fillvalue=())
    )
    items[:] = chain.from_iterable(chain(turns, files[""].values()))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
