"""A run folder with arbitrary damage reports its problem in a sentence and hides no other run."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import apsw
import pytest
from fastapi import FastAPI
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import lamplighter
from lamplighter.analysis.analyst import tile_next_stretch
from lamplighter.client.errors import InputError, NoLayoutError, NoSuchTokenError, NotBegunError
from lamplighter.contract.recipe_file import RecipeError
from lamplighter.exports.archive.run_zip import write_zip
from lamplighter.exports.formats.steps_csv import write_csv
from lamplighter.exports.formats.tensor_files import write_npy
from lamplighter.exports.output import ExportError, no_progress
from lamplighter.processes.desired_state import DesiredState
from lamplighter.runfolder.errors import READ_ERRORS, FormatError, NoSnapshotError
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.run_status import wants_training
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.measures import MeasuresWriter
from lamplighter.runfolder.tables.tiles import TilesWriter
from lamplighter.runfolder.writing.finalise import compact_run, seal_role_files, unsealed_roles
from lamplighter.serving.apps.app import create_app
from lamplighter.web.settings import ServerSettings
from tests.support.asgi import PORT, call
from tests.support.folders import FakeTrainer, finished_run, layout, make_run, write_layouts

FILES = (
    "recipe.json", "vocabulary.json", "corpus.json", "corpus.npy", "tokeniser.json", "steps.sqlite",
    "layouts.sqlite", "measures.sqlite", "tiles.sqlite", "trainer.lock", "checkpoints", "requests-x.sqlite",
)  # fmt: skip
ROUTES = (
    "", "steps", "steps/35", "steps/0", "events", "measures", "cost", "snapshots", "snapshots/35?format=npy",
    "snapshots/90?format=parquet&token_ids=1,2", "layouts", "layouts/30", "layouts/30?method=linear", "tokens",
    "tokens?search=dog", "tokens/3", "tokens/3?step=35", "tokens/3/path", "neighbours?token_id=17",
    "vectors?from=1&to=20", "exports", "lines", "examinations", "districts", "record",
)  # fmt: skip
SAID = (*READ_ERRORS, ExportError, InputError, NoLayoutError, NoSuchTokenError, NotBegunError, NoSnapshotError, RecipeError)  # fmt: skip
TEXTS = [("steps", "facts", "value"), ("steps", "events", "kind"), ("steps", "events", "message"),
         ("steps", "lines", "said"), ("steps", "energy", "spent"), ("measures", "measures", "name")]  # fmt: skip
JSONS = [b"", b"{}", b"[]", b"null", b'"x"', b"{", b"\xff\xfe", b"1e999", b"[" * 100_000, b'{"tokens": 3}',
         b'{"tokens": [], "counts": []}', b'{"format": 2}', b'{"format": "x"}', b'{"tokens": ["a"], "counts": ["b"]}']  # fmt: skip

numbers = itertools.count()


@pytest.fixture(scope="module")
def runs_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with one intact run; damaged copies are added beside it."""
    folder = tmp_path_factory.mktemp("runs")
    make_whole(folder)
    return folder


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run whose trainer was killed, so that its files are not sealed."""
    run = make_run(RunStore(tmp_path_factory.mktemp("begun")), steps=200)
    FakeTrainer(run).begin().train(45).crash()
    return run.path


@pytest.fixture(scope="module")
def app(runs_dir: Path) -> FastAPI:
    return create_app(ServerSettings(runs_dir, port=PORT, roles=()))


def make_whole(folder: Path) -> RunFolder:
    run = finished_run(folder, steps=100)
    write_layouts(run, layout(1, 0), layout(1, 30), layout(1, 100))
    with MeasuresWriter(run.measures_path) as measures:
        measures.commit(1, 30, {"purity": 0.5})
    with TilesWriter(run.tiles_path) as tiles:
        while True:
            with MatrixHistory(run) as history:
                if not tile_next_stretch(history, tiles, over=True):
                    break
    assert compact_run(run)
    assert all(seal_role_files(run, role) for role in unsealed_roles(run))
    return run


@st.composite
def damages(draw: st.DrawFn) -> Callable[[Path], None]:
    """Return a function that damages one file of a run folder."""
    name, other = draw(st.sampled_from(FILES)), draw(st.sampled_from(FILES))
    where, share = draw(st.lists(st.floats(0, 1), min_size=1, max_size=30)), draw(st.floats(0, 1))
    value, text = draw(st.integers(0, 255)), draw(st.sampled_from(JSONS))
    how = draw(st.sampled_from(["cut", "flip", "empty", "gone", "folder", "loop", "nowhere", "swap", "text", "noise",
                                "newer", "forbidden", "longer"]))  # fmt: skip

    def act(folder: Path) -> None:
        path = folder / name
        data = path.read_bytes() if path.is_file() else b""
        if how == "swap" and path.exists() and (folder / other).exists():
            aside = folder / "aside"
            path.rename(aside)
            if (folder / other).exists():
                (folder / other).rename(path)
            aside.rename(folder / other)
            return
        if how == "forbidden":
            if path.exists():
                path.chmod(0)
            return
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        match how:
            case "cut":
                path.write_bytes(data[: int(share * len(data))])
            case "flip" if data:
                made = bytearray(data)
                for at in where:
                    made[int(at * (len(made) - 1))] ^= value or 1
                path.write_bytes(made)
            case "noise" if data:
                at = int(share * len(data))
                path.write_bytes(data[:at] + bytes([value]) * (len(data) - at))
            case "newer" if data[:6] == b"SQLite":
                path.write_bytes(data[:60] + b"\0\0\0\x63" + data[64:])
            case "longer":
                path.write_bytes(data + bytes([value]) * 5_000)
            case "empty":
                path.touch()
            case "folder":
                path.mkdir()
            case "loop":
                path.symlink_to(path)
            case "nowhere":
                path.symlink_to(folder / "nowhere")
            case "text":
                path.write_bytes(text)
            case _:
                pass

    return act


def expect_success_or_message(do: Callable[[], object]) -> None:
    """Call `do`: it must succeed, or raise an expected error with a message."""
    error = None
    try:
        do()
    except SAID as caught:
        error = caught
    assert error is None or str(error)


def read_from_python(path: Path) -> None:
    run: lamplighter.Run | None = None
    with suppress(FormatError):
        run = lamplighter.open(path)
    if run is None:
        return
    looks: list[Callable[[], object]] = [
        lambda: run.status,
        lambda: run.tokens,
        lambda: run.snapshot(35),
        lambda: run.snapshot_steps(),
        lambda: run.path("dog"),
        lambda: run.layout(100),
        lambda: list(run.steps()),
        lambda: run.measures(),
        lambda: run.events(),
    ]
    for look in looks:
        expect_success_or_message(look)


def export_all(run: RunFolder) -> None:
    out = run.path.parent / ".out"
    for write in (
        lambda: write_zip(run, out / "zip", no_progress),
        lambda: write_csv(run, out / "csv", no_progress),
        lambda: write_npy(run, 35, out / "npy", no_progress),
    ):
        out.mkdir()
        expect_success_or_message(write)
        shutil.rmtree(out)


def supervise(run: RunFolder, whole: RunFolder) -> None:
    """Run a supervisor's checks over a damaged folder; none may fail."""
    wanted = DesiredState()
    wanted.refresh([run, whole])
    for role in ("trainer", "projector", "analyst"):
        wanted.needed_state(run, role)
    expect_success_or_message(lambda: wants_training(run))
    expect_success_or_message(lambda: [seal_role_files(run, role) for role in unsealed_roles(run)])


