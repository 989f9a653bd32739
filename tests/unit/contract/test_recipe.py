"""The bounds of a recipe: every number of it, and what they ask for together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from lamplighter.contract.recipe import MAX_PLANTED, MAX_PROMPTS, Recipe
from lamplighter.contract.recipe_file import MAX_RECIPE_BYTES, RecipeError, load_recipe
from lamplighter.contract.strict_input import explain_validation_error
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.run_folder import RunFolder


def numbers(schema: dict[str, Any], at: str = "Recipe") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every number that a recipe may hold, by its place, with its bounds."""
    for definition in (schema, *schema["$defs"].values()):
        for name, field in definition["properties"].items():
            for kind in (field, *field.get("anyOf", ())):
                if kind.get("type") in ("integer", "number"):
                    yield f"{definition['title']}.{name}", kind


@pytest.mark.parametrize(("where", "bounds"), list(numbers(Recipe.model_json_schema())))
def test_every_number_is_bounded_above_and_below(where: str, bounds: dict[str, Any]) -> None:
    if "const" in bounds or "enum" in bounds:
        return
    assert "maximum" in bounds or "exclusiveMaximum" in bounds, where
    assert "minimum" in bounds or "exclusiveMinimum" in bounds, where


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"threads": 257}, "less than or equal to 256"),
        ({"disk_budget": 10**400}, "less than or equal to 1000000000000000"),
        ({"optimiser": {"clip_norm": 1e31}}, "clip_norm: Input should be less than or equal to 1000"),
        ({"sequences": 65_536, "passages": 65_536, "model": {"context": 4_096}}, "268,435,456 tokens"),
        ({"sequences": 257, "passages": 1, "model": {"context": 4_096}}, "at most 1,048,576"),
        ({"model": {"dim": 16_384, "layers": 64}}, "parameters, at most 2,000,000,000"),
        ({"model": {"dim": 8_192}, "corpus": {"vocabulary_size": 200_000}}, "vocabulary_size"),
    ],
)
def test_what_no_machine_here_could_train_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Recipe.model_validate(changes)
    assert says in explain_validation_error(caught.value)


def test_a_recorded_run_may_be_wider_than_what_is_trained_here() -> None:
    recipe = Recipe.model_validate({"corpus": {"kind": "recorded"}, "model": {"dim": 16_384, "layers": 64}})
    assert recipe.model.parameter_count(1_000) > 2e11


def test_a_message_about_somebody_elses_recipe_is_short_and_printable() -> None:
    for hostile in (
        {"\x1b]0;owned\x07": 1},
        {"threads": "\x1b[2J\u202e" + "x" * 100_000},
        {"disk_budget": 10**400},
        {"steps": [[[["\n"]]]]},
    ):
        with pytest.raises(ValidationError) as caught:
            Recipe.model_validate(hostile)
        said = explain_validation_error(caught.value)
        assert said.isprintable()
        assert len(said) < 600


@pytest.mark.parametrize(
    "text", ["steps = " + "9" * 5_000, "x = " + "[" * 5_000 + "]" * 5_000, "steps = \xff", "a"]
)
def test_a_file_that_is_no_recipe_is_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "recipe.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(RecipeError, match="not TOML"):
        load_recipe(tmp_path / "recipe.toml")


def test_a_recipe_with_the_longest_values_fits_into_half_of_what_a_file_may_have() -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    planted = [" ".join(letters[row] + letters[i] * 19 for i in range(3)) for row in range(MAX_PLANTED)]
    longest = Recipe.model_validate(
        {"corpus": {"name": "\x01" * 200, "planted": planted}, "prompts": ["\x01" * 200] * MAX_PROMPTS}
    )
    assert len(longest.model_dump_json(indent=2).encode()) < MAX_RECIPE_BYTES / 2


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    dots = "a" + ".a" * 20_000 + " = 1"
    (tmp_path / "recipe.toml").write_text(dots)
    with pytest.raises(RecipeError, match=r"^recipe\.toml is larger than the 16 KB"):
        load_recipe(tmp_path / "recipe.toml")
    (tmp_path / "recipe.json").write_text(Recipe().model_dump_json() + " " * MAX_RECIPE_BYTES)
    with pytest.raises(FormatError, match=r"^recipe\.json is larger than the 16 KB"):
        _ = RunFolder(tmp_path).recipe


