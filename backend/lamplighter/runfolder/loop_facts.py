"""Additional facts of a run recorded by a client's own loop."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any, TypedDict

from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.step_numbers import MAX_NUMBER, MAX_STRETCHES, NUMBERS_FACT

CONFIG_FACT = "config"
"""The fact with the user's configuration of the loop; absent if there is none."""
HISTORY_FACT = "history"
"""The fact with what a check of a series of checkpoints found; absent if the run is none."""
MAX_HISTORY_BYTES = 32_000
"""Maximum bytes of what is kept of that check as JSON: every viewer of the run gets it."""
MAX_CONFIG_BYTES = 32_000
"""Maximum bytes of the configuration as JSON: every viewer of the run gets it."""
PROBES_FACT = "probes"
"""The fact of a run of hidden states (`ProbedRun`); absent if the run is none."""
MAX_PROBES_BYTES = 64_000
"""Maximum bytes of that fact as JSON: every viewer of the run gets it."""
MAX_PROBE_ROWS = 20_000
"""Maximum rows of a run of hidden states; the separation of meanings is not measured in an imported one with more."""
KEPT_ROWS_FACT = "kept_rows"
"""The fact with the ids, ascending, of the rows that are exact at every step; absent if there are none."""
MAX_KEPT_ROWS = 1_000
_MAX_PROBED_LAYERS = 256


class ProbedRun(TypedDict):
    """What a run of hidden states says about its rows: row `layer * R + probe` is a probe in a layer."""

    run: str
    """The id of the run whose model is read. That run may be gone."""
    layers: list[str]
    words: list[int]
    """The number of each probe's word; empty if all have the same, or none."""
    texts: list[str]
    """The sentence of each probe; empty if they have none."""


def check_loop_facts(facts: dict[str, Any], vocabulary: int) -> dict[str, Any]:
    """Return the checked facts of a client's own loop, from untrusted facts of a run with so many rows.
    Raises FormatError if a fact is invalid or too large.
    """
    known: dict[str, Any] = {}
    config, stretches = facts.get(CONFIG_FACT), facts.get(NUMBERS_FACT)
    if config is not None:
        if not isinstance(config, dict) or len(json.dumps(config).encode()) > MAX_CONFIG_BYTES:
            raise FormatError(f"the configuration must be an object of at most {MAX_CONFIG_BYTES:,} bytes")
        known[CONFIG_FACT] = config
    history = facts.get(HISTORY_FACT)
    if history is not None:
        if not _is_history(history) or len(json.dumps(history).encode()) > MAX_HISTORY_BYTES:
            raise FormatError(
                f"the check of a history must be its findings, in at most {MAX_HISTORY_BYTES:,} bytes"
            )
        known[HISTORY_FACT] = history
    if (probes := facts.get(PROBES_FACT)) is not None:
        if not _is_probed(probes) or len(json.dumps(probes).encode()) > MAX_PROBES_BYTES:
            raise FormatError(
                f"the probes must be sentences in layers, in at most {MAX_PROBES_BYTES:,} bytes"
            )
        known[PROBES_FACT] = probes
    if (kept := facts.get(KEPT_ROWS_FACT)) is not None:
        whole = (
            isinstance(kept, list)
            and 1 <= len(kept) <= MAX_KEPT_ROWS
            and {type(one) for one in kept} == {int}
        )
        if not whole or not 0 <= kept[0] <= kept[-1] < vocabulary or any(a >= b for a, b in pairwise(kept)):
            raise FormatError(f"the kept rows must be at most {MAX_KEPT_ROWS:,} ascending ids of tokens")
        known[KEPT_ROWS_FACT] = kept
    if stretches is not None:
        if not isinstance(stretches, list) or not 1 <= len(stretches) <= MAX_STRETCHES + 1:
            raise FormatError(f"the step numbers must be a list of at most {MAX_STRETCHES:,} stretches")
        before = -1
        for stretch in stretches:
            whole = isinstance(stretch, list) and [type(part) for part in stretch] == [int] * 3
            if not whole or not all(0 <= part <= MAX_NUMBER for part in stretch) or stretch[0] <= before:
                raise FormatError("the step numbers must be ascending stretches of three integers")
            before = stretch[0]
        known[NUMBERS_FACT] = stretches
    return known


def _is_probed(fact: Any) -> bool:
    match fact:
        case {
            "run": str(),
            "layers": list() as layers,
            "words": list() as words,
            "texts": list() as texts,
            **rest,
        } if not rest and 1 <= len(layers) <= _MAX_PROBED_LAYERS:
            numbers = all(type(word) is int and 0 <= word <= MAX_NUMBER for word in words)
            return numbers and all(isinstance(text, str) for text in (*layers, *texts))
        case _:
            return False


def _is_history(fact: Any) -> bool:
    match fact:
        case {"checkpoints": int(), "problems": int(), "findings": list() as findings, **rest} if not rest:
            return all(map(_is_finding, findings))
        case _:
            return False


def _is_finding(fact: Any) -> bool:
    match fact:
        case {
            "code": str(),
            "severity": "problem" | "note",
            "steps": list() as steps,
            "sentence": dict() as sentence,
            **rest,
        }:
            texts = [*sentence, *sentence.values()]
            numbers = [*steps, *rest.values()]
            return (
                rest.keys() <= {"of"}
                and all(isinstance(text, str) for text in texts)
                and all(type(number) is int and 0 <= number <= MAX_NUMBER for number in numbers)
            )
        case _:
            return False
