"""Sets of runs: made whole, found one level deep, and read as hostile."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from lamplighter.contract.recipe import Recipe
from lamplighter.contract.recipe_file import RecipeError
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import read_run_name
from lamplighter.runfolder.run_set import MAX_MEMBERS, SET_FILE, GridAxis, is_member
from lamplighter.runfolder.run_store import NoSuchRunError, NoSuchSetError, RunStore
from lamplighter.runfolder.writing.set_creation import create_set, expand_grid
from tests.support.folders import finished_run, make_run
from tests.support.swept import SEEDS, make_set
from tests.support.synthetic_runs.compared_runs import make_fork

RATES = GridAxis(field="optimiser.learning_rate", values=[0.001, 0.01])


def test_a_set_is_a_folder_of_runs_that_differ_in_the_grid(tmp_path: Path) -> None:
    run_set = make_set(tmp_path, RATES, SEEDS, GridAxis(field="steps", values=[40]))
    facts = run_set.facts
    # A single value is set, and is no axis.
    assert [axis.field for axis in facts.grid] == ["optimiser.learning_rate", "seed"]
    assert facts.recipe.steps == 40
    found = [(member.settings, run) for member, run in run_set.members()]
    assert [tuple(settings.values()) for settings, _ in found] == [
        (rate, seed) for rate in (0.001, 0.01) for seed in (0, 1, 2)
    ]
    for settings, run in found:
        assert run is not None
        assert is_member(run)
        recipe = run.recipe
        assert (recipe.optimiser.learning_rate, recipe.seed) == tuple(settings.values())
        assert recipe.steps == 40
        assert run.source_path.exists()
    assert found[5][1] is not None
    assert read_run_name(found[5][1]) == "small.txt · 6 runs · learning_rate 0.01, seed 2"
    assert read_run_name(found[5][1], plain=True) == "A text · 6 runs · learning_rate 0.01, seed 2"
    # A second one has another name, and another id.
    assert make_set(tmp_path).facts.name == "small.txt · 3 runs"
    assert make_set(tmp_path).facts.name == "small.txt · 3 runs 2"


def test_the_store_finds_members_one_level_deep(tmp_path: Path) -> None:
    store, run_set = RunStore(tmp_path), make_set(tmp_path)
    alone = make_run(store)
    ids = [member.run for member, _ in run_set.members()]
    assert {run.id for run in store.runs()} == {alone.id, *ids}
    # The first member is listed first.
    assert [run.id for run in store.runs() if is_member(run)] == ids
    assert store.find(ids[1]).path == run_set.path / ids[1]
    assert [one.id for one in store.sets()] == [run_set.id]
    assert store.find_set(run_set.id).path == run_set.path
    for name in (run_set.id, "..", f"{run_set.id}/{ids[0]}"):
        with pytest.raises(NoSuchRunError):
            store.find(name)
    for name in (alone.id, ids[0], "..", ""):
        with pytest.raises(NoSuchSetError):
            store.find_set(name)
    # The folder of a set is a folder of runs of its own.
    inside = RunStore(run_set.path)
    assert [run.id for run in inside.runs()] == ids
    assert inside.find_set(run_set.id).facts == run_set.facts
    assert [one.id for one in inside.sets()] == [run_set.id]
    # A copy of a set has members of the same ids: each is listed once, and the first is found.
    shutil.copytree(run_set.path, tmp_path / "zz-copy")
    assert len(store.runs()) == 4
    assert store.find(ids[0]).path.parent == run_set.path
    # A member in the trash is missing from its set.
    store.trash(store.find(ids[0]))
    assert run_set.members()[0][1] is None


def test_links_lead_nowhere(tmp_path: Path) -> None:
    outside, store = make_set(tmp_path / "outside"), RunStore(tmp_path / "runs")
    (store.path / "linked").symlink_to(outside.path)
    inside = store.path / "inside"
    inside.mkdir()
    (inside / "a-run").symlink_to(outside.path / outside.facts.members[0].run)
    (inside / SET_FILE).symlink_to(outside.path / SET_FILE)
    assert store.sets() == []
    assert [run.id for run in store.runs()] == ["inside"]
    (inside / SET_FILE).unlink()
    shutil.copy(outside.path / SET_FILE, inside)
    assert [one.id for one in store.sets()] == ["inside"]
    assert store.runs() == []
    assert [run for _, run in store.find_set("inside").members()] == [None, None, None]
    # A run is no set, even with such a file.
    run = make_run(store)
    shutil.copy(outside.path / SET_FILE, run.path)
    assert [one.id for one in store.runs()] == [run.id]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"format": 2}, "format"),
        ({"members": [{"run": "../../etc", "settings": {}}]}, "run"),
        ({"members": [{"run": "a", "settings": {"seed": [1]}}]}, "seed"),
        ({"members": [{"run": "a", "settings": {}}] * (MAX_MEMBERS + 1)}, "members"),
        ({"name": ""}, "name"),
        ({"recipe": {"steps": 0}}, "steps"),
        ({"more": 1}, "more"),
    ],
)
def test_a_damaged_file_is_told_in_one_sentence(tmp_path: Path, change: dict[str, object], says: str) -> None:
    run_set = make_set(tmp_path)
    file = run_set.path / SET_FILE
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(FormatError, match=says):
        _ = RunStore(tmp_path).find_set(run_set.id).facts


@pytest.mark.parametrize("text", ["", "[]", "[" * 100_000, '{"name": "\ud800"}', "x" * (2 << 20)])
def test_what_is_no_file_of_a_set_is_refused(tmp_path: Path, text: str) -> None:
    run_set = make_set(tmp_path)
    (run_set.path / SET_FILE).write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(FormatError, match=SET_FILE):
        _ = RunStore(tmp_path).find_set(run_set.id).facts
    assert len(RunStore(tmp_path).runs()) == 3


@pytest.mark.parametrize(
    ("field", "values", "says"),
    [
        ("learning_rate", [0.1], "no field"),
        ("optimiser", [1], "no field"),
        ("optimiser.kind.x", [1], "no field"),
        ("corpus.name", ["x"], "no field"),
        ("prompts", ["x"], "no field"),
        ("steps", ["many"], "steps"),
        ("model.dim", [30], "multiple of heads"),
        ("seed", [1, 1], "each once"),
        ("seed", [3, 3.0], "each once"),
        ("seed", [], "at least one"),
        ("seed", list(range(MAX_MEMBERS + 1)), "at most"),
        ("corpus.kind", ["text"], "--corpus"),
        ("corpus.kind", ["recorded"], "recorded"),
    ],
)
def test_a_grid_that_does_not_fit_is_refused_and_leaves_nothing(
    tmp_path: Path, field: str, values: list[bool | int | float | str], says: str
) -> None:
    with pytest.raises(RecipeError, match=says):
        create_set(RunStore(tmp_path), Recipe(), [GridAxis(field=field, values=values)])
    assert list(tmp_path.iterdir()) == []


def test_a_field_is_varied_once() -> None:
    with pytest.raises(RecipeError, match="given twice"):
        expand_grid(Recipe(), [SEEDS, SEEDS])


def test_a_fork_is_refused(tmp_path: Path) -> None:
    fork = make_fork(finished_run(tmp_path / "runs"), 12)
    sets = tmp_path / "sets"
    sets.mkdir()
    with pytest.raises(RecipeError, match="a fork cannot be swept"):
        create_set(RunStore(sets), fork.recipe, [SEEDS])
    assert list(sets.iterdir()) == []


def test_a_set_that_cannot_be_made_whole_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lamplighter.runfolder.writing.set_creation.write_run_name", fail)
    with pytest.raises(OSError, match="No space"):
        make_set(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_run_outside_is_no_member(tmp_path: Path) -> None:
    assert not is_member(make_run(RunStore(tmp_path)))
    assert not is_member(RunFolder(tmp_path / "nothing" / "there"))
