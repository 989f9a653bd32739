"""The changes that make a fork: which fields of a recipe may change, and what each change gives."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from lamplighter.contract.fork_parent import MAX_CHANGES, Change, ChangeValue
from lamplighter.contract.recipe import BUILT_IN_TEXTS, PLANTED_ROW, MatrixKind, Recipe
from lamplighter.contract.sentences import say
from lamplighter.contract.strict_input import explain_validation_error
from lamplighter.corpora.corpus import CorpusError
from lamplighter.corpora.lexicon_parser import read_lexicon
from lamplighter.corpora.planted import plant
from lamplighter.forks.errors import ForkError
from lamplighter.platform.printable import quote_foreign

OTHER_TOWN = "othertown"
"""The value of `corpus.kind` for the parent's text with the jobs of the words permuted."""
PLAIN_FIELDS = (
    "optimiser.learning_rate",
    "optimiser.kind",
    "optimiser.clip_norm",
    "optimiser.embedding_factor",
    "optimiser.weight_decay",
    "sequences",
    "passages",
    "seed",
    "corpus.shuffle_words",
)
FIELDS = (*PLAIN_FIELDS, "optimiser.frozen", "corpus.kind", "corpus.planted")
"""The fields that a fork may change."""
_TEXTS = (OTHER_TOWN, *(kind for kind in BUILT_IN_TEXTS if kind != "modular"), "text")


@dataclass
class _Draft:
    """The recipe of a fork before it is checked."""

    before: Recipe
    fields: dict[str, Any]
    """The fields of the recipe, which the changes replace."""


def change_recipe(
    parent: Recipe, changes: Mapping[str, Any], vocabulary: int
) -> tuple[Recipe, tuple[Change, ...]]:
    """Return a recipe with changes, and the changes as they are stored, or raise ForkError. `parent`: with
    the learning rate in force; `changes`: new values by field; see `docs/forks.md`. `vocabulary`: the number
    of the parent's tokens.
    """
    if len(changes) > MAX_CHANGES:
        raise ForkError(
            f"a fork may have at most {MAX_CHANGES} changes, this one has {len(changes)}", "changes"
        )
    corpus = parent.corpus.model_dump() | {"other_town": parent.corpus.other_town}
    draft = _Draft(parent, parent.model_dump() | {"format": 2, "corpus": corpus})
    made: list[Change] = []
    # A kind of text takes the planted words away, so it comes before others.
    for field in sorted(changes, key=lambda field: field != "corpus.kind"):
        before, after = _apply(draft, field, changes[field])
        if before == after and field != "corpus.kind":
            raise ForkError(say("fork_unchanged", field=field, value=_show(after)), f"changes.{field}")
        made.append(Change.model_construct(field=field, before=before, after=after))
    _refuse_contradictions(draft, changes)
    size = draft.fields["corpus"]["vocabulary_size"]
    added = 3 * (len(draft.fields["corpus"]["planted"]) - len(parent.corpus.planted))
    draft.fields["corpus"]["vocabulary_size"] = max(size, vocabulary + max(0, added))
    try:
        # The parent of the fork is not known yet, and this part of the text is checked here.
        fields = draft.fields | {"corpus": draft.fields["corpus"] | {"other_town": False}}
        recipe = Recipe.model_validate(fields)
    except ValidationError as error:
        raise ForkError(explain_validation_error(error), _changed_field(error, changes)) from error
    try:
        plant(read_lexicon(), recipe.corpus.planted if "corpus.planted" in changes else ())
    except CorpusError as error:
        raise ForkError(str(error), "changes.corpus.planted") from error
    corpus = recipe.corpus.model_copy(update={"other_town": draft.fields["corpus"]["other_town"]})
    return recipe.model_copy(update={"corpus": corpus}), tuple(made)


def reads_other_text(changes: tuple[Change, ...]) -> bool:
    return any(change.field.startswith("corpus.") for change in changes)


