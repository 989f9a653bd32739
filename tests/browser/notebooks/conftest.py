"""An environment with notebooks, beside what is installed here."""

from __future__ import annotations

import os
import subprocess
import sysconfig
import venv
from pathlib import Path

import pytest

_PACKAGES = ("nbclient", "ipykernel", "jupyterlab", "marimo", "anywidget")


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the environment. Returns its Python."""
    home = tmp_path_factory.mktemp("notebooks") / "venv"
    venv.create(home, with_pip=True)
    found = home / ("Scripts" if os.name == "nt" else "bin") / "python"
    command = [found, "-m", "pip", "install", "--quiet", *_PACKAGES]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    place = "import sysconfig; print(sysconfig.get_path('purelib'))"
    inside = subprocess.run([found, "-c", place], capture_output=True, text=True, check=True).stdout
    beside = Path(inside.strip()) / "beside.pth"
    beside.write_text(f"{Path(__file__).parents[3] / 'backend'}\n{sysconfig.get_path('purelib')}\n")
    return found
