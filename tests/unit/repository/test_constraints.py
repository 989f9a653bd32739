"""`requirements/constraints.txt` pins what development needs, and nothing that a machine must choose itself."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

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