def _apply(draft: _Draft, field: str, value: Any) -> tuple[ChangeValue, ChangeValue]:
    special: dict[str, Callable[[_Draft, Any], tuple[ChangeValue, ChangeValue]]] = {
        "optimiser.frozen": _freeze,
        "corpus.kind": _change_text,
        "corpus.planted": _plant,
    }
    if field in special:
        return special[field](draft, value)
    if field not in PLAIN_FIELDS:
        raise ForkError(
            f"{quote_foreign(field)} cannot be changed in a fork: {', '.join(FIELDS)} can", "changes"
        )
    if not isinstance(value, bool | int | float | str):
        raise ForkError(f"{field} is one value", f"changes.{field}")
    part, _, name = field.rpartition(".")
    fields = draft.fields[part] if part else draft.fields
    # A weight decay that was not asked for is not stored.
    before, fields[name] = fields.get(name, 0.0), value
    return before, value


def _freeze(draft: _Draft, value: Any) -> tuple[str, str]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):  # pyright: ignore[reportUnknownVariableType]
        raise ForkError(
            "optimiser.frozen is a list of matrices: embedding, output", "changes.optimiser.frozen"
        )
    optimiser = draft.fields["optimiser"]
    before: tuple[MatrixKind, ...] = optimiser.get("frozen", ())
    optimiser["frozen"] = sorted(set(names))  # pyright: ignore[reportUnknownArgumentType]
    return " ".join(before), " ".join(optimiser["frozen"])


def _change_text(draft: _Draft, value: Any) -> tuple[str, str]:
    if value not in _TEXTS:
        raise ForkError(f"corpus.kind is one of {', '.join(_TEXTS)}", "changes.corpus.kind")
    corpus = draft.fields["corpus"]
    before = OTHER_TOWN if draft.before.corpus.other_town else str(corpus["kind"])
    if value == before and value != "text":
        raise ForkError(say("fork_unchanged", field="corpus.kind", value=str(before)), "changes.corpus.kind")
    corpus["other_town"] = value == OTHER_TOWN
    if value != OTHER_TOWN:
        corpus |= {"kind": value, "name": "", "planted": corpus["planted"] if value == "lamptown" else ()}
    return before, value


def _plant(draft: _Draft, value: Any) -> tuple[str, str]:
    field, corpus = "changes.corpus.planted", draft.fields["corpus"]
    if not isinstance(value, list | tuple) or not all(isinstance(row, str) for row in value):  # pyright: ignore[reportUnknownVariableType]
        raise ForkError(say("fork_planted_rows"), field)
    if corpus["kind"] != "lamptown" or corpus["other_town"] or corpus["tokeniser"] != "words":
        raise ForkError(say("fork_planted_text"), field)
    before = tuple(draft.before.corpus.planted)
    rows: list[str] = [" ".join(str(row).split()) for row in value]  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]
    if not all(re.fullmatch(PLANTED_ROW, row) for row in rows):
        raise ForkError(say("fork_planted_rows"), field)
    corpus["planted"] = (*before, *(row for row in rows if row not in before))
    return "; ".join(before), "; ".join(corpus["planted"])


def _refuse_contradictions(draft: _Draft, changes: Mapping[str, Any]) -> None:
    corpus, optimiser = draft.fields["corpus"], draft.fields["optimiser"]
    if "optimiser.embedding_factor" in changes:
        field = "changes.optimiser.embedding_factor"
        if "embedding" in optimiser.get("frozen", ()):
            raise ForkError(say("fork_frozen_rate"), field)
        if draft.before.model.tied:
            raise ForkError(say("fork_tied_rate"), field)
    if corpus["other_town"] and (corpus["shuffle_words"] or draft.before.corpus.shuffle_words):
        raise ForkError(say("fork_shuffled_town"), "changes.corpus.kind")
    if "corpus.shuffle_words" in changes and draft.before.corpus.other_town:
        raise ForkError(say("fork_shuffled_other"), "changes.corpus.shuffle_words")


def _changed_field(error: ValidationError, changes: Mapping[str, Any]) -> str:
    """Return the change that a fault is about, or `changes` if it is about several."""
    place = ".".join(str(part) for part in error.errors(include_url=False)[0]["loc"] if isinstance(part, str))
    return next(
        (
            f"changes.{field}"
            for field in changes
            if place and (place == field or place.startswith(f"{field}."))
        ),
        "changes",
    )


def _show(value: ChangeValue) -> str:
    return (
        value if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value).lower()
    )
