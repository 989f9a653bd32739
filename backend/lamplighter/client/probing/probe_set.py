"""The probes of a run of hidden states: words in sentences as people give them, their names, and their record."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from lamplighter.client.errors import InputError
from lamplighter.client.recorder import Recorder
from lamplighter.client.recording.loop_facts import LoopFacts
from lamplighter.client.sources.source_names import free_run_path
from lamplighter.client.sources.vocabulary_files import make_vocabulary
from lamplighter.contract.recipe import DEFAULT_DISK_BUDGET
from lamplighter.runfolder.loop_facts import MAX_PROBE_ROWS, MAX_PROBES_BYTES, ProbedRun
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import derive_run_name, read_run_name
from lamplighter.runfolder.run_set import folder_beside
from lamplighter.wire.binary import Floats
from lamplighter.wire.vocabulary import Vocabulary

MAX_SENTENCE = 1_000
_MAX_LABEL = 40
_BEFORE = 4
"""Words before the probed one in its name."""


@dataclass(frozen=True)
class ProbedSentence:
    """A sentence, and the word in it whose hidden states are read."""

    text: str
    start: int
    end: int
    """Where the word is in the text, in characters."""
    label: str = ""
    """Its meaning here; empty if it is not told."""

    @property
    def word(self) -> str:
        return self.text[self.start : self.end]

    @property
    def short_text(self) -> str:
        """Return the word with some words before it; a word at the beginning, with some after it."""
        before = self.text[: self.start].split()
        after = self.text[self.end :].split()
        more = after[: max(0, _BEFORE - len(before))]
        return " ".join([*before[-_BEFORE:], self.word, *more])


def read_sentences(given: object) -> list[ProbedSentence]:
    """Return the sentences in a list: each a text, whose last word is probed, or a sequence of the text, the
    word, and its meaning. Raises InputError."""
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise InputError(
            "probes: give a list of sentences, each a text or (text, word) or (text, word, meaning); or a function that"
            " returns a matrix"
        )
    return [_read(one, number) for number, one in enumerate(cast("Iterable[object]", given))]


def _read(given: object, number: int) -> ProbedSentence:
    several = cast("Iterable[Any]", given if isinstance(given, Iterable) else ())
    parts = [given] if isinstance(given, str) else list(several)
    if not 1 <= len(parts) <= 3 or not all(isinstance(part, str) for part in parts):
        raise InputError(f"probes: entry {number} must be a text, (text, word) or (text, word, meaning)")
    text, word, label = [*parts, "", ""][:3]
    if len(text) > MAX_SENTENCE or len(label) > _MAX_LABEL:
        raise InputError(
            f"probes: entry {number} is too long: at most {MAX_SENTENCE:,} letters of text and {_MAX_LABEL} of a meaning"
        )
    # The last word has no punctuation around it.
    pattern = rf"(?<!\w){re.escape(word.strip())}(?!\w)" if word.strip() else r"\w(\S*\w)?(?=\W*$)"
    found = re.search(pattern, text, re.IGNORECASE)
    if found is None:
        raise InputError(
            f"probes: {text[:80]!r} has no word {word[:40]!r}"
            if word
            else f"probes: entry {number} has no word"
        )
    return ProbedSentence(text, found.start(), found.end(), " ".join(label.split()))


_NO_IDS = np.empty(0, dtype=np.int64)


class ProbeRecord:
    """A run beside `parent` that holds the hidden states of probes at some steps of its model. Each step is
    kept whole.

    `step`: the number of the first, at which the states are `layers`. Raises InputError if they cannot be
    recorded or change their shape, and OSError or apsw.Error.
    """

    def __init__(self, parent: RunFolder, probes: ProbeSet, step: int, layers: Layers) -> None:
        self._layers = list(layers)
        name = read_run_name(parent) or derive_run_name(parent)
        plan = {
            "corpus": {"kind": "recorded", "name": f"{name[:180]}: hidden states"},
            "cadence": {"keyframe_every": 1},
            "steps": 1,
            "disk_budget": DEFAULT_DISK_BUDGET,
        }
        facts = LoopFacts(1, step, None, None, probes.fact(parent.id, self._layers))
        self._recorder = Recorder(
            free_run_path(folder_beside(parent), f"{parent.id[:70]}-probes"),
            probes.name_rows(self._layers),
            plan,
            facts,
            embedding=self._join(layers),
            raises=True,
        )
        self.folder = self._recorder.folder

    def add_step(self, step: int, layers: Layers) -> None:
        if list(layers) != self._layers:
            raise InputError(
                f"probes: the layers were {', '.join(self._layers)}, and are now {', '.join(layers)}"
            )
        self._recorder.step(self._join(layers), _NO_IDS, None, step=step)

    def close(self) -> None:
        self._recorder.close()

    @staticmethod
    def _join(layers: Layers) -> Floats:
        shapes = {matrix.shape for matrix in layers.values()}
        if len(shapes) != 1 or len(next(iter(shapes))) != 2:
            told = ", ".join(sorted(" x ".join(map(str, shape)) for shape in shapes)) or "none"
            raise InputError(
                f"probes: matrices of one shape are needed, a row for each probe; these are {told}"
            )
        return np.concatenate([np.asarray(matrix, dtype=np.float32) for matrix in layers.values()])


MAX_LAYERS = 9
"""Maximum layers that are read; of a deeper model, evenly spread ones."""
_MAX_NAME = 60
Layers = Mapping[str, Floats]
"""The hidden states of the probes, (R, D), by name of the layer; a single one may have the name ""."""


@dataclass(frozen=True)
class Probes:
    """Probes that a function reads, such as the embeddings of a validation set, for `lamplighter.watch(..., probes=)`."""

    read: Callable[[Any], Any]
    """Called with the model; returns their rows, shape (R, D), or a mapping of layer to such a matrix."""
    names: Sequence[str] | None = None
    """A name for each; None: their numbers."""
    labels: Sequence[str] | None = None
    """The class of each, which colours it."""


@dataclass(frozen=True)
class ProbeSet:
    """Probes with their names. Row `layer * R + probe` of the run is a probe in a layer."""

    names: Sequence[str]
    words: Sequence[str]
    """The word of each; their meanings are compared only among probes of the same word."""
    labels: Sequence[str]
    """The meaning or class of each; empty if it has none."""
    texts: Sequence[str] = ()
    """The sentence of each; empty if they have none."""

    @staticmethod
    def of_sentences(sentences: Sequence[ProbedSentence]) -> ProbeSet:
        return ProbeSet(
            [one.short_text for one in sentences],
            [one.word.lower() for one in sentences],
            [one.label for one in sentences],
            [one.text for one in sentences],
        )

    @staticmethod
    def of_matrix(rows: int, probes: Probes) -> ProbeSet:
        """Return the set of probes that a function reads. Raises InputError if there are not as many names or
        labels as rows."""
        names: list[Any] = list(map(str, range(rows))) if probes.names is None else list(probes.names)
        labels: list[Any] = [""] * rows if probes.labels is None else list(probes.labels)
        for what, given in (("names", names), ("labels", labels)):
            if len(given) != rows or not all(isinstance(one, str) for one in given):
                raise InputError(f"probes: {len(given):,} {what} for {rows:,} rows: give a text for each")
        return ProbeSet(names, [""] * rows, labels)

    def name_rows(self, layers: Sequence[str]) -> Vocabulary:
        """Return the names of the rows. Each layer is a family, whose classes are the words and their
        meanings. Raises InputError for too few or too many."""
        rows = len(self.names) * len(layers)
        if rows > MAX_PROBE_ROWS:
            raise InputError(
                f"probes: {len(self.names):,} in {len(layers)} layers are {rows:,} rows, at most {MAX_PROBE_ROWS:,}"
            )
        tokens: dict[str, None] = {}
        classes: dict[str, list[str | int]] = {}
        family_of: dict[str, str] = {}
        kinds = self._kinds()
        for layer in layers:
            for name, kind in zip(self.names, kinds, strict=True):
                class_name = " · ".join(filter(None, (kind, layer)))
                if class_name:
                    classes.setdefault(class_name, []).append(len(tokens))
                    family_of[class_name] = layer
                tokens[_free_name(name, layer.removeprefix("layer "), tokens)] = None
        made = make_vocabulary(list(tokens), classes=classes, where="probes")
        families: dict[str, tuple[str, ...]] = {}
        if any(kinds) and len(layers) > 1:
            families = {layer: tuple(c for c, of in family_of.items() if of == layer) for layer in layers}
        return Vocabulary(made.tokens, made.counts, made.classes, (), families)

    def fact(self, run: str, layers: Sequence[str]) -> ProbedRun:
        """Return what is kept about the probes with their run. `run`: the id of the run whose model is read.
        Raises InputError if it is too large."""
        kinds = {word: number for number, word in enumerate(dict.fromkeys(self.words))}
        words = [kinds[word] for word in self.words] if len(kinds) > 1 else []
        fact = ProbedRun(run=run, layers=list(layers), words=words, texts=list(self.texts))
        if (size := len(json.dumps(fact).encode())) > MAX_PROBES_BYTES:
            raise InputError(
                f"probes: {size:,} bytes of sentences, at most {MAX_PROBES_BYTES:,}: give fewer, or shorter ones"
            )
        return fact

    def _kinds(self) -> list[str]:
        several = len(set(self.words)) > 1
        return [
            ": ".join(filter(None, (word if several or not label else "", label)))
            for word, label in zip(self.words, self.labels, strict=True)
        ]


def spread_layers(count: int) -> list[int]:
    """Return the numbers of the layers to read, of 0 to `count` - 1: all, or evenly spread ones with both ends."""
    return np.unique(np.linspace(0, count - 1, min(count, MAX_LAYERS)).round().astype(int)).tolist()


def _free_name(name: str, layer: str, taken: Mapping[str, None]) -> str:
    ending = f" · {layer}" if layer else ""
    number, found = 1, f"{name[-_MAX_NAME:]}{ending}"
    while found in taken:
        number += 1
        found = f"{name[-_MAX_NAME:]} ({number}){ending}"
    return found
