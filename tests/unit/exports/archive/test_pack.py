"""A run survives export to a zip and import, except for the parts that must not be trusted."""

from __future__ import annotations

import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from lamplighter.analysis.analyst import Analyst
from lamplighter.contract.recipe import Recipe
from lamplighter.exports.archive.import_run import ImportedRun, import_zip
from lamplighter.exports.export import export_run
from lamplighter.exports.output import Cancelled, ExportError, no_progress
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.importing.imported_run import IMPORTED_FACT
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.output_matrix import read_output_matrix_at
from lamplighter.runfolder.reading.run_status import read_status, wants_training
from lamplighter.runfolder.role_lock import RoleLock
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import NAME_FILE, derive_run_name, read_run_name, write_run_name
from lamplighter.runfolder.run_store import RunStore, create_recorded_run
from lamplighter.runfolder.tables.layouts import LayoutsReader, LayoutsWriter
from lamplighter.runfolder.tables.lines import SpokenLine, encode_lines
from lamplighter.runfolder.tables.measures import MeasuresReader, MeasuresWriter
from lamplighter.runfolder.tables.requests import RequestsWriter
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.layout_frames import Layout, Method
from lamplighter.wire.vocabulary import Vocabulary
from tests.support.synthetic_runs.good_run import CHECKPOINT, WAYPOINT, write_checkpoint
from tests.support.synthetic_runs.growing_run import GrowingRun
from tests.support.synthetic_runs.recorded import record

COMPARED = "its files are those that SHA256SUMS lists"


def brought(run: RunFolder, tmp_path: Path) -> ImportedRun:
    return import_zip(
        RunStore(tmp_path / "other"), export_run(run, "zip", out=tmp_path / "run.zip"), no_progress
    )


def test_a_run_round_trips(tmp_path: Path) -> None:
    run = record(tmp_path / "runs")
    back, remarks = brought(run, tmp_path)
    assert remarks == (COMPARED,)
    assert back.id != run.id
    assert back.recipe == run.recipe
    assert back.vocabulary.tokens == run.vocabulary.tokens
    assert back.vocabulary.classes == run.vocabulary.classes
    assert (back.token_ids == run.token_ids).all()
    with MatrixHistory(run) as ours, MatrixHistory(back) as theirs:
        assert theirs.steps.pulses(0, 99) == ours.steps.pulses(0, 99)
        assert theirs.steps.keyframe_steps() == ours.steps.keyframe_steps()
        assert (theirs.snapshot(17).vectors == ours.snapshot(17).vectors).all()
        assert [e.message for e in theirs.steps.events()] == [e.message for e in ours.steps.events()]
    with LayoutsReader(run.layouts_path) as ours_too, LayoutsReader(back.layouts_path) as theirs_too:
        assert theirs_too.last_written(Method.UMAP) == ours_too.last_written(Method.UMAP)
        assert theirs_too.layout_entries() == ours_too.layout_entries()
        assert theirs_too.last_written_districts() == ours_too.last_written_districts()
        assert theirs_too.last_written_districts() is not None
        assert theirs_too.district_events() == ours_too.district_events()
        assert theirs_too.facts()["next_district"] == 6
    with MeasuresReader(back.measures_path) as measures:
        assert measures.by_step()[30] == {"purity": 0.9, "=rank": 3.0}
    assert not list((tmp_path / "other").glob(".*"))


def test_tiles_and_a_smoothed_map_round_trip(tmp_path: Path) -> None:
    made = GrowingRun(tmp_path / "runs", size=30, dim=4)
    made.grow(437, rows=5)
    made.end()
    Analyst(made.folder).run()
    for path in (made.folder.relayouts_path, made.folder.output_layouts_path):
        with LayoutsWriter(path) as maps:
            maps.commit(Layout(1, 437, 1e9, Method.UMAP, np.ones((30, 2), dtype=np.float32)))
            maps.set_facts({"made": 1e9})
            maps.close(sealed=True)
    back, _ = brought(made.folder, tmp_path)
    with MatrixHistory(back) as history:
        assert not history.steps.has_rows()
        assert history.exact_steps().tolist() == list(range(438))
        for step in (0, 1, 199, 200, 201, 333, 437):
            assert (history.snapshot(step).vectors == made.history[step]).all()
    for path in (back.relayouts_path, back.output_layouts_path):
        with LayoutsReader(path) as again:
            assert again.facts()["made"] == 1e9
            assert [entry.step for entry in again.layout_entries()] == [437]


