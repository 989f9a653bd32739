"""The documents against the code: routes, frame fields, links, paths, commands and make targets exist."""

from __future__ import annotations

import importlib
import re
import shlex
from dataclasses import fields
from pathlib import Path

import click
import pytest

from lamplighter.cli.app import cli
from lamplighter.serving.apps.app import create_app
from lamplighter.serving.apps.class_app import OWN
from lamplighter.web.settings import ServerSettings
from lamplighter.wire.beat_frames import Beat, StepsBetween
from lamplighter.wire.grid_frames import GridChange, GridLayout
from lamplighter.wire.layout_frames import Layout
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Census, Rows

ROOT = Path(__file__).parents[3]
DOCS = [
    *(ROOT / name for name in ("README.md", "INSTALL.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]


REST = (ROOT / "docs/rest.md").read_text(encoding="utf-8")
_NO_ROUTES = ("/launch", "/lamplighter", "/api/docs", "/api/openapi.json")
"""Beginnings of paths that the schema does not have: pages for browsers, and an example of a proxy's path."""


def test_every_route_in_the_rest_document_exists(tmp_path: Path):
    schema = create_app(ServerSettings(runs=tmp_path)).openapi()
    routes = {(method.upper(), path) for path, methods in schema["paths"].items() for method in methods}
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
