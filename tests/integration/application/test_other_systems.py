"""The package on a system without POSIX modules: every module is imported, and a run is served."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.folders import finished_run

ROOT = Path(__file__).parents[3]
HIDE = """
import sys
for name in ("resource", "fcntl", "pwd", "grp", "termios"):
    sys.modules[name] = None
"""
IMPORT = f"""{HIDE}
import importlib, json, pkgutil
import lamplighter
names = [found.name for found in pkgutil.walk_packages(lamplighter.__path__, "lamplighter.")]
# Torch and numba each bring an OpenMP runtime, and never share a process.
rooms = {{"torch": ("training", "model"), "numba": ("projection",)}}
heavy = rooms.pop(sys.argv[1])
(others,) = rooms.values()
names = [name for name in names if name.split(".")[1] not in others and not name.endswith("__main__")]
# Callbacks of trainers that are not installed here.
names = [name for name in names if not name.startswith("lamplighter.client.integrations.")]
for name in names:
    importlib.import_module(name)
assert all(any(name.startswith(f"lamplighter.{{room}}.") for name in names) for room in heavy)
print(json.dumps(names))
"""
SERVE = f"""{HIDE}
import json, pathlib, urllib.request
from lamplighter.web.settings import ServerSettings
from tests.support.served import ServerThread
served = ServerThread(ServerSettings(pathlib.Path(sys.argv[1]), port=0)).start()
try:
    base = f"http://127.0.0.1:{{served.port}}/api/runs"
    (run,) = json.load(urllib.request.urlopen(base))["items"]
    steps = json.load(urllib.request.urlopen(f"{{base}}/{{run['id']}}/steps"))["items"]
    print(run["status"]["phase"], len(steps))
finally:
    served.stop()
"""


def run_python(code: str, *words: object) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, words)], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.tour
@pytest.mark.parametrize("library", ["torch", "numba"])
def test_every_module_is_imported_without_posix_modules(library: str) -> None:
    names = json.loads(run_python(IMPORT, library))
    assert {"lamplighter.platform.worker_limits", "lamplighter.serving.apps.app"} < set(names)


def test_a_run_is_served_without_posix_modules(tmp_path: Path) -> None:
    finished_run(tmp_path, 12)
    assert run_python(SERVE, tmp_path).split() == ["finished", "12"]