def test_held_out_text_and_families_round_trip(tmp_path: Path) -> None:
    run = record(tmp_path / "runs", held_out=True)
    back, _ = brought(run, tmp_path)
    assert run.held_out_ids is not None
    assert back.held_out_ids is not None
    assert (back.held_out_ids == run.held_out_ids).all()
    assert back.vocabulary.families == {"numbers": ("odd", "even")}
    with StepsReader(back.steps_path) as steps:
        assert steps.held_out_losses(0, 99) == {10: 4.5, 20: 3.5, 30: 2.5}


def test_lines_round_trip(tmp_path: Path) -> None:
    run = record(tmp_path / "runs")
    said = encode_lines([SpokenLine((1, 2), (3, 4), (0.5, 0.25), True)])
    with StepsWriter(run.steps_path) as writer:
        writer.add_lines(10, said)
        writer.set_facts({"prompts": [[1, 2]]})
        writer.close(sealed=True)
    back, _ = brought(run, tmp_path)
    with StepsReader(back.steps_path) as steps:
        assert steps.lines(0, 99, 9) == {10: said}
        assert steps.facts()["prompts"] == [[1, 2]]


def test_a_run_without_optional_data_round_trips(tmp_path: Path) -> None:
    run = record(tmp_path / "runs")
    back, _ = brought(run, tmp_path)
    assert back.held_out_ids is None
    assert back.vocabulary.families == {}
    assert "families" not in (back.path / "vocabulary.json").read_text("utf-8")
    with StepsReader(run.steps_path) as before, StepsReader(back.steps_path) as after:
        assert before.held_out_losses(0, 99) == after.held_out_losses(0, 99) == {}
        assert before.lines(0, 99, 9) == after.lines(0, 99, 9) == {}
        assert before.scalars(0, 99) == after.scalars(0, 99) == {}
        assert before.newest_energy(9) == after.newest_energy(9) == []
        assert before.newest_step() == after.newest_step() == (1, 30)


def test_contains_only_the_files_of_a_run(tmp_path: Path) -> None:
    run = record(tmp_path / "runs")
    RequestsWriter(run.path, "abc").add("pause", {})
    for name in (".presenter-token", "logs/trainer.log", "notes.txt", "checkpoints/x.part"):
        (run.path / name).parent.mkdir(exist_ok=True)
        (run.path / name).write_text("secret")
    with RoleLock(run.path, "trainer"):
        names = zipfile.ZipFile(export_run(run, "zip", out=tmp_path / "run.zip")).namelist()
    assert {n.removeprefix(f"{run.id}/") for n in names} == {
        "SHA256SUMS", "recipe.json", "name.txt", "source.txt", "corpus.json", "corpus.npy", "tokeniser.json", "vocabulary.json",
        "steps.sqlite", "layouts.sqlite", "measures.sqlite",
    }  # fmt: skip


