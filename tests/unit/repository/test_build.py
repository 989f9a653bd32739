"""The build script of the page: on what a built page depends.

`requirements/constraints.txt` pins what development needs, and nothing that a machine must choose itself.
The budget of the page's own scripts, for the first screen and in all.
"""

from __future__ import annotations

import gzip
import re
import tomllib
from pathlib import Path

import build_frontend
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks.support.page_size import measure_page
from benchmarks.support.report import read_goals


@pytest.fixture
def frontend(tmp_path: Path) -> Path:
    frontend = tmp_path / "frontend"
    (frontend / build_frontend.GENERATED).mkdir(parents=True)
    (frontend / "src" / "main.ts").write_text("run();\n")
    (frontend / "openapi.json").write_text("{}\n")
    table = tmp_path / build_frontend.VIEW_QUERY
    table.parent.mkdir(parents=True)
    table.write_text("{}\n")
    return frontend


@pytest.mark.parametrize(
    ("file", "counts"),
    [
        ("frontend/openapi.json", True),
        (build_frontend.VIEW_QUERY, True),
        # It is made from the document.
        (f"frontend/{build_frontend.GENERATED}/schema.ts", False),
    ],
)
def test_a_page_is_out_of_date_once_what_it_is_built_from_is_another(frontend: Path, file: str, counts: bool):
    before = build_frontend.source_hash(frontend.parent)
    (frontend.parent / file).write_text('{"panels": []}\n')
    assert (build_frontend.source_hash(frontend.parent) != before) == counts


def test_a_built_page_has_compressed_copies_that_are_the_same_each_time(tmp_path: Path):
    (tmp_path / "assets").mkdir()
    for name in ("assets/a.js", "style.css", "index.html"):
        (tmp_path / name).write_text(f"{name}\n" * 100)
    build_frontend.compress(tmp_path)
    copies = {path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in tmp_path.rglob("*.gz")}
    assert copies.keys() == {"assets/a.js.gz", "style.css.gz"}
    assert gzip.decompress(copies["assets/a.js.gz"]) == (tmp_path / "assets/a.js").read_bytes()
    build_frontend.compress(tmp_path)
    assert copies == {
        path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in tmp_path.rglob("*.gz")
    }


ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def pins() -> dict[str, str]:
    lines = (ROOT / "requirements" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def test_every_dependency_but_torch_is_pinned_to_a_release_that_we_allow(pins: dict[str, str]):
    project, watch, living_map = (
        tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        for folder in (ROOT, ROOT / "backend" / "lamplighter-watch", ROOT / "backend" / "living-map")
    )
    extras = project["optional-dependencies"].values()
    wanted = [
        *project["dependencies"],
        *watch["dependencies"],
        *living_map["dependencies"],
        *(text for extra in extras for text in extra),
    ]
    for text in wanted:
        requirement = Requirement(text)
        if requirement.name not in ("torch", "lamplighter-watch", "living-map"):
            assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), text


def test_only_names_and_versions_are_in_it(pins: dict[str, str]):
    assert list(pins) == sorted(pins)
    for name, version in pins.items():
        assert name == canonicalize_name(name)
        # No local version, no address, no path.
        assert re.fullmatch(r"[\w.]+", version), f"{name}=={version}"


def test_what_a_torch_chooses_is_left_to_it(pins: dict[str, str]):
    # An older torch asks for its own sympy: a pin of ours would make pip replace that torch.
    for name in ("torch", "triton", "sympy", "networkx", "setuptools", "pip", "lamplighter"):
        assert name not in pins
    assert not [name for name in pins if name.startswith(("nvidia-", "cuda-", "torch"))]


def goal_of(figure: str) -> float:
    """Return the most kB that the table of goals allows."""
    goal = read_goals()[figure]
    assert goal is not None
    return float(goal.removeprefix("<= "))


def test_the_page_keeps_to_its_budget():
    size = measure_page(build_frontend.ROOT / "static" / "app")
    assert 0 < size.first / 1e3 <= goal_of("city_javascript_first")
    assert size.whole / 1e3 <= goal_of("city_javascript")
    assert size.first < size.whole, "some parts load late"
