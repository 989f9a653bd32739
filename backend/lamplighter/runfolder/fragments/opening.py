"""The opening of a run: its first fragment, with its recipe and vocabulary.

For its reader every run is a recorded one: that machine has neither its text nor the states of its model.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from pydantic import ValidationError

from lamplighter.contract.recipe import Recipe
from lamplighter.contract.strict_input import explain_validation_error
from lamplighter.platform.printable import quote_foreign
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.fragments.fragment import Fragment, make_fragment
from lamplighter.runfolder.fragments.run_identity import IDENTITY_PATTERN, keep_identity
from lamplighter.runfolder.importing.checked_vocabulary import check_vocabulary
from lamplighter.runfolder.importing.untrusted_json import require_bounded_values
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import derive_run_name, read_run_name
from lamplighter.wire.vocabulary import Vocabulary, VocabularyError

_MAX_BYTES = 65 << 20
"""Maximum bytes of an opening: the largest vocabulary of an import, and a recipe."""


class Opening(NamedTuple):
    """What a reader needs before the first step of a run."""

    recipe: Recipe
    vocabulary: Vocabulary
    identity: str | None
    """None of an earlier version."""


def make_opening(run: RunFolder, name: str | None = None) -> Fragment:
    """Return the opening of a prepared run, of its own id or of another `name`. Its title travels as the name
    of its text. Raises FileNotFoundError if its vocabulary is not there yet, FormatError if this version
    cannot read the folder, or its matrices lie in files of their own.
    """
    recipe = run.recipe
    if recipe.format >= 3:
        raise FormatError(f"{run.id} keeps its matrices in files of their own: export it as a zip instead")
    plan: dict[str, Any] = {
        "corpus": {"kind": "recorded", "name": (read_run_name(run) or derive_run_name(run))[:200]},
        "model": {"dim": recipe.model.dim, "heads": 1},
        "map": recipe.map.model_dump(),
        "cadence": {"keyframe_every": recipe.cadence.keyframe_every},
        "steps": recipe.steps,
        "disk_budget": recipe.disk_budget,
    }
    body = {"recipe": plan, "vocabulary": json.loads(run.vocabulary.to_json())}
    if (kept := keep_identity(run)) is not None:
        body["identity"] = kept.identity
    return make_fragment(name or run.id, "opening", json.dumps(body, ensure_ascii=False).encode())


def read_opening(fragment: Fragment) -> Opening:
    """Return the checked contents of a foreign opening. Raises FormatError if they are invalid."""
    if fragment.header.kind != "opening" or fragment.header.bytes > _MAX_BYTES:
        raise FormatError("the first fragment of a run must have its recipe and vocabulary")
    body = fragment.unpack()
    require_bounded_values(body, "the opening")
    try:
        found: Any = json.loads(body)
        recipe = Recipe.model_validate(found["recipe"])
        vocabulary = Vocabulary.from_json(json.dumps(found["vocabulary"]))
        identity: Any = found.get("identity")
        if identity is not None and re.fullmatch(IDENTITY_PATTERN, identity) is None:
            raise ValueError("no identity")
    except ValidationError as error:
        raise FormatError(f"recipe.json: {explain_validation_error(error)}") from error
    except (VocabularyError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise FormatError(f"the opening of the run is invalid: {quote_foreign(error)}") from error
    if recipe.corpus.kind != "recorded" or recipe.format >= 3 or recipe.parent is not None:
        raise FormatError("only a recorded run of whole keyframes arrives in fragments")
    check_vocabulary(vocabulary)
    return Opening(recipe, vocabulary, identity)
