"""What is released: the same bytes from two builds and from a source distribution, installed in the ways that people use, and
checked there by `lamplighter self-check`.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
BESIDE = ("backend/lamplighter-watch", "backend/living-map")
"""The distributions beside the whole one."""
PROJECTS = (*BESIDE, ".")
INSTALL = ROOT / "INSTALL.md"
PYTHONS = ("3.11", "3.12", "3.13")


def run(*command: str | Path, folder: Path | None = None, **variables: str) -> str:
    """Return what a command prints that has nothing of this checkout in its environment."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=folder, env=environment | variables
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def build(project: Path, out: Path, *kinds: str) -> None:
    """Build distributions of some kinds (`sdist`, `wheel`)."""
    run(
        sys.executable,
        "-m",
        "hatchling",
        "build",
        "-d",
        out,
        *(f"-t{kind}" for kind in kinds),
        folder=project,
    )


def digests(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}


def unpack(source: Path, folder: Path) -> Path:
    with tarfile.open(source) as archive:
        archive.extractall(folder, filter="data")
    (tree,) = folder.iterdir()
    return tree


@pytest.mark.parametrize("project", BESIDE)
def test_a_source_distribution_gives_the_wheel_of_the_tree(project: str, tmp_path: Path):
    build(ROOT / project, tmp_path / "tree", "wheel", "sdist")
    (source,) = (tmp_path / "tree").glob("*.tar.gz")
    build(unpack(source, tmp_path / "unpacked"), tmp_path / "source", "wheel")
    assert digests(tmp_path / "source").items() <= digests(tmp_path / "tree").items()