PARENT = {"run": "a-run", "step": 3, "name": "Lamptown", "batch_offset": 3, "text_seed": 0}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"parent": PARENT}, "need format 2"),
        ({"optimiser": {"frozen": ["embedding"]}}, "need format 2"),
        ({"format": 2, "corpus": {"other_town": True}}, "only a fork"),
        ({"format": 2, "optimiser": {"frozen": ["output", "output"]}}, "stands there twice"),
        ({"format": 4}, "format"),
        ({"format": 2, "parent": PARENT | {"run": "../etc"}}, "parent.run"),
        ({"format": 2, "parent": PARENT | {"step": -1}}, "parent.step"),
        ({"format": 2, "parent": PARENT | {"name": 81 * "x"}}, "parent.name"),
        ({"format": 2, "parent": PARENT | {"batch_offset": 2**41}}, "parent.batch_offset"),
        (
            {"format": 2, "parent": PARENT | {"changes": 17 * [{"field": "a", "before": 1, "after": 2}]}},
            "at most 16",
        ),
        ({"format": 2, "parent": PARENT | {"changes": [{"field": "a b", "before": 1, "after": 2}]}}, "field"),
        ({"format": 2, "parent": PARENT | {"changes": [{"field": "a", "before": [], "after": 2}]}}, "before"),
        (
            {"format": 2, "parent": PARENT | {"changes": [{"field": "a", "before": 1, "after": 1e400}]}},
            "after",
        ),
        (
            {
                "format": 2,
                "parent": PARENT | {"changes": [{"field": "a", "before": 1, "after": 1_001 * "x"}]},
            },
            "after",
        ),
    ],
)
def test_a_recipe_of_a_fork_is_bounded(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Recipe.model_validate(changes)
    assert says in explain_validation_error(caught.value)


def test_a_recipe_without_a_parent_is_written_as_before() -> None:
    written = Recipe().model_dump_json()
    assert not any(name in written for name in ("parent", "frozen", "other_town"))
    fork = Recipe.model_validate({"format": 2, "parent": PARENT, "corpus": {"other_town": True}})
    assert Recipe.model_validate_json(fork.model_dump_json()) == fork


def test_a_file_makes_no_fork(tmp_path: Path) -> None:
    path = tmp_path / "fork.toml"
    path.write_text(
        'format = 2\n[parent]\nrun = "a"\nstep = 1\nname = "x"\nbatch_offset = 1\ntext_seed = 0\n'
    )
    with pytest.raises(RecipeError, match="lamplighter fork RUN"):
        load_recipe(path)


def test_sums_bring_their_own_defaults_and_keep_what_is_given() -> None:
    recipe = Recipe.model_validate({"corpus": {"kind": "modular", "modulus": 11}, "sequences": 32})
    assert (recipe.corpus.modulus, recipe.corpus.train_share) == (11, 0.4)
    assert (recipe.model.context, recipe.passages, recipe.optimiser.kind) == (4, 32, "adam")
    without = Recipe.model_validate({"corpus": {"kind": "modular"}, "optimiser": {"weight_decay": 0}})
    # Also after a recipe was stored: no weight decay is not the default here.
    assert Recipe.model_validate_json(without.model_dump_json()).optimiser.weight_decay == 0
    plain = Recipe.model_validate({"corpus": {"kind": "modular"}, "optimiser": {"kind": "sgd"}})
    assert plain.optimiser.weight_decay is None
    unsaid = Recipe.model_validate({"corpus": {"kind": "modular"}, "optimiser": {"weight_decay": None}})
    assert Recipe.model_validate_json(unsaid.model_dump_json()) == unsaid
    assert "weight_decay" not in Recipe().model_dump_json()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"corpus": {"kind": "modular", "modulus": 4}}, "greater than or equal to 5"),
        ({"corpus": {"kind": "modular", "train_share": 1}}, "less than or equal to 0.95"),
        ({"corpus": {"kind": "modular", "shuffle_words": True}}, "a sum is read in its order"),
        ({"corpus": {"kind": "modular", "tokeniser": "bpe"}}, "tokeniser words"),
        ({"corpus": {"kind": "novels", "modulus": 7}}, "belong to the corpus kind 'modular'"),
        ({"corpus": {"kind": "modular"}, "model": {"context": 32}}, "a context of 4, not 32"),
        ({"corpus": {"kind": "modular"}, "passages": 4}, "each sum of a batch is a passage: 512, not 4"),
        ({"optimiser": {"weight_decay": 0.1}}, "weight_decay: only the optimiser adam has it, not lazy"),
    ],
)
def test_what_does_not_fit_sums_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Recipe.model_validate(changes)
    assert says in explain_validation_error(caught.value)
