"""The files around the code agree with the package about its name, version and licence."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]


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
    holder = re.search(r"Copyright \(c\) \d+ (.+)", (ROOT / "LICENSE").read_text(encoding="utf-8"))
    assert holder
    assert [{"name": holder[1]}] == citation["authors"]
    unreleased = f"## {project['version']} (unreleased)" in (ROOT / "CHANGELOG.md").read_text(
        encoding="utf-8"
    )
    # A version that is not released yet has no day of its release.
    assert unreleased == ("date-released" not in citation)


def test_the_page_has_the_version_of_the_package(project: dict[str, Any]):
    page = json.loads((ROOT / "frontend" / "package.json").read_text(encoding="utf-8"))
    assert page["version"] == project["version"]


def test_the_code_that_follows_umap_learn_has_its_licence_with_it(project: dict[str, Any]):
    notice = (ROOT / "NOTICE.md").read_text(encoding="utf-8")
    theirs = next(file for file in distribution("umap-learn").files or [] if file.name == "LICENSE.txt")
    assert theirs.read_text().strip() in notice
    for file in re.findall(r"`(backend/\S+\.py)`", notice):
        assert "NOTICE.md" in (ROOT / file).read_text(encoding="utf-8"), file
    # A wheel has it beside the licence.
    assert "NOTICE.md" in project["license-files"]


@pytest.mark.parametrize(
    "project_file",
    ["pyproject.toml", "backend/lamplighter-watch/pyproject.toml", "backend/living-map/pyproject.toml"],
)
def test_the_tests_that_a_project_file_names_exist(project_file: str):
    named = re.findall(r"tests/\S+\.py", (ROOT / project_file).read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize(
    "page",
    sorted(["INSTALL.md", "README.md", *(f"docs/{file.name}" for file in (ROOT / "docs").glob("*.md"))]),
)
def test_no_page_installs_by_name_what_no_index_has(page: str):
    """Until the first release anybody could take the names."""
    text = (ROOT / page).read_text(encoding="utf-8")
    assert re.findall(r"pip install [\'\"]?lamplighter\b", text) == []
