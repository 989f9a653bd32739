"""The files around the code agree with the package about its name, version and licence."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_who_cites_cites_this_version(project: dict[str, Any]):
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    for ours, theirs in (("title", "name"), ("version", "version"), ("license", "license")):
        assert citation[ours].lower() == project[theirs].lower()
    assert citation["abstract"] == project["description"]
    assert citation["authors"] == project["authors"]
    assert citation["keywords"] == project["keywords"]


def test_the_page_has_the_version_of_the_package(project: dict[str, Any]):
    page = json.loads((ROOT / "frontend" / "package.json").read_text(encoding="utf-8"))
    assert page["version"] == project["version"]
