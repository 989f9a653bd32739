"""One CPU thread per process, because two cores are shared with workers and a browser; and the order of tests."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from itertools import chain, zip_longest
from typing import Any

import psutil
import pytest

from lamplighter.projection.worker import prepare_environment

# Also a cache of compiled functions that tests and the projectors they start have in common.
prepare_environment()
# Where Python is to keep no bytecode, each of the hundreds of processes that tests start would compile our modules again,
# and each test process all tests.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# The tests do not depend on the machine's language.
os.environ["LAMPLIGHTER_LANG"] = "en"
sys.dont_write_bytecode = False
# A shell's background job ignores Ctrl-C, and so would the commands that tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    """Watch the event loop of every application that a test starts; and compile once, before several test processes start
    that would all compile the same functions.
    """
    # Numbers of threads are read when the first library is imported that has some.
    from tests.support.application import Application

    Application.module = "tests.support.watched_application"
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        command = [sys.executable, "-m", "lamplighter.projection.compile_worker"]
        subprocess.run(command, cwd=config.rootpath, check=True)


TOGETHER = {
    "tests/browser/test_exports.py": "a live run",
    "tests/browser/test_city.py": "a live run",
    "tests/browser/address/test_history.py": "a live run",
    "tests/browser/test_model.py": "a live run",
    "tests/browser/test_class.py": "a class",
    "tests/unit/runfolder/published/test_object_store.py": "a server of S3",
    "tests/unit/exports/publishing/test_publish.py": "a server of S3",
}
"""Files that go to one test process because they share an application, in this order; other browser tests share another."""


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Let the garbage collector leave out what collection makes: 700,000 objects, which each full collection would walk."""
    gc.disable()
    collected = yield
    gc.freeze()
    gc.enable()
    return collected


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Order the tests of a process: slow files first, those that use the processor in turn with those that wait."""
    if not hasattr(config, "workerinput"):
        return
    files: dict[str, dict[str, list[pytest.Item]]] = {
        "browser": {name: [] for name in TOGETHER},
        "integration": {},
        "": {},
    }
    for item in items:
        name = item.nodeid.split("::")[0]
        folder = name.split("/")[1]
        files[folder if folder in files else ""].setdefault(name, []).append(item)
    turns = chain.from_iterable(
        zip_longest(files["browser"].values(), files["integration"].values(), fillvalue=())
    )
    items[:] = chain.from_iterable(chain(turns, files[""].values()))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each test process one file after another in the order of collection, and files that belong together as one."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            name = super()._split_scope(nodeid)
            return TOGETHER.get(name, "a finished run" if name.startswith("tests/browser/") else name)

    config.option.loadscopereorder = False
    return Scheduling(config, log)


@pytest.fixture
def children() -> Callable[[], list[psutil.Process]]:
    """Return a function that lists the child processes which this test has started, rather than a test before it."""
    before = psutil.Process().children()
    return lambda: [child for child in psutil.Process().children() if child not in before]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
