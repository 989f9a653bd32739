"""A Python client generated from `frontend/openapi.json` uploads, creates a run and reads it from a live server."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lamplighter
from tests.support.application import Application
from tests.support.runs import small_recipe, small_text

pytestmark = pytest.mark.tour

FILE = Path(__file__).parents[3] / "frontend/openapi.json"
NAME = "lamplighter_client"

Load = Callable[[str], Any]


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Load]:
    """Generate the client. Returns a function that imports a module of it."""
    folder = tmp_path_factory.mktemp("generated")
    # Unformatted, it has a `1and` in it, of which Python warns.
    hooks = [f"{Path(sys.executable).with_name('ruff')} format ."]
    (folder / "config.json").write_text(json.dumps({"post_hooks": hooks}), encoding="utf-8")
    words = [
        "--path",
        FILE,
        "--meta",
        "none",
        "--config",
        folder / "config.json",
        "--output-path",
        folder / NAME,
    ]
    done = subprocess.run(
        [sys.executable, "-m", "openapi_python_client", "generate", *map(str, words)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    # It leaves the picture out of its answers, and sends a text as bytes; that is all it has to say.
    assert [line for line in done.stderr.splitlines() if line.startswith(("WARNING", "ERROR"))] == [
        "WARNING parsing GET /api/runs/{run}/picture.png within runs.",
        "WARNING parsing POST /api/uploads within uploads.",
    ]
    sys.path.insert(0, str(folder))
    try:
        yield lambda name: importlib.import_module(f"{NAME}.{name}")
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] == NAME]:
            del sys.modules[name]


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    with Application(tmp_path / "runs", "serve") as started:
        yield started


def test_every_operation_has_its_function(generated: Load) -> None:
    for item in json.loads(FILE.read_text(encoding="utf-8"))["paths"].values():
        for operation in item.values():
            tag = {"map": "map_"}.get(operation["tags"][0], operation["tags"][0])
            assert callable(generated(f"api.{tag}.{operation['operationId']}").sync_detailed)


@pytest.fixture
def presenter(generated: Load, application: Application) -> Iterator[Any]:
    made = generated("client").AuthenticatedClient(application.url, application.token)
    with made as client:
        yield client


@pytest.fixture
def anyone(generated: Load, application: Application) -> Iterator[Any]:
    with generated("client").Client(application.url) as client:
        yield client


def test_it_uploads_creates_lists_and_reads(
    generated: Load, application: Application, presenter: Any, anyone: Any
) -> None:
    models, types = generated("models"), generated("types")
    text = small_text().encode()
    refused = generated("api.uploads.upload_text").sync(client=anyone, body=types.File(BytesIO(text)))
    assert isinstance(refused, models.Problem)
    assert refused.status == 401
    upload = generated("api.uploads.upload_text").sync(
        client=presenter, body=types.File(BytesIO(text)), name="words.txt"
    )
    assert upload.bytes_ == len(text)

    recipe = small_recipe(steps=30).model_dump(mode="json")
    created = generated("api.runs.create_run").sync(
        client=presenter, body=models.NewRun(recipe=models.Recipe.from_dict(recipe), upload=upload.upload)
    )
    run = application.run(created.id)
    application.wait_until_over(run)

    listed = generated("api.runs.list_runs").sync(client=anyone)
    assert [(one.id, one.status.step) for one in listed.items] == [(run.id, 30)]
    details = generated("api.runs.get_run").sync(run.id, client=anyone)
    assert details.recipe.to_dict() == recipe

    snapshot = generated("api.snapshots.get_snapshot").sync_detailed(
        run.id, 30, client=anyone, format_=models.GetSnapshotFormat.NPY
    )
    with lamplighter.open(run.path) as recorded:
        np.testing.assert_array_equal(np.load(BytesIO(snapshot.content)), recorded.snapshot(30))
        wanted = recorded.tokens[3]
    token = generated("api.tokens.get_token").sync(run.id, 3, client=anyone)
    assert (token.token, token.step, token.exact) == (wanted, 30, True)

    missing = generated("api.tokens.get_token").sync(run.id, 9_999, client=anyone)
    assert isinstance(missing, models.Problem)
    assert (missing.status, missing.title) == (404, "Not Found")
    assert "9999" in missing.detail