def test_the_distributions_have_one_licence():
    assert (ROOT / "backend/lamplighter-watch/LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def copy_of_tree(folder: Path, *, page: bool) -> Path:
    """Copy what git tracks into a folder, with the page as it was built here or without it."""
    tracked = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, text=True, check=True
    )
    for name in tracked.stdout.split("\0"):
        source, target = ROOT / name, folder / name
        if name and source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    if page:
        shutil.copytree(ROOT / "static/app", folder / "static/app")
    else:
        shutil.copytree(ROOT / "frontend/node_modules", folder / "frontend/node_modules", symlinks=True)
    return folder


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All distributions, built in a copy of the tree."""
    home = tmp_path_factory.mktemp("released")
    tree = copy_of_tree(home / "tree", page=True)
    for project in PROJECTS:
        build(tree / project, home / "dist", "sdist", "wheel")
    return home / "dist"


@pytest.mark.tour
def test_another_build_elsewhere_has_the_same_bytes(released: Path, tmp_path: Path):
    tree = copy_of_tree(tmp_path / "another" / "place", page=False)
    for project in PROJECTS:
        build(tree / project, tmp_path / "dist", "sdist", "wheel")
    assert len(digests(released)) == 2 * len(PROJECTS)
    assert digests(tmp_path / "dist") == digests(released)


@pytest.mark.tour
def test_the_source_distribution_brings_no_pictures_and_builds_without_the_page_s_tools(
    released: Path, tmp_path: Path
):
    (source,) = released.glob("lamplighter-*.tar.gz")
    with tarfile.open(source) as archive:
        assert not [
            name for name in archive.getnames() if "/docs/" in name and name.endswith((".jpg", ".png"))
        ]
    build(unpack(source, tmp_path / "unpacked"), tmp_path / "dist", "wheel")
    assert digests(tmp_path / "dist").items() <= digests(released).items()


def require_tool(name: str) -> str:
    found = shutil.which(name, path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    assert found, f"this needs {name}: pip install -e '.[dev]'"
    return found


def check(command: list[str | Path], folder: Path) -> None:
    """Run the self-check of an installation, and look that nothing is left behind."""
    left = folder / "left"
    left.mkdir()
    assert run(*command, "--version", folder=folder).strip() == "lamplighter, version 0.1.0"
    told = run(*command, "self-check", folder=folder, TMPDIR=str(left))
    assert "all is well" in told
    assert "not opened in a browser" in told
    assert [one.name for one in left.iterdir() if "self-check" in one.name] == []


@pytest.mark.tour
def test_a_trainer_that_dies_is_told_and_nothing_is_left(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-m", "lamplighter", "self-check"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"TMPDIR": str(tmp_path), "LAMPLIGHTER_FAILPOINT": "checkpoint-unsynced:1"},
    )
    assert done.returncode == 1
    assert done.stderr.startswith("!!  trained: the trainer ended with -9")
    assert "all is well" not in done.stdout
    assert [one.name for one in tmp_path.iterdir() if "self-check" in one.name] == []


@pytest.mark.tour
def test_the_sizes_in_the_document_are_those_of_the_files(released: Path):
    told = re.findall(
        r"^\| `([\w-]+)` \|.*\| ([\d.]+) MB \| ([\d.]+) MB \|$", INSTALL.read_text(encoding="utf-8"), re.M
    )
    assert len(told) == len(PROJECTS)
    for name, wheel, source in told:
        for size, ending in ((wheel, "*.whl"), (source, "*.tar.gz")):
            (file,) = released.glob(f"{name.replace('-', '_')}-[0-9]{ending}")
            assert file.stat().st_size / 1e6 == pytest.approx(float(size), rel=0.1, abs=0.006), file.name


def wheels(released: Path) -> tuple[Path, list[Path]]:
    """Return the wheel of the whole, and those that it depends on: named as files, since their names are on no index."""
    found = sorted(released.glob("*.whl"))
    (whole,) = (wheel for wheel in found if wheel.name.startswith("lamplighter-"))
    return whole, [wheel for wheel in found if wheel != whole]


@pytest.mark.tour
def test_pip_installs_it_where_nothing_else_is(released: Path, tmp_path: Path):
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    bin_dir = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    run(bin_dir / "python", "-m", "pip", "install", "--quiet", *released.glob("*.whl"))
    check([bin_dir / "lamplighter"], tmp_path)


@pytest.mark.tour
def test_uvx_runs_it_from_the_wheels(released: Path, tmp_path: Path):
    whole, beside = wheels(released)
    uvx = [
        require_tool("uvx"),
        "--python",
        sys.executable,
        *(word for one in beside for word in ("--with", str(one))),
    ]
    # uv does not read pip's settings, which may say where a torch without CUDA is.
    for link in os.environ.get("PIP_FIND_LINKS", "").split():
        uvx += ["--find-links", link, "--with", f"torch=={distribution('torch').version}"]
    check([*uvx, "--from", str(whole), "lamplighter"], tmp_path)


@pytest.mark.tour
def test_pipx_installs_it(released: Path, tmp_path: Path):
    whole, beside = wheels(released)
    homes = {"PIPX_HOME": str(tmp_path / "pipx"), "PIPX_BIN_DIR": str(tmp_path / "bin")}
    first = (word for one in beside for word in ("--preinstall", str(one)))
    run(require_tool("pipx"), "install", "--python", sys.executable, *first, str(whole), **homes)
    check([tmp_path / "bin" / "lamplighter"], tmp_path)


def test_every_extra_is_in_the_document():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    told = re.findall(r"^\| `([a-z]+)` \| ", INSTALL.read_text(encoding="utf-8"), re.M)
    assert sorted(told) == sorted([*extras["optional-dependencies"], "lamplighter"])


def test_the_workflow_tests_builds_attests_and_publishes_without_a_secret():
    workflow = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8"))
    jobs = workflow["jobs"]
    assert set(jobs) == {"test", "build", "install", "publish"}
    assert jobs["build"]["needs"] == "test"
    assert jobs["install"]["needs"] == "build"
    assert jobs["publish"]["needs"] == ["build", "install"]
    # Trusted publishing: a job proves who it is, and only the one that publishes.
    assert workflow["permissions"] == {"contents": "read"}
    assert jobs["publish"]["permissions"]["id-token"] == "write"
    assert jobs["publish"]["environment"]["name"] == "pypi"
    text = (ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8")
    assert "secrets." not in text
    for job in jobs.values():
        for step in job["steps"]:
            # A tag can be moved; a commit cannot.
            assert "uses" not in step or len(step["uses"].partition("@")[2]) == 40, step
    assert set(jobs["install"]["strategy"]["matrix"]["python"]) == set(PYTHONS)
    built = next(step["run"] for step in jobs["build"]["steps"] if "-m build" in step.get("run", ""))
    assert all(project in built for project in BESIDE)
    assert "SOURCE_DATE_EPOCH" in built
