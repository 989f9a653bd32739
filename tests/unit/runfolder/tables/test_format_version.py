"""The number of the format rises with the tables of a run's files and with the shapes of what they hold."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import apsw
from safetensors import safe_open

from lamplighter.platform.energy.energy_method import SpentEnergy
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.sqlite.database import FORMAT_VERSION
from lamplighter.runfolder.tables import examinations, exchanges, layouts, measures, requests, steps, tiles
from lamplighter.runfolder.tables.energy import encode_energy
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.training.worker import train
from tests.support.runs import make_run

KNOWN = {3: "d2f8ffb8680874da", 4: "28d010c389561613"}
"""The digest of each number of the format since 3."""
CHANGED = (
    "The tables or facts of a run's files are others than those of format {version}. If the code before cannot read them: keep a run"
    " of that code (python tests/golden/make_old_run.py COMMIT), raise FORMAT_VERSION and the `version` that the file's writer gives, and let a golden run show that the"
    " earlier ones are still read. If it can: replace the digest. The digest is now {digest}."
)
SCHEMAS = {
    "steps": steps.WHOLE_SCHEMA,
    "layouts": layouts.SCHEMA,
    "measures": measures.SCHEMA,
    "tiles": tiles.SCHEMA,
    "examinations": examinations.SCHEMA,
    "exchanges": exchanges.SCHEMA,
    "requests": requests.SCHEMA,
}


def tables_of(schema: str) -> list[Any]:
    connection = apsw.Connection(":memory:")
    connection.execute(schema)
    return [
        " ".join(str(sql).split())
        for (sql,) in connection.execute("SELECT sql FROM sqlite_schema WHERE sql NOT NULL ORDER BY name")
    ]


def shape_of(value: Any) -> Any:
    """Return a JSON value without its numbers and texts, which may differ between machines."""
    if isinstance(value, dict):
        return {name: shape_of(inside) for name, inside in value.items()}
    return [shape_of(inside) for inside in value[:1]] if isinstance(value, list) else "value"


def shapes_of(run: RunFolder) -> dict[str, Any]:
    with StepsReader(run.steps_path) as reader:
        found = {name: shape_of(value) for name, value in reader.facts().items()}
    (checkpoint,) = run.checkpoints.glob("*.safetensors")
    with safe_open(checkpoint, "np") as state:
        found["checkpoint"] = [sorted(state.keys()), shape_of(state.metadata())]
    found["energy"] = len(json.loads(encode_energy(SpentEnergy())))
    return found


def test_the_number_rises_with_the_tables_and_facts(tmp_path: Path):
    run = make_run(tmp_path, steps=1)
    train(run)
    written = {name: tables_of(schema) for name, schema in SCHEMAS.items()} | {"shapes": shapes_of(run)}
    digest = sha256(json.dumps(written, sort_keys=True).encode()).hexdigest()[:16]
    assert KNOWN.get(FORMAT_VERSION) == digest, CHANGED.format(version=FORMAT_VERSION, digest=digest)
