from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from lamplighter.contract.recipe import CorpusRecipe, Recipe
from lamplighter.runfolder.run_folder import RUN_ID_PATTERN
from lamplighter.runfolder.run_name import (
    MAX_RUN_NAME,
    NAME_FILE,
    PLAIN_NAME_FILE,
    clean_run_name,
    numbered_name,
    plain_run_name,
    read_run_name,
    write_run_name,
)
from lamplighter.runfolder.run_store import RunStore, create_recorded_run, run_id_of
from lamplighter.wire.vocabulary import Vocabulary

TOWN = "Lamptown"


def text_recipe(name: str = "", **changes: object) -> Recipe:
    return Recipe(corpus=CorpusRecipe(kind="text", name=name, **changes))  # pyright: ignore[reportArgumentType]


def test_new_runs_get_unique_names(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    shuffled = Recipe(corpus=CorpusRecipe(shuffle_words=True))
    recipes = (Recipe(), Recipe(), Recipe(seed=3), Recipe(seed=3), shuffled)
    made = [store.create(recipe) for recipe in recipes]
    names = store.names()
    assert [names[run.id] for run in made] == [
        TOWN,
        f"{TOWN} 2",
        "Lamptown · seed 3",
        "Lamptown · seed 3 (2)",
        "Lamptown, shuffled",
    ]


def test_keeps_a_name_when_another_run_is_removed(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    first, second = store.create(Recipe()), store.create(Recipe())
    store.trash(first)
    assert store.names() == {second.id: f"{TOWN} 2"}
    third = store.create(Recipe())
    assert store.names()[third.id] == TOWN


def test_names_a_text_after_its_file_or_its_first_words(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    text = "Alice was beginning to get very tired of sitting by her sister\n" * 9
    made = [
        store.create(text_recipe(name), text) for name in ("alice.txt", "", "a\u202eb\n\x1b[31m" + "x" * 150)
    ]
    names = [store.names()[run.id] for run in made]
    assert names[:2] == ["alice.txt", "Alice was beginning to get"]
    assert names[2].isprintable()
    assert len(names[2]) <= MAX_RUN_NAME
    assert names[2].endswith("…")


def test_unnamed_runs_get_stable_names(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    made = [store.create(Recipe()) for _ in range(3)]
    for number, run in enumerate(made):
        (run.path / NAME_FILE).unlink()
        os.utime(run.path / "recipe.json", (number, number))
    expected = {made[0].id: TOWN, made[1].id: f"{TOWN} 2", made[2].id: f"{TOWN} 3"}
    assert store.names() == RunStore(tmp_path).names() == expected
    (made[1].path / "recipe.json").write_text("{")
    assert store.names()[made[1].id] == made[1].id, "one that cannot be read is called by its id"


def test_a_recorded_run_has_a_name_too(tmp_path: Path) -> None:
    vocabulary = Vocabulary(("a", "b"), np.array([1, 1]))
    for folder, name, expected in (
        ("one", "my loop", "my loop"),
        ("two", "my loop", "my loop 2"),
        ("three", "", "A recorded run"),
    ):
        recipe = Recipe(corpus=CorpusRecipe(kind="recorded", name=name))
        assert read_run_name(create_recorded_run(tmp_path / folder, recipe, vocabulary)) == expected


@pytest.mark.parametrize(
    "name",
    ["", "   ", "\n", "a\x00b", "a\x1b[31m", "\u202egnirts", "\u200b", "x" * (MAX_RUN_NAME + 1), "a\ud800"],
)
def test_rejects_hostile_names(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="a name"):
        clean_run_name(name)
    run = RunStore(tmp_path).create(Recipe())
    with pytest.raises(ValueError, match="a name"):
        write_run_name(run.path, name)
    (run.path / NAME_FILE).write_bytes(name.encode("utf-8", "surrogatepass"))
    assert read_run_name(run) is None
    assert RunStore(tmp_path).names() == {run.id: TOWN}


def test_bounds_the_read_of_a_name_file(tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(Recipe())
    (run.path / NAME_FILE).write_bytes(b"x" * 1_000_000)
    assert read_run_name(run) is None
    (run.path / NAME_FILE).unlink()
    (run.path / NAME_FILE).mkdir()
    assert read_run_name(run) is None
    shutil.rmtree(run.path / NAME_FILE)


def test_normalises_white_space() -> None:
    assert clean_run_name("  Our \t class,\n 8b  ") == "Our class, 8b"
    assert clean_run_name("e\u0301cole 🏮") == "\u00e9cole 🏮"


def test_a_numbered_name_stays_within_the_limit() -> None:
    longest = "x" * MAX_RUN_NAME
    numbered = numbered_name(longest, [longest])
    assert numbered.endswith("… 2")
    assert len(numbered) == MAX_RUN_NAME
    assert clean_run_name(numbered_name(longest, [longest, numbered])).endswith("… 3")


@pytest.mark.parametrize(
    ("name", "run_id"),
    [
        ("My_Run", "my-run"),
        ("lr3e-3_v1.2", "lr3e-3-v1-2"),
        ("half-float8_e4m3fn", "half-float8-e4m3fn"),
        ("Größe 2", "grosse-2"),
        ("already-an--id-", "already-an--id-"),
        ("../../etc", "etc"),
        ("训练", "run"),
        ("", "run"),
        ("-x" * 100, ("x-" * 40)[:79]),
    ],
)
def test_every_name_gives_a_valid_id(name: str, run_id: str) -> None:
    assert run_id_of(name) == run_id
    assert re.fullmatch(RUN_ID_PATTERN, run_id)
    assert run_id_of(run_id) == run_id


def test_a_plain_name_reveals_no_word_of_the_text(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    text = "Alice was beginning to get very tired of sitting by her sister\n" * 9
    made = [store.create(text_recipe(name), text) for name in ("alice.txt", "", "alice.txt")]
    assert [store.names()[run.id] for run in made] == [
        "alice.txt",
        "Alice was beginning to get",
        "alice.txt 2",
    ]
    assert [plain_run_name(run) for run in made] == ["A text", "A text 2", "A text 3"]
    assert all(re.fullmatch(r"\d{4}-\d{2}-\d{2}-[0-9a-f]{6}", run.id) for run in made)
    store.trash(made[0])
    assert plain_run_name(made[1]) == "A text 2"
    write_run_name(made[1].path, "Wonderland")
    assert (read_run_name(made[1]), plain_run_name(made[1])) == ("Wonderland", "Wonderland")


def test_an_older_run_has_a_plain_name_without_a_number(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    made = [store.create(text_recipe("alice.txt", shuffle_words=True), "text") for _ in range(2)]
    for run in made:
        (run.path / PLAIN_NAME_FILE).unlink()
    assert [plain_run_name(run) for run in made] == ["A text, shuffled"] * 2
    (made[0].path / PLAIN_NAME_FILE).write_bytes(b"\x1b[31m")
    assert plain_run_name(made[0]) == "A text, shuffled"


def test_a_recorded_run_has_a_generic_plain_name(tmp_path: Path) -> None:
    recipe = Recipe(corpus=CorpusRecipe(kind="recorded", name="diary.npy"))
    vocabulary = Vocabulary(("a", "b"), np.array([1, 1]))
    made = [create_recorded_run(tmp_path / folder, recipe, vocabulary) for folder in ("one", "two")]
    assert [plain_run_name(run) for run in made] == ["A recorded run", "A recorded run 2"]
