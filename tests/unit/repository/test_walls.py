"""The walls between the rooms of the backend hold: an import that a contract forbids breaks that contract."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

# A file, what is imported there against the rules, and the contract that must notice.
PLANTED = [
    ("wire/binary.py", "import lamplighter.serving.apps.app", "Layers of the application"),
    ("contract/answers/parts.py", "import lamplighter.contract.questions", "Layers inside the contract"),
    ("serving/reading/token_table.py", "import lamplighter.serving.live.hub", "Layers inside serving"),
    ("serving/routes/norms.py", "import lamplighter.serving.routes.pairs", "No route imports another"),
    (
        "runfolder/tables/tiles.py",
        "import lamplighter.runfolder.writing.step_commit",
        "Layers inside a run folder",
    ),
    ("projection/methods/pca.py", "import lamplighter.projection.projector", "Layers inside projection"),
    ("geometry/rank.py", "import lamplighter.geometry.purity", None),
    ("geometry/purity.py", "import lamplighter.geometry.rank", "No circle in any package"),
    (
        "exports/export.py",
        "import lamplighter.runfolder.sqlite.database",
        "SQLite plumbing is the run folder's own",
    ),
    ("model/step.py", "import lamplighter.model.observer", "The training step knows no observer"),
    ("model/checkpoint.py", "import lamplighter.runfolder.tables.steps", "The model writes no run"),
    ("analysis/measures.py", "import torch", "Only the model and training know torch"),
    (
        "client/errors.py",
        "import lamplighter.processes.worker",
        "What goes beside a training loop needs nothing else",
    ),
    ("corpora/build.py", "import umap", "Only the refitted map knows umap"),
    ("corpora/build.py", "import numba", "Only the map knows numba"),
    ("../living_map/rows.py", "import lamplighter.contract", "The living map knows nothing of Lamplighter"),
    ("exports/output.py", "import fastapi", "Only what answers requests knows fastapi and uvicorn"),
    ("web/settings.py", "import nats", "Only what servers share knows NATS"),
    ("serving/server_info.py", "import mcp", "Only the tools for agents know their protocol"),
    ("web/settings.py", "import apsw", "Only runfolder knows SQLite"),
    ("cli/sessions.py", "import obstore", "Only published runs know object stores"),
    ("web/hosts.py", "import lamplighter.web.settings", "Layers inside web"),
    # A room that no contract names is inside the walls all the same.
    ("newroom/shop.py", "import lamplighter.web.http.reply", "Only serving knows web"),
]


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return what import-linter says of a copy of the backend with one forbidden import for each contract."""
    copy = tmp_path_factory.mktemp("planted")
    for package in ("lamplighter", "living_map"):
        shutil.copytree(
            ROOT / "backend" / package, copy / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    for file, line, _ in PLANTED:
        path = copy / "lamplighter" / file
        path.parent.mkdir(exist_ok=True)
        (path.parent / "__init__.py").touch()
        with path.open("a", encoding="utf-8") as source:
            source.write(f"\n{line}\n")
    lint = Path(sys.executable).with_name("lint-imports")
    said = subprocess.run(
        [lint, "--config", ROOT / "pyproject.toml", "--no-cache"],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy), "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )
    assert said.returncode == 1, said.stdout + said.stderr
    return said.stdout


@pytest.mark.parametrize("contract", [contract for *_, contract in PLANTED if contract])
def test_a_forbidden_import_breaks_its_contract(broken: str, contract: str):
    assert any(line.startswith(contract) and "BROKEN" in line for line in broken.splitlines()), broken


def test_every_contract_has_its_planted_import():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    contracts = text.split("[tool.importlinter]", 1)[1].count("[[tool.importlinter.contracts]]")
    assert contracts == len([contract for *_, contract in PLANTED if contract])


def test_every_package_is_beside_the_loop_or_forbidden_there():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    loop = next(one for one in contracts["contracts"] if one["name"].startswith("What goes beside"))
    named = {
        name.split(".")[1]
        for name in (*loop["source_modules"], *loop["forbidden_modules"])
        if name != "living_map"
    }
    package = ROOT / "backend/lamplighter"
    # A package that has moved away may leave its bytecode.
    rooms = {path.parent.name for path in package.glob("*/__init__.py")}
    assert named == rooms | {path.stem for path in package.glob("[!_]*.py")}