def test_packs_a_waypoint_that_is_a_checkpoint_only_once(tmp_path: Path) -> None:
    run = record(tmp_path / "runs")
    for name in (CHECKPOINT, WAYPOINT, "waypoints/0000000020-0001.safetensors"):
        write_checkpoint(run, name)
    run.waypoints.joinpath("0000000030-0001.safetensors").hardlink_to(run.path / CHECKPOINT)
    for stray in ("0000000040-0001.part", "7.safetensors"):
        run.waypoints.joinpath(stray).write_bytes(b"half")
    back, remarks = brought(run, tmp_path)
    assert remarks == (COMPARED,)
    names = [name.split("/", 1)[1] for name in zipfile.ZipFile(tmp_path / "run.zip").namelist()]
    assert [name for name in names if name.endswith(("safetensors", "part"))] == [
        CHECKPOINT, WAYPOINT, "waypoints/0000000020-0001.safetensors",
    ]  # fmt: skip
    assert sorted(path.name for path in back.waypoints.iterdir()) == [
        f"00000000{step}-0001.safetensors" for step in (10, 20, 30)
    ]
    assert (back.path / WAYPOINT).read_bytes() == (run.path / WAYPOINT).read_bytes()
    assert (back.path / CHECKPOINT).samefile(back.waypoints / "0000000030-0001.safetensors")
    # The import has looked at the embedding's header alone.
    with (
        StepsReader(back.steps_path) as steps,
        pytest.raises(FormatError, match="no output matrix of this run's model"),
    ):
        read_output_matrix_at(back, steps, 15)


def test_skips_waypoints_removed_during_the_export(tmp_path: Path) -> None:
    run = record(tmp_path / "runs")
    write_checkpoint(run, CHECKPOINT)
    write_checkpoint(run, WAYPOINT)

    def thin(share: float, what: str) -> None:
        (run.path / WAYPOINT).unlink(missing_ok=True)

    packed = export_run(run, "zip", out=tmp_path / "run.zip", progress=thin)
    back, _ = import_zip(RunStore(tmp_path / "other"), packed, no_progress)
    assert [path.name for path in back.checkpoints.iterdir()] == [CHECKPOINT.split("/")[1]]
    assert not back.waypoints.exists()


def test_keeps_the_name_and_numbers_duplicates(tmp_path: Path) -> None:
    run = record(tmp_path / "runs")
    write_run_name(run.path, "Our class")
    packed = export_run(run, "zip", out=tmp_path / "run.zip")
    store = RunStore(tmp_path / "other")
    names = [read_run_name(import_zip(store, packed, no_progress).run) for _ in range(2)]
    assert names == ["Our class", "Our class 2"]


@pytest.mark.parametrize("name", [None, "", "\u202egnirts", "x" * 4_000])
def test_rejects_an_invalid_name(tmp_path: Path, name: str | None) -> None:
    run = record(tmp_path / "runs")
    (run.path / NAME_FILE).unlink()
    if name is not None:
        (run.path / NAME_FILE).write_text(name, encoding="utf-8")
    packed = export_run(run, "zip", out=tmp_path / "run.zip")
    store = RunStore(tmp_path / "other")
    if name is None:
        run = import_zip(store, packed, no_progress).run
        assert read_run_name(run) == derive_run_name(run)
        return
    with pytest.raises(ExportError, match=r"name\.txt is not a name that can be shown"):
        import_zip(store, packed, no_progress)
    assert store.runs() == []


def test_exports_a_live_run_as_of_one_moment(tmp_path: Path) -> None:
    run = record(tmp_path / "runs", phase="running")
    with StepsWriter(run.steps_path) as writer:
        writer.set_facts({"message": "only in the WAL"})
        back, remarks = brought(run, tmp_path)
    with StepsReader(back.steps_path) as reader:
        assert reader.newest_step() == (1, 30)
    assert "running" in remarks[-1]


@pytest.mark.parametrize("phase", ["running", "paused", "preparing", "something else"])
def test_an_imported_run_is_not_trained_automatically(tmp_path: Path, phase: str) -> None:
    back, remarks = brought(record(tmp_path / "runs", phase=phase), tmp_path)
    assert read_status(back).phase == "interrupted"
    assert not wants_training(back)
    assert phase in remarks[-1]


def test_old_requests_are_not_taken_for_new_ones(tmp_path: Path) -> None:
    back, _ = brought(record(tmp_path / "runs"), tmp_path)
    RequestsWriter(back.path, "cli").add("continue", {"steps": 5})
    assert wants_training(back)
    again, _ = import_zip(
        RunStore(tmp_path / "third"), export_run(back, "zip", out=tmp_path / "again.zip"), no_progress
    )
    assert not wants_training(again)


