"""`pip install <wheel>` and `lamplighter` suffice: built, installed in a clean environment, and checked."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.application import Application
from tests.browser.chromium import launch_arguments
from tests.browser.pages import wait_for

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = out.glob("*.whl")
    return built


def test_the_wheel_carries_the_page_and_nothing_of_the_workshop(wheel: Path):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        f"lamplighter/_static/{name}"
        for name in ("app/index.html", "app/THIRD-PARTY.txt", "app/packed/page.js", "lamp.svg")
    } <= names
    assert {f"lamplighter/packing/{name}" for name in ("page.html", "gallery.css")} <= names
    assert any(name.startswith("lamplighter/_static/app/assets/") and name.endswith(".js") for name in names)
    assert not [
        name for name in names if "node_modules" in name or name.startswith(("tests", "frontend", "runs"))
    ]


@pytest.mark.browser
@pytest.mark.tour
def test_a_clean_environment_shows_the_city(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    home = tmp_path / "clean"
    venv.create(home, with_pip=True)
    bin_dir = home / ("Scripts" if os.name == "nt" else "bin")
    done = subprocess.run(
        [bin_dir / "python", "-m", "pip", "install", "--quiet", str(wheel)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    with Application(tmp_path / "runs", command=[str(bin_dir / "lamplighter")]) as application:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(**launch_arguments())
            page = browser.new_page()
            page.goto(application.launch_url)
            wait_for(page, "window.__lamplighter?.litPixels?.() > 0", 60)
            browser.close()
        application.ask(application.only_run(), "stop")
        application.wait_until_over(application.only_run())
