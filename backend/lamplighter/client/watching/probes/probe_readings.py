"""The probes of a watched training: their hidden states are read between two steps, and recorded as a run beside it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lamplighter.client.errors import InputError
from lamplighter.client.probing.probe_record import ProbeRecord
from lamplighter.client.probing.probe_set import Layers, Probes, ProbeSet
from lamplighter.client.probing.sentences import read_sentences
from lamplighter.client.recording.record_warnings import describe_error, print_notice, warn
from lamplighter.client.watching.probes.block_states import find_blocks, read_blocks
from lamplighter.client.watching.probes.probe_pace import ProbePace
from lamplighter.client.watching.probes.probe_tokens import encode_sentence
from lamplighter.client.watching.probes.undisturbed_model import undisturbed
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.wire.vocabulary import Vocabulary

_MAX_LAYER_NAME = 40
Read = Callable[[nn.Module], Layers]


class PlannedProbes:
    """The probes that a loop asks for, checked before it is watched."""

    def __init__(
        self, given: Any, tokenizer: Any, vocabulary: Vocabulary, model: nn.Module, device: torch.device
    ) -> None:
        """Check them.

        Args:
            given: sentences as for `read_sentences`, a function of the model, or `Probes`.
            tokenizer: the tokenizer of the loop, which splits sentences.
            vocabulary: the names of the table's rows.
            model: the model, unwrapped.
            device: where its ids go.

        Raises:
            InputError: they cannot be read.
        """
        self._asked = Probes(given) if callable(given) else given if isinstance(given, Probes) else None
        self._set: ProbeSet | None = None
        if self._asked is not None:
            self._read: Read = _reader(self._asked.read)
            return
        sentences = read_sentences(given)
        if not sentences or tokenizer is None:
            raise InputError("probes: give at least one sentence, and a tokenizer that splits it")
        sequences = [encode_sentence(one, tokenizer, vocabulary) for one in sentences]
        self._set = ProbeSet.of_sentences(sentences)
        # By name, because the model may be freed: it is not kept here.
        names = find_blocks(model)
        self._read = lambda lent: read_blocks(lent, names, sequences, device)

    def read_states(self, model: nn.Module) -> Layers:
        """Return the hidden states of the probes by layer, (R, D) each; the model stays as it is."""
        with undisturbed(model):
            return self._read(model)

    def name_probes(self, layers: Layers) -> ProbeSet:
        """Return the set of probes, of which there are as many as rows."""
        rows = len(next(iter(layers.values())))
        return self._set or ProbeSet.of_matrix(rows, self._asked or Probes(self._read))


class ProbeReadings:
    """The readings of a watched training. An error ends them with one warning; neither the training nor its record ends."""

    def __init__(self, planned: PlannedProbes, every: int | None, *, raises: bool) -> None:
        """Prepare to read.

        Args:
            every: read at the steps whose number is a multiple of it; None: for at most `SHARE` of the time.
            raises: whether an error is raised in the loop instead.
        """
        self._planned, self._every, self._raises = planned, every, raises
        self._record: ProbeRecord | None = None
        self._last, self._ended = 0, False
        self.readings = 0
        """Number of readings after the first step began."""

    def begin_reading(self, run: RunFolder | None, model: nn.Module, step: int) -> None:
        """Read the probes before the first step, and begin their record beside a run."""

        def begin() -> None:
            if run is None:
                raise InputError("the training itself is not recorded")
            layers = self._planned.read_states(model)
            self._record = ProbeRecord(run, self._planned.name_probes(layers), step, layers)
            self._last = step
            # The first pass takes longer than later ones, and no training waited for it.
            begun = time.perf_counter()
            self._planned.read_states(model)
            self._pace.cost = time.perf_counter() - begun
            print_notice(f"probes: their hidden states are recorded in {self._record.folder}")

        self._pace = ProbePace(self._every, step)
        self._guard(begin)

    def read_if_due(self, model: nn.Module | None, step: int, *, last: bool = False) -> None:
        """Read the probes after a step, if it is time.

        Args:
            model: the model; None: it is gone.
            step: the number of the step.
            last: whether it is the last one, which is read in any case.
        """
        record = self._record
        if self._ended or record is None or model is None or step <= self._last:
            return
        if not last and not self._pace.is_due(step):
            return

        def read() -> None:
            begun = time.perf_counter()
            record.add_step(step, self._planned.read_states(model))
            self._last = step
            self.readings += 1
            self._pace.note_reading(step, time.perf_counter() - begun)

        self._guard(read)

    def close(self) -> None:
        """End the record of the probes."""
        record, self._record = self._record, None
        if record is not None:
            self._guard(record.close)

    def _guard(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            self._ended = True
            if self._raises:
                raise
            warn(f"the probes are read no more: {describe_error(error)}. Training continues")


def _reader(function: Callable[[Any], Any]) -> Read:
    def read(model: nn.Module) -> Layers:
        found = function(model)
        layers = found if isinstance(found, Mapping) else {"": found}
        if not layers or any(not isinstance(name, str) or len(name) > _MAX_LAYER_NAME for name in layers):
            raise InputError("probes: the function must return a matrix, or a mapping of layer to matrix")
        return {name: _to_matrix(matrix) for name, matrix in layers.items()}

    return read


def _to_matrix(matrix: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
    values = matrix.detach().float().cpu().numpy() if isinstance(matrix, Tensor) else np.asarray(matrix)
    if values.ndim != 2 or values.dtype.kind not in "fiu":
        raise InputError(
            f"probes: a matrix with a row for each probe is needed, not one of shape {values.shape}"
        )
    return values.astype(np.float32)