def test_a_cancelled_export_leaves_nothing(tmp_path: Path) -> None:
    run = record(tmp_path / "runs")

    def cancel(share: float, what: str) -> None:
        if share > 0.3:
            raise Cancelled

    with pytest.raises(Cancelled):
        export_run(run, "zip", out=tmp_path / "out" / "run.zip", progress=cancel)
    assert list((tmp_path / "out").iterdir()) == []
    packed = export_run(run, "zip", out=tmp_path / "run.zip")
    with pytest.raises(Cancelled):
        import_zip(RunStore(tmp_path / "other"), packed, cancel)
    assert list((tmp_path / "other").iterdir()) == []


def test_export_errors_are_one_line(tmp_path: Path) -> None:
    run = record(tmp_path / "runs")
    (tmp_path / "there").write_text("mine")
    for wrong in (
        {"format": "zip", "out": tmp_path / "there"},
        {"format": "zip", "step": 3},
        {"format": "docx"},
    ):
        with pytest.raises(ExportError) as caught:
            export_run(run, **wrong)  # pyright: ignore[reportArgumentType]
        assert "\n" not in str(caught.value)
    assert (tmp_path / "there").read_text() == "mine"


def test_a_run_without_a_corpus_round_trips(tmp_path: Path) -> None:
    recipe = Recipe.model_validate({"corpus": {"kind": "recorded"}, "model": {"dim": 2, "heads": 1}})
    run = create_recorded_run(tmp_path / "runs" / "mine", recipe, Vocabulary(("a", "b"), np.array([1, 1])))
    with StepsWriter(run.steps_path) as writer:
        writer.start_attempt(3)
        writer.set_facts({"phase": "finished"})
    back, remarks = brought(run, tmp_path)
    assert (back.vocabulary.tokens, remarks) == (("a", "b"), (COMPARED,))
    assert not wants_training(back)


def test_shortens_texts_and_drops_unknown_facts(tmp_path: Path) -> None:
    run = record(tmp_path / "runs")
    with StepsWriter(run.steps_path) as writer:
        writer.set_facts({"message": "x" * 9_000, "more": {"a": [1]}, "snapshots": "some"})
        writer.add_event(30, "room", "y" * 9_000)
        writer.close(sealed=True)
    with MeasuresWriter(run.measures_path) as measures:
        measures.commit(1, 20, {"purity": float("inf")})
        measures.close(sealed=True)
    back, _ = brought(run, tmp_path)
    with StepsReader(back.steps_path) as reader:
        facts, events = reader.facts(), reader.events()
    assert facts["message"] == "x" * 499 + "…"
    assert {"more", "snapshots"} & set(facts) == set()
    assert time.time() - 60 < facts[IMPORTED_FACT] <= time.time()
    assert events[-1].message == "y" * 499 + "…"
    with MeasuresReader(back.measures_path) as measures_back:
        assert 20 not in measures_back.by_step()


@pytest.mark.parametrize("name", ["trained", "recorded"])
def test_trained_and_recorded_runs_are_within_all_bounds(tmp_path: Path, name: str) -> None:
    golden = Path(__file__).parents[3] / "golden" / "runs-format-2.zip"
    with zipfile.ZipFile(golden) as archive:
        archive.extractall(tmp_path / "runs")
    run = RunFolder(tmp_path / "runs" / name)
    back, remarks = brought(run, tmp_path)
    assert remarks == (COMPARED,)
    assert {path.name for path in back.path.iterdir()} >= {
        path.name for path in run.path.iterdir() if path.suffix == ".sqlite"
    }
    with MatrixHistory(run) as ours, MatrixHistory(back) as theirs:
        assert theirs.exact_steps().tolist() == ours.exact_steps().tolist()
        last = int(ours.exact_steps()[-1])
        assert (theirs.snapshot(last).vectors == ours.snapshot(last).vectors).all()
        assert theirs.steps.pulses(0, 99) == ours.steps.pulses(0, 99)
