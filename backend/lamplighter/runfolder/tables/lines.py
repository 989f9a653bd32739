"""The lines that a model said after a step, in the table `lines` of `steps.sqlite`: JSON, sent to viewers unchanged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lamplighter.contract.documented_model import DocumentedRecord
from lamplighter.contract.recipe import MAX_PROMPT_TOKENS, MAX_PROMPTS
from lamplighter.runfolder.errors import FormatError

MAX_LINES = MAX_PROMPTS
"""Maximum lines after one step."""
MAX_LINE_WORDS = 64
"""Maximum tokens of a line, without its prompt."""
MAX_LINES_CHARACTERS = MAX_LINES * (10 * MAX_PROMPT_TOKENS + 40 * MAX_LINE_WORDS + 100)
"""Maximum characters of the lines after one step as JSON."""
_DIGITS = 6


@dataclass(frozen=True)
class SpokenLine(DocumentedRecord):
    """A prompt and the tokens with which a model continued it."""

    prompt: tuple[int, ...]
    """The token ids of the prompt."""
    words: tuple[int, ...]
    """The token ids that the model said."""
    probabilities: tuple[float, ...]
    """The probability that the model gave each of them."""
    sampled: bool
    """True if they were sampled from these probabilities, False if each was the most probable token."""


def encode_lines(lines: Sequence[SpokenLine]) -> str:
    """Return lines as JSON, with probabilities to six digits."""
    rounded = [
        asdict(line) | {"probabilities": [float(f"{p:.{_DIGITS}g}") for p in line.probabilities]}
        for line in lines
    ]
    return json.dumps(rounded, separators=(",", ":"), allow_nan=False)


def decode_lines(text: Any, vocabulary: int) -> list[SpokenLine]:
    """Return the lines in untrusted JSON of a run of V tokens. Raises FormatError if it does not hold lines
    of this vocabulary.
    """
    if not isinstance(text, str) or len(text) > MAX_LINES_CHARACTERS:
        raise FormatError("lines that are not text, or are too long")
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError("lines that are not JSON") from error
    if not isinstance(found, list) or not 1 <= len(found) <= MAX_LINES:  # pyright: ignore[reportUnknownArgumentType]
        raise FormatError(f"lines must be a list of 1 to {MAX_LINES}")
    return [_checked_line(line, vocabulary) for line in found]  # pyright: ignore[reportUnknownVariableType]


def decode_prompts(value: Any, vocabulary: int) -> list[tuple[int, ...]]:
    """Return the prompts in the untrusted facts of a run, as token ids. Raises FormatError if the value does
    not hold prompts of this vocabulary.
    """
    if not isinstance(value, list) or len(value) > MAX_PROMPTS:  # pyright: ignore[reportUnknownArgumentType]
        raise FormatError(f"prompts must be a list of at most {MAX_PROMPTS}")
    return [_checked_ids(prompt, MAX_PROMPT_TOKENS, vocabulary) for prompt in value]  # pyright: ignore[reportUnknownVariableType]


def _checked_line(line: Any, vocabulary: int) -> SpokenLine:
    if not isinstance(line, dict) or set(line) != {"prompt", "words", "probabilities", "sampled"}:  # pyright: ignore[reportUnknownArgumentType]
        raise FormatError("an invalid line")
    sampled: Any = line["sampled"]
    probabilities: Any = line["probabilities"]
    prompt = _checked_ids(line["prompt"], MAX_PROMPT_TOKENS, vocabulary)
    words = _checked_ids(line["words"], MAX_LINE_WORDS, vocabulary)
    if not isinstance(sampled, bool):
        raise FormatError("a line that does not say how its words were chosen")
    if not isinstance(probabilities, list) or len(probabilities) != len(words):  # pyright: ignore[reportUnknownArgumentType]
        raise FormatError("a line without a probability of each word")
    for probability in probabilities:  # pyright: ignore[reportUnknownVariableType]
        # `isinstance` would accept a bool, which is an int.
        if type(probability) not in (int, float) or not 0 <= probability <= 1:  # pyright: ignore[reportUnknownArgumentType]
            raise FormatError("an invalid probability")
    return SpokenLine(prompt, words, tuple(map(float, probabilities)), sampled)  # pyright: ignore[reportUnknownArgumentType]


def _checked_ids(value: Any, most: int, vocabulary: int) -> tuple[int, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= most:  # pyright: ignore[reportUnknownArgumentType]
        raise FormatError(f"a text must be a list of 1 to {most} tokens")
    for token_id in value:  # pyright: ignore[reportUnknownVariableType]
        if type(token_id) is not int or not 0 <= token_id < vocabulary:  # pyright: ignore[reportUnknownArgumentType]
            raise FormatError("a token that the vocabulary does not have")
    return tuple(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
