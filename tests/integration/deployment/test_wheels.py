"""The two wheels, built and installed in clean environments: `lamplighter` shows the city, `lamplighter-watch` is what goes
beside a training loop, without the application around it.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tomllib
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.application import Application
from tests.browser.chromium import launch_arguments
from tests.browser.pages import wait_for

ROOT = Path(__file__).parents[3]
WATCH = ROOT / "backend" / "lamplighter-watch"
MOST_PACKAGES = 8

LOOP = """
import importlib.util, numpy as np
assert importlib.util.find_spec("fastapi") is None
import lamplighter
from lamplighter import follow
matrix = np.zeros((4, 2), np.float32)
with lamplighter.record("runs/mine", ["a", "b", "c", "d"], embedding=matrix) as recorder:
    for step in range(3):
        matrix[step] += 1
        recorder.step(matrix, [step], 1.0)
run = lamplighter.open("runs/mine")
assert (run.snapshot(3) == matrix).all()
assert run._repr_html_() is None
for needs in (run.show, lambda: run.examine("speak", step=1)):
    try:
        needs()
    except ImportError as error:
        assert "pip install lamplighter" in str(error), error
    else:
        raise AssertionError("it needs the whole application")
"""


def build(project: Path, out: Path) -> Path:
    """Build the wheel of a project."""
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(project)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = out.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(WATCH, tmp_path_factory.mktemp("watch"))


def test_the_whole_wheel_carries_the_page_and_nothing_of_the_workshop(whole: Path):
    names = set(zipfile.ZipFile(whole).namelist())
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
def test_a_clean_environment_shows_the_city(
    whole: Path, watch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    home = tmp_path / "clean"
    venv.create(home, with_pip=True)
    bin_dir = home / ("Scripts" if os.name == "nt" else "bin")
    done = subprocess.run(
        [bin_dir / "python", "-m", "pip", "install", "--quiet", str(watch), str(whole)],
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


def modules(wheel: Path) -> set[str]:
    """Return the files of a wheel that are the package's."""
    return {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("lamplighter/")}


def test_two_wheels_share_no_file_and_are_the_whole_package(watch: Path, whole: Path) -> None:
    ours, theirs = modules(watch), modules(whole)
    assert not ours & theirs
    package = ROOT / "backend" / "lamplighter"
    sources = {f"lamplighter/{one.relative_to(package).as_posix()}" for one in package.rglob("*.py")}
    assert sources == {name for name in ours | theirs if name.endswith(".py")}
    assert "lamplighter/py.typed" in ours


def test_both_have_one_version_and_the_whole_one_asks_for_it() -> None:
    versions = [
        tomllib.loads((folder / "pyproject.toml").read_text())["project"]["version"]
        for folder in (ROOT, WATCH)
    ]
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert len(set(versions)) == 1
    assert f"lamplighter-watch=={versions[0]}" in whole["dependencies"]


def test_few_packages_are_added_and_a_loop_is_recorded(watch: Path, tmp_path: Path) -> None:
    home = tmp_path / "venv"
    venv.create(home, with_pip=True)
    python = home / ("Scripts" if os.name == "nt" else "bin") / "python"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def run(*words: str) -> str:
        done = subprocess.run(
            [python, *words], capture_output=True, text=True, check=False, cwd=tmp_path, env=environment
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    # What every loop has: torch brings typing_extensions, and is not needed to record.
    have = [f"{name}=={distribution(name).version}" for name in ("numpy", "typing_extensions")]
    run("-m", "pip", "install", "--quiet", *have)
    before = set(run("-m", "pip", "freeze").split("\n"))
    run("-m", "pip", "install", "--quiet", str(watch))
    added = sorted(set(run("-m", "pip", "freeze").split("\n")) - before)
    print(f"{len(added)} packages added: {', '.join(added)}")
    assert len(added) <= MOST_PACKAGES, added
    run("-c", LOOP)


def test_what_is_tested_is_the_tree_itself() -> None:
    # An editable install that copies files would hide the tree behind them.
    for module in ("lamplighter", "lamplighter.recipe", "lamplighter.client.run", "lamplighter.serving.app"):
        found = importlib.util.find_spec(module)
        assert found is not None
        assert found.origin is not None
        assert Path(found.origin).is_relative_to(ROOT / "backend")
