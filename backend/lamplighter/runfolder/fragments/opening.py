"""The opening of a run: its first fragment, with its recipe and vocabulary; and the identity by which it is known elsewhere.

For its reader every run is a recorded one: that machine has neither its text nor the states of its model. Names are given
twice, on machines that do not know of each other. So the run's folder keeps a random key. Who reads the run elsewhere keeps
its digest, the *identity*, from the opening on, and takes steps only with the key, or from the folder itself.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lamplighter.contract.recipe import Recipe
from lamplighter.contract.strict_input import explain_validation_error
from lamplighter.platform.printable import quote_foreign
from lamplighter.platform.private_modes import open_regular
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.fragments.fragment import Fragment, make_fragment
from lamplighter.runfolder.importing.untrusted_values import check_vocabulary, require_bounded_values
from lamplighter.runfolder.run_folder import RUN_ID_PATTERN, RunFolder, write_atomically
from lamplighter.runfolder.run_name import derive_run_name, read_run_name
from lamplighter.wire.vocabulary import Vocabulary, VocabularyError

IDENTITY_FILE = "identity.json"
IDENTITY_HEADER, KEY_HEADER = "X-Lamplighter-Run-Identity", "X-Lamplighter-Run-Key"
"""The headers of the answers and of the requests of a push."""
IDENTITY_PATTERN = r"^[0-9a-f]{64}$"
KEY_PATTERN = r"^[0-9a-f]{32}$"
_MAX_IDENTITY_BYTES = 64 << 10

_Name = Annotated[str, Field(pattern=f"^{RUN_ID_PATTERN}$")]


class RunIdentity(BaseModel):
    """What a run's folder keeps of it."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    run: _Name
    """The id of the run: a copied folder of another name is another run."""
    key: Annotated[str, Field(pattern=KEY_PATTERN)]
    names: dict[str, _Name] = {}
    """Its name at each server where it has another than its id."""

    @property
    def identity(self) -> str:
        return _digest(self.key)


def keep_identity(run: RunFolder) -> RunIdentity | None:
    """Return the identity of a run, made if its folder has none; None if the folder cannot be written."""
    path = run.path / IDENTITY_FILE
    if (found := _read(run)) is not None:
        return found
    try:
        write_atomically(path, RunIdentity(run=run.id, key=secrets.token_hex(16)).model_dump_json())
    except OSError:
        return None
    # Not what was written: another process may have made one at the same moment.
    return _read(run)


def keep_name(run: RunFolder, identity: RunIdentity, server: str, name: str) -> RunIdentity:
    """Keep the name that a run has at a server. Return the identity with it. Raises OSError if it cannot be
    kept.
    """
    kept = identity.model_copy(update={"names": identity.names | {server: name}})
    write_atomically(run.path / IDENTITY_FILE, kept.model_dump_json())
    return kept


def name_at(run: RunFolder, server: str) -> str:
    found = _read(run)
    return run.id if found is None else found.names.get(server, run.id)


def opens(key: str | None, identity: str) -> bool:
    return key is not None and hmac.compare_digest(_digest(key), identity)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _read(run: RunFolder) -> RunIdentity | None:
    try:
        with open(run.path / IDENTITY_FILE, "rb", opener=open_regular) as file:
            found = RunIdentity.model_validate_json(file.read(_MAX_IDENTITY_BYTES))
    except (OSError, ValueError):
        return None
    return found if found.run == run.id else None


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
