"""One thing that a check of a history found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from lamplighter.client.histories.sentences import LANGUAGES, Told, tell

Severity = Literal["problem", "note"]


@dataclass(frozen=True)
class Finding:
    """A fault of some steps of a history, or a fact worth knowing about them."""

    code: str
    """Names the check, for programs: `repeated`, `rounded`, `returned`, `out_of_line`, `not_descended`, `still`, `missing`,
    `not_finite`, `other_shape`, `other_tokens`, `other_order`, `unreadable`."""
    severity: Severity
    """A problem cannot come from training as it goes; a note may."""
    steps: tuple[int, ...]
    """The steps that it is about, ascending."""
    text: str
    """The key of its sentence in `texts.py`."""
    values: Mapping[str, Told]
    """The values of the sentence, by the names in it."""
    of: int | None = None
    """The step whose table the others hold, if they hold one."""
    figures: Mapping[str, float] = field(default_factory=dict[str, float])
    """The measured numbers."""

    @property
    def sentence(self) -> str:
        """Return the finding in English, one line."""
        return tell(self.text, self.values, "en")

    def as_json(self) -> dict[str, Any]:
        """Return the finding as an object for programs."""
        return self._facts() | {"figures": dict(self.figures), "sentence": self.sentence}

    def as_fact(self) -> dict[str, Any]:
        """Return the finding as an object for the page, with its sentence in each language."""
        sentences = {code: tell(self.text, self.values, code) for code in LANGUAGES}
        return self._facts() | {
            "sentence": {code: one[:1].upper() + one[1:] for code, one in sentences.items()}
        }

    def _facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = {"code": self.code, "severity": self.severity, "steps": list(self.steps)}
        return facts if self.of is None else facts | {"of": self.of}
