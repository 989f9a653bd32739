"""The three wheels, built and installed in clean environments: `lamplighter` shows the city, `lamplighter-watch` is what goes
beside a training loop, without the application around it, `living-map` is the map, without Lamplighter.
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

from tests.browser.chromium import launch_arguments
from tests.browser.pages import wait_for
from tests.support.application import Application

ROOT = Path(__file__).parents[3]
WATCH = ROOT / "backend" / "lamplighter-watch"
LIVING_MAP = ROOT / "backend" / "living-map"
MAX_PACKAGES = 8

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
        assert "pip install ." in str(error), error
    else:
        raise AssertionError("it needs the whole application")
"""


TYPED_LOOP = """
import numpy as np
import lamplighter
from lamplighter.wire.frames import Pulse, Rows

matrix = np.zeros((4, 2), np.float32)
with lamplighter.record("runs/mine", ["a", "b", "c", "d"], embedding=matrix, config={"rate": 0.1}) as recorder:
    recorder.step(matrix, [1], 1.0, learning_rate=0.1)
    at: int = recorder.at
run = lamplighter.open("runs/mine")
losses: list[float] = [pulse.loss for pulse in run.steps(1, 2)]
number: int | None = run.step_number(1)
words: int = len(run.tokens)
pulses: list[Pulse] = []
rows: list[Rows] = []
for frame in run.play(0, 1, channels=["pulse", "rows"]):
    if isinstance(frame, Pulse):
        pulses.append(frame)
    elif isinstance(frame, Rows):
        rows.append(frame)
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


@pytest.fixture(scope="module")
def living_map(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(LIVING_MAP, tmp_path_factory.mktemp("living-map"))


def test_the_whole_wheel_carries_the_page_and_nothing_of_the_workshop(whole: Path):
    names = set(zipfile.ZipFile(whole).namelist())
    assert {
        f"lamplighter/_static/{name}"
        for name in (
            *("app/index.html", "app/THIRD-PARTY.txt", "app/packed/page.js", "lamp.svg"),
            *("app/vendor/plotly.min.js", "app/vendor/plotly.min.js.gz"),
        )
    } <= names
    assert {f"lamplighter-0.1.0.dist-info/licenses/{name}" for name in ("LICENSE", "NOTICE.md")} <= names
    assert {f"lamplighter/packing/{name}" for name in ("page.html", "gallery.css")} <= names
    assert {f"lamplighter/corpora/novels/{name}" for name in ("two-novels.txt.bz2", "NOTICE.md")} <= names
    assert any(name.startswith("lamplighter/_static/app/assets/") and name.endswith(".js") for name in names)
    assert not [
        name for name in names if "node_modules" in name or name.startswith(("tests", "frontend", "runs"))
    ]


@pytest.mark.browser
@pytest.mark.tour
def test_a_clean_environment_shows_the_city(
    whole: Path, watch: Path, living_map: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    home = tmp_path / "clean"
    venv.create(home, with_pip=True)
    bin_dir = home / ("Scripts" if os.name == "nt" else "bin")
    done = subprocess.run(
        [bin_dir / "python", "-m", "pip", "install", "--quiet", *map(str, (watch, living_map, whole))],
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
    return {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}


def sources(package: str) -> set[str]:
    folder = ROOT / "backend"
    return {one.relative_to(folder).as_posix() for one in (folder / package).rglob("*.py")}


def test_two_wheels_share_no_file_and_are_the_whole_package(watch: Path, whole: Path) -> None:
    ours, theirs = modules(watch), modules(whole)
    assert not ours & theirs
    assert sources("lamplighter") == {name for name in ours | theirs if name.endswith(".py")}
    assert "lamplighter/py.typed" in ours


def test_the_map_is_a_wheel_with_the_notice_of_what_it_follows(living_map: Path) -> None:
    extra = {f"living_map/{name}" for name in ("py.typed", "LICENSE", "NOTICE.md")}
    assert modules(living_map) == sources("living_map") | extra


def test_all_have_one_version_and_the_whole_one_asks_for_it() -> None:
    projects = [
        tomllib.loads((folder / "pyproject.toml").read_text())["project"]
        for folder in (ROOT, WATCH, LIVING_MAP)
    ]
    (version,) = {project["version"] for project in projects}
    for part in ("lamplighter-watch", "living-map"):
        assert f"{part}=={version}" in projects[0]["dependencies"]


@pytest.fixture(scope="module")
def clean(watch: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Make an environment of what every loop has, and install the half into it. Returns its Python and what was added."""
    home = tmp_path_factory.mktemp("clean") / "venv"
    venv.create(home)
    python = home / ("Scripts" if os.name == "nt" else "bin") / "python"
    # torch brings typing_extensions, and is not needed to record.
    there = ("numpy", "typing_extensions")
    install(python, str(watch), *(f"{name}=={distribution(name).version}" for name in there))
    return python, sorted(one.stem for one in home.rglob("*.dist-info") if not one.stem.startswith(there))


def install(python: Path, *packages: str) -> None:
    """Install packages into the environment of a Python by the `pip` of this one: unpacking another takes seconds."""
    run_outside(
        sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-compile", *packages
    )


def run_outside(program: Path | str, *words: Path | str, folder: Path | None = None) -> str:
    """Return what a command prints that has nothing of this checkout in its environment."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [program, *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder or Path(sys.prefix).anchor,
        env=environment,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.tour
def test_few_packages_are_added_and_a_loop_is_recorded(clean: tuple[Path, list[str]], tmp_path: Path) -> None:
    python, added = clean
    print(f"{len(added)} packages added: {', '.join(added)}")
    assert len(added) <= MAX_PACKAGES, added
    run_outside(python, "-c", LOOP, folder=tmp_path)


@pytest.mark.tour
def test_a_users_script_is_typed_strictly(clean: tuple[Path, list[str]], tmp_path: Path) -> None:
    python, _ = clean
    (tmp_path / "loop.py").write_text(TYPED_LOOP, encoding="utf-8")
    (tmp_path / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}', encoding="utf-8")
    install(python, "mypy")
    run_outside(python, "-m", "mypy", "--strict", "loop.py", folder=tmp_path)
    run_outside(sys.executable, "-m", "pyright", "--pythonpath", str(python), folder=tmp_path)


def test_what_is_tested_is_the_tree_itself() -> None:
    # An editable install that copies files would hide the tree behind them.
    for module in (
        "lamplighter",
        "lamplighter.contract.recipe",
        "lamplighter.client.run",
        "lamplighter.serving.apps.app",
    ):
        found = importlib.util.find_spec(module)
        assert found is not None
        assert found.origin is not None
        assert Path(found.origin).is_relative_to(ROOT / "backend")
