"""The documents against the code: routes, frame fields, links, paths, commands and make targets exist.

`make reference` writes every public name of the Python API, with its docstring.
The notices that go with the page. They are written by its build (`frontend/third-party.ts`).
The files around the code agree with the package about its name, version and licence.
"""

from __future__ import annotations

import ast
import importlib
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import fields
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from lamplighter.cli.app import cli
from lamplighter.serving.apps.app import create_app
from lamplighter.serving.apps.class_app import OWN
from lamplighter.web.http.assets import PLOTLY
from lamplighter.web.settings import ServerSettings
from lamplighter.wire.beat_frames import Beat, StepsBetween
from lamplighter.wire.grid_frames import GridChange, GridLayout
from lamplighter.wire.layout_frames import Layout
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Census, Rows
from tests.support.asgi import PORT, call, openapi_file

ROOT = Path(__file__).parents[3]
DOCS = [
    *(ROOT / name for name in ("README.md", "INSTALL.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]


REST = (ROOT / "docs/rest.md").read_text(encoding="utf-8")
_NO_ROUTES = ("/launch", "/lamplighter", "/api/docs", "/api/openapi.json")
"""Beginnings of paths that the schema does not have: pages for browsers, and an example of a proxy's path."""


def test_every_route_in_the_rest_document_exists():
    paths = openapi_file()["paths"]
    routes = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    own = {(method, path) for method, path in OWN if method != "websocket" and path != "/"}
    documented = set(re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/[^`?\s]*)", REST))
    assert {
        (method, path) for method, path in documented if not path.startswith(_NO_ROUTES)
    } - routes - own == set()
    # What changes anything in a class is written down route by route.
    assert own - documented == set()
    below = [path.removeprefix("/api/runs/{run}") for _, path in routes]
    for path in re.findall(r"`(/[a-z][^`?\s]*)", REST):
        assert path.startswith(_NO_ROUTES) or any(one.startswith(path) for one in below), path


@pytest.mark.parametrize(
    ("frame", "renamed"),
    [
        (Pulse, {}),
        (Layout, {"coordinates": "places"}),
        (Rows, {}),
        (Census, {}),
        (Beat, {}),
        (StepsBetween, {}),
        (GridLayout, {}),
        (GridChange, {"from_base": "differences"}),
    ],
)
def test_every_field_of_a_frame_is_in_the_wire_document(frame: type, renamed: dict[str, str]):
    text = (ROOT / "docs/wire.md").read_text()
    for field in fields(frame):
        assert re.search(rf"\b{renamed.get(field.name, field.name)}\b", text), (
            f"{frame.__name__}.{field.name}"
        )


@pytest.mark.parametrize("document", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_and_path_leads_somewhere(document: Path):
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        assert (document.parent / target).exists(), target
    for path in re.findall(r"`((?:backend|frontend|tests|docs|benchmarks|static)/[\w./-]+)`", text):
        assert (ROOT / path).exists() or path.startswith("static/app"), path


def do_nothing(_: click.Command, __: click.Context) -> None:
    """Stand in for what a command does."""


def keep(_: click.Path, value: object, *__: object) -> object:
    """Stand in for looking whether a file exists."""
    return value


@pytest.mark.parametrize("document", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_of_a_document_is_one_with_those_options(
    document: Path, monkeypatch: pytest.MonkeyPatch
):
    # Everything of a command but what it does, and files of the reader's.
    monkeypatch.setattr(click.Command, "invoke", do_nothing)
    monkeypatch.setattr(click.Path, "convert", keep)
    text = document.read_text(encoding="utf-8")
    lines = [
        line
        for block in re.findall(r"^ *```sh\n(.*?)^ *```$", text, re.S | re.M)
        for line in block.splitlines()
    ]
    for line in lines:
        command = re.match(r" *(?:srun )?lamplighter\b([^>]*)", line)
        if command is not None:
            cli.main(shlex.split(command[1], comments=True), standalone_mode=False)


def test_the_makefile_has_the_targets_the_documents_name():
    makefile = (ROOT / "Makefile").read_text()
    for document in DOCS:
        for target in re.findall(r"`make ([a-z]+)`", document.read_text(encoding="utf-8")):
            assert re.search(rf"^{target}:", makefile, re.M), f"{document.name}: make {target}"


@pytest.mark.parametrize("document", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_python_name_in_a_document_can_be_imported(document: Path):
    # `lamplighter.localhost` is a host.
    for name in re.findall(
        r"`(lamplighter(?:\.(?!localhost`)\w+)+)[`(]", document.read_text(encoding="utf-8")
    ):
        module, _, last = name.rpartition(".")
        found = importlib.import_module(module)
        assert hasattr(found, last) or importlib.import_module(name), name


def test_the_reference_has_every_public_name(tmp_path: Path):
    subprocess.run([sys.executable, ROOT / "docs/making/make_reference.py", tmp_path], check=True, cwd=ROOT)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    stub = ast.parse((ROOT / "backend/lamplighter/__init__.pyi").read_text(encoding="utf-8"))
    (public,) = (ast.literal_eval(node.value) for node in stub.body if isinstance(node, ast.Assign))
    # The callbacks of trainers that are not installed are left out.
    wanted = {name for name in public if not name.endswith("Callback")}
    assert wanted
    assert wanted <= set(re.findall(r'<section id="(\w+)">', page))


PERMISSIONS = {
    "(MPL-2.0)": "If a copy of the MPL was not distributed with this file, You can obtain one at",
    "(MIT)": "The above copyright notice and this permission notice shall be included in all copies",
    "(OFL-1.1)": "each copy contains the above copyright notice and this license",
}
"""By licence: words of the notice that its packages must bring."""


@pytest.fixture(scope="module")
def notices() -> dict[str, str]:
    """Return the notice of each package, in one line, by its title."""
    built = (ROOT / "static" / "app" / "THIRD-PARTY.txt").read_text(encoding="utf-8")
    sections = [part.strip().partition("\n") for part in re.split(r"^-{80}$", built, flags=re.M)[1:]]
    return {title: " ".join(text.split()) for title, _, text in sections}


def test_the_notices_name_what_is_in_the_page(notices: dict[str, str]):
    names = [title.split()[0] for title in notices]
    assert {"svelte", "plotly.js-basic-dist-min"} <= set(names)
    assert len(names) == len(set(names))
    assert "@fontsource-variable/inter" in names
    for title, text in notices.items():
        permission = PERMISSIONS.get(title.rpartition(" ")[2])
        assert permission is not None, f"{title}: is that a licence we can ship under?"
        assert permission in text, title
        if title.endswith("(MPL-2.0)"):
            assert re.match(r"Its source code, which is not changed here: https://", text), title
        else:
            assert "Copyright" in text, title


def test_plotly_is_the_release_that_was_examined(notices: dict[str, str]):
    script = (ROOT / "static" / "app" / PLOTLY).read_text(encoding="utf-8")
    found = re.search(r"plotly\.js \(basic - minified\) v(\S+)", script[:300])
    assert found
    assert "MIT license" in script[:300]
    assert f"plotly.js-basic-dist-min {found[1]} (MIT)" in notices
    # Before this is changed: read its release notes, and look at the map and the charts.
    decision = ROOT / "docs/decisions/0007-land-and-names-travel-with-the-lamps.md"
    assert f"plotly.js {found[1]}" in decision.read_text(encoding="utf-8")
    # The content security policy forbids code that is compiled at run time.
    assert not re.search(r"\bnew Function\b|(?<![\w.$])(?:Function|eval)\(", script)


async def test_the_notices_are_served(tmp_path: Path):
    app = create_app(ServerSettings(tmp_path, port=PORT, roles=()))
    answer = await call(app, "GET", "/app/THIRD-PARTY.txt")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert b"svelte" in answer.body


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


def test_the_code_that_follows_umap_learn_has_its_licence_with_it(project: dict[str, Any]):
    notice = (ROOT / "NOTICE.md").read_text(encoding="utf-8")
    theirs = next(file for file in distribution("umap-learn").files or [] if file.name == "LICENSE.txt")
    assert theirs.read_text().strip() in notice
    for file in re.findall(r"`(backend/\S+\.py)`", notice):
        assert "NOTICE.md" in (ROOT / file).read_text(encoding="utf-8"), file
    # A wheel has it beside the licence.
    assert "NOTICE.md" in project["license-files"]


@pytest.mark.parametrize(
    "page",
    sorted(["INSTALL.md", "README.md", *(f"docs/{file.name}" for file in (ROOT / "docs").glob("*.md"))]),
)
def test_no_page_installs_by_name_what_no_index_has(page: str):
    """Until the first release anybody could take the names."""
    text = (ROOT / page).read_text(encoding="utf-8")
    assert re.findall(r"pip install [\'\"]?lamplighter\b", text) == []
