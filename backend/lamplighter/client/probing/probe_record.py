"""The record of a run of hidden states, beside the run whose model is read."""

from __future__ import annotations

import numpy as np

from lamplighter.client.errors import InputError
from lamplighter.client.probing.probe_set import Layers, ProbeSet
from lamplighter.client.recorder import Recorder
from lamplighter.client.recording.loop_facts import LoopFacts
from lamplighter.client.sources.source_names import free_run_path
from lamplighter.contract.recipe import DEFAULT_DISK_BUDGET
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import derive_run_name, read_run_name
from lamplighter.runfolder.run_set import folder_beside
from lamplighter.wire.binary import Floats

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