async def ask_everything(app: FastAPI, run_id: str, whole: str) -> None:
    listed = await call(app, "GET", "/api/runs")
    assert listed.status == 200
    items = {item["id"]: item for item in listed.json["items"]}
    assert items[whole]["readable"]
    assert items[run_id]["readable"] or items[run_id]["problem"]
    for route in ROUTES:
        answer = await call(app, "GET", f"/api/runs/{run_id}/{route}".rstrip("/"))
        assert answer.status < 500, (route, answer.body)
        if answer.status >= 400:
            assert json.loads(answer.body)["detail"], route


@contextmanager
def copy_of(run: Path, runs_dir: Path) -> Generator[Path]:
    # A new name each time, because caches are keyed by a run's name.
    path = runs_dir / f"damaged-{next(numbers)}"
    shutil.copytree(run, path)
    try:
        yield path
    finally:
        shutil.rmtree(path)


@pytest.mark.parametrize("examples", [25, pytest.param(150, marks=pytest.mark.tour)])
def test_a_damaged_folder_reports_its_problem_and_hides_no_other(
    runs_dir: Path, begun: Path, app: FastAPI, examples: int
) -> None:
    whole = next(run for run in RunStore(runs_dir).runs() if not run.id.startswith("damaged"))

    # Skip shrinking: it takes long, and the damage is small anyway.
    @settings(max_examples=examples, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
    @given(what=st.lists(damages(), min_size=1, max_size=2), unfinished=st.booleans())
    def look(what: list[Callable[[Path], None]], unfinished: bool) -> None:
        with copy_of(begun if unfinished else whole.path, runs_dir) as path:
            for damage in what:
                damage(path)
            look_everywhere(path, whole, app)

    look()


def look_everywhere(path: Path, whole: RunFolder, app: FastAPI) -> None:
    asyncio.run(ask_everything(app, path.name, whole.id))
    read_from_python(path)
    export_all(RunFolder(path))
    supervise(RunFolder(path), whole)


@pytest.mark.parametrize(("file", "table", "column"), TEXTS)
def test_a_text_that_is_not_utf_8_is_reported_as_damage(
    runs_dir: Path, app: FastAPI, file: str, table: str, column: str
) -> None:
    whole = next(run for run in RunStore(runs_dir).runs() if not run.id.startswith("damaged"))
    with copy_of(whole.path, runs_dir) as path:
        connection = apsw.Connection(str(path / f"{file}.sqlite"))
        bad = "CAST(x'ff' AS TEXT)"
        connection.execute(f"UPDATE {table} SET {column}={bad}")
        if not connection.changes():
            columns = list(connection.execute(f"SELECT name FROM pragma_table_info('{table}')"))
            values = [bad if name == column else str(1 << 32) for (name,) in columns]
            connection.execute(f"INSERT INTO {table} VALUES({','.join(values)})")
        connection.close()
        look_everywhere(path, whole, app)
