"""The examiner's answers: one model per kind of question, which validates a stored answer when it is read."""

from __future__ import annotations

import json
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from lamplighter.contract.answers.acquisition import AcquisitionAnswer
from lamplighter.contract.answers.microscope import MicroscopeAnswer
from lamplighter.contract.answers.reading import (
    BatchSizesAnswer,
    HeadsAnswer,
    ProbeAnswer,
    RotationAnswer,
    SpeakAnswer,
    SubstitutionAnswer,
    TransplantAnswer,
)
from lamplighter.contract.answers.training import (
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
    | HeadsAnswer
    | AcquisitionAnswer
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
    """Raised when a stored answer does not fit its question; the message says where."""


def parse_answer(kind: str, raw: str) -> Answer:
    """Return the stored JSON answer to a question of `kind`. Imported answers are untrusted.

    Raises:
        StoredAnswerError: it is not a valid answer of that kind.
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
    """Return an answer as JSON, as stored and sent. Unset fields are omitted.

    Raises:
        ValueError: it contains a number that is not finite.
    """
    fields = answer.model_dump(by_alias=True, exclude_unset=True)
    return json.dumps(fields, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
