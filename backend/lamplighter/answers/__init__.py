"""The answers of the examiner: a model for each kind of question, validated when a stored answer is read."""

from __future__ import annotations

import json
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from lamplighter.answers.microscope import MicroscopeAnswer
from lamplighter.answers.reading import (
    BatchSizesAnswer,
    ProbeAnswer,
    RotationAnswer,
    SpeakAnswer,
    SubstitutionAnswer,
    TransplantAnswer,
)
from lamplighter.answers.training import (
    BenchAnswer,
    BetterAnswer,
    DecilesAnswer,
    DevicesAnswer,
    EnvironmentAnswer,
    WhatIfAnswer,
)

Answer = Annotated[
    SpeakAnswer
    | MicroscopeAnswer
    | WhatIfAnswer
    | TransplantAnswer
    | RotationAnswer
    | ProbeAnswer
    | DevicesAnswer
    | BenchAnswer
    | BatchSizesAnswer
    | EnvironmentAnswer
    | DecilesAnswer
    | BetterAnswer
    | SubstitutionAnswer,
    Field(discriminator="kind"),
]
_ANSWERS: TypeAdapter[Answer] = TypeAdapter(Answer)


class StoredAnswerError(ValueError):
    """An error for a stored answer that is not one to its question; the message says where."""


def parse_answer(kind: str, raw: str) -> Answer:
    """Return a stored answer, as JSON, to a question of some kind. An imported one may hold anything.

    Raises:
        StoredAnswerError: it is not an answer of that kind.
    """
    try:
        answer = _ANSWERS.validate_json(raw, strict=True)
    except ValidationError as error:
        [first, *_] = error.errors(include_url=False, include_input=False)
        place = ".".join(map(str, first["loc"]))
        raise StoredAnswerError(
            f"an answer of the kind {kind} whose {place or 'text'} cannot be read"
        ) from error
    if answer.kind != kind:
        raise StoredAnswerError(f"an answer of the kind {answer.kind}, not {kind}")
    return answer


def dump_answer(answer: Answer) -> str:
    """Return an answer as JSON, as it is stored and sent. Fields that were not set are left out.

    Raises:
        ValueError: it holds a number that is not finite.
    """
    fields = answer.model_dump(by_alias=True, exclude_unset=True)
    return json.dumps(fields, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
