"""The probes of a run of hidden states: its rows, their names and classes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lamplighter.client.errors import InputError
from lamplighter.client.probing.sentences import ProbedSentence
from lamplighter.client.sources.vocabulary_files import make_vocabulary
from lamplighter.runfolder.loop_facts import MAX_PROBE_ROWS, MAX_PROBES_BYTES, ProbedRun
from lamplighter.wire.binary import Floats
from lamplighter.wire.vocabulary import Vocabulary

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
