"""The changes of a recipe that make a fork: each of them, and those that are refused."""

from __future__ import annotations

from typing import Any

import pytest

from lamplighter.contract.fork_parent import Change
from lamplighter.contract.recipe import Recipe
from lamplighter.forks.changes import FIELDS, change_recipe
from lamplighter.forks.errors import ForkError

V = 2_400


def town(**fields: Any) -> Recipe:
    return Recipe.model_validate(fields)


@pytest.mark.parametrize(
    ("field", "value", "change"),
    [
        ("optimiser.learning_rate", 0.01, (0.003, 0.01)),
        ("optimiser.kind", "sgd", ("adam", "sgd")),
        ("optimiser.clip_norm", 2, (1.0, 2)),
        ("optimiser.embedding_factor", 1.0, (5.0, 1.0)),
        ("optimiser.frozen", ["output", "embedding"], ("", "embedding output")),
        ("optimiser.weight_decay", 0.5, (0.0, 0.5)),
        ("sequences", 32, (16, 32)),
        ("passages", 2, (4, 2)),
        ("seed", 7, (0, 7)),
        ("corpus.shuffle_words", True, (False, True)),
        ("corpus.kind", "manuals", ("lamptown", "manuals")),
        ("corpus.kind", "othertown", ("lamptown", "othertown")),
        ("corpus.planted", ["robot android antenna"], ("", "robot android antenna")),
    ],
)
def test_each_change(field: str, value: Any, change: tuple[Any, Any]) -> None:
    recipe, changes = change_recipe(town(optimiser={"kind": "adam"}), {field: value}, V)
    assert [(one.field, one.before, one.after) for one in changes] == [(field, *change)]
    assert recipe.format == 2
    # They can be read again.
    assert [Change.model_validate(one.model_dump()) for one in changes] == list(changes)


def test_every_field_is_tried_above() -> None:
    tried = {mark.args[1][number][0] for mark in [test_each_change.pytestmark[0]] for number in range(13)}  # pyright: ignore[reportFunctionMemberAccess]
    assert tried == set(FIELDS)


def test_other_town_keeps_the_kind_of_the_text() -> None:
    recipe, _ = change_recipe(town(), {"corpus.kind": "othertown"}, V)
    assert (recipe.corpus.kind, recipe.corpus.other_town) == ("lamptown", True)


def test_planted_words_are_added_and_have_room() -> None:
    before = town(corpus={"planted": ["robot android antenna"], "vocabulary_size": V})
    recipe, _ = change_recipe(before, {"corpus.planted": ["zebu okapi horn"]}, V)
    assert recipe.corpus.planted == ("robot android antenna", "zebu okapi horn")
    assert recipe.corpus.vocabulary_size == V + 3


def test_another_text_takes_planted_words_away() -> None:
    before = town(corpus={"planted": ["robot android antenna"]})
    recipe, _ = change_recipe(before, {"corpus.kind": "novels"}, V)
    assert recipe.corpus.planted == ()


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"model.dim": 32}, "changes", "cannot be changed in a fork"),
        ({"\x1b[31mred": 1}, "changes", "cannot be changed"),
        ({"steps": 3}, "changes", "cannot be changed"),
        ({"optimiser.learning_rate": 0.003}, "changes.optimiser.learning_rate", "is 0.003 already"),
        ({"optimiser.learning_rate": "fast"}, "changes.optimiser.learning_rate", "number"),
        ({"optimiser.learning_rate": float("nan")}, "changes.optimiser.learning_rate", "finite"),
        ({"optimiser.learning_rate": [1]}, "changes.optimiser.learning_rate", "one value"),
        ({"optimiser.learning_rate": -1}, "changes.optimiser.learning_rate", "greater than 0"),
        ({"optimiser.kind": "lion"}, "changes.optimiser.kind", "lazy"),
        ({"optimiser.frozen": ["attention"]}, "changes.optimiser.frozen", "embedding"),
        ({"optimiser.frozen": 3}, "changes.optimiser.frozen", "list of matrices"),
        (
            {"optimiser.frozen": "embedding", "optimiser.embedding_factor": 2},
            "changes.optimiser.embedding_factor",
            "frozen",
        ),
        ({"sequences": 6}, "changes", "multiple of passages"),
        ({"seed": True}, "changes.seed", "integer"),
        ({"corpus.kind": "lamptown"}, "changes.corpus.kind", "lamptown already"),
        ({"corpus.kind": ["novels"]}, "changes.corpus.kind", "one of"),
        ({"corpus.kind": "othertown", "corpus.shuffle_words": True}, "changes.corpus.kind", "shuffled words"),
        (
            {"corpus.kind": "novels", "corpus.planted": ["robot android antenna"]},
            "changes.corpus.planted",
            "Lamptown",
        ),
        ({"corpus.planted": ["cat android antenna"]}, "changes.corpus.planted", "'cat' already"),
        ({"corpus.planted": ["one two"]}, "changes.corpus.planted", "three words"),
        ({"corpus.planted": "robot android antenna"}, "changes.corpus.planted", "list of rows"),
        ({f"field{number}": number for number in range(17)}, "changes", "at most 16"),
    ],
)
def test_refused(changes: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(ForkError, match=words) as refused:
        change_recipe(town(), changes, V)
    assert refused.value.field == field
    assert "\x1b" not in str(refused.value)


def test_tied_weights_have_one_rate_and_one_matrix() -> None:
    tied = town(model={"tied": True}, optimiser={"kind": "adam"})
    with pytest.raises(ForkError, match="one learning rate"):
        change_recipe(tied, {"optimiser.embedding_factor": 2.0}, V)
    with pytest.raises(ForkError, match="one matrix"):
        change_recipe(tied, {"optimiser.frozen": ["output"]}, V)
    with pytest.raises(ForkError, match="cannot be updated lazily"):
        change_recipe(tied, {"optimiser.kind": "lazy"}, V)
