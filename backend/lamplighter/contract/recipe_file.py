"""A recipe in a file of TOML, which may come from anyone."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from lamplighter.contract.recipe import Recipe
from lamplighter.contract.strict_input import explain_validation_error

MAX_RECIPE_BYTES = 16 << 10
"""Maximum bytes of a recipe file, twice the size of a long value. `tomllib` takes time quadratic in a key's
dots: most of a second for a file of this size, 16 seconds for 64 KB."""


class RecipeError(ValueError):
    """Raised for an invalid recipe; the message is one line with the problem and the allowed values."""


def read_recipe_file(path: Path, opener: Callable[[str, int], int] | None = None) -> str:
    """Return the text of a recipe's file, opened by `opener`.

    Raises:
        RecipeError: the file is larger than `MAX_RECIPE_BYTES`.
        OSError: it cannot be read.
        UnicodeDecodeError: it is not UTF-8.
    """
    with open(path, "rb", opener=opener) as file:
        data = file.read(MAX_RECIPE_BYTES + 1)
    if len(data) > MAX_RECIPE_BYTES:
        raise RecipeError(
            f"{path.name} is larger than the {MAX_RECIPE_BYTES >> 10} KB that a recipe may have"
        )
    return data.decode("utf-8")


def load_recipe(path: Path) -> Recipe:
    """Read a recipe from a TOML file.

    Raises:
        RecipeError: the file cannot be read, is too large, is not TOML, or does not describe a recipe.
    """
    try:
        recipe = Recipe.model_validate(tomllib.loads(read_recipe_file(path)))
        if recipe.parent is not None:
            raise RecipeError(f"{path}: parent: a fork is made from a run: lamplighter fork RUN --at STEP")
        return recipe
    except OSError as error:
        raise RecipeError(f"{path}: {error.strerror or error}") from error
    except ValidationError as error:
        raise RecipeError(f"{path}: {explain_validation_error(error)}") from error
    except RecipeError:
        raise
    except (ValueError, RecursionError) as error:
        # Not only `TOMLDecodeError`: a number may have too many digits, or arrays may be nested too deeply.
        raise RecipeError(f"{path}: not TOML: {error}") from error
