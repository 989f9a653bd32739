"""A snapshot of one step for export: the vectors, their layout, and the vocabulary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lamplighter.contract.sentences import say
from lamplighter.exports.output import ExportError
from lamplighter.runfolder.errors import NoSnapshotError
from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.reading.current_map import layouts_on_lineage, newest_layout_entry
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.wire.frames import decode_as
from lamplighter.wire.layout_frames import Layout, Method
from lamplighter.wire.vocabulary import Vocabulary


@dataclass(frozen=True)
class StepSnapshot:
    """A run after one step."""

    run_id: str
    attempt: int
    step: int
    vectors: NDArray[np.float32]
    """Shape (V, D), bit for bit."""
    vocabulary: Vocabulary
    layout: Layout | None
    """The newest layout at or before the step, preferably UMAP's; None before the first."""

    @property
    def classes(self) -> list[str]:
        """Return the class of each token; empty for tokens without one."""
        names = [*self.vocabulary.classes, ""]
        return [names[index] for index in self.vocabulary.class_of()]

    def metadata(self) -> dict[str, str]:
        facts = {
            "format": "lamplighter",
            "run": self.run_id,
            "attempt": str(self.attempt),
            "step": str(self.step),
        }
        if self.layout is not None:
            facts |= {"layout_step": str(self.layout.step), "layout_method": self.layout.method.name.lower()}
        return facts


def read_step_snapshot(run: RunFolder, step: int | None) -> StepSnapshot:
    """Read a run after `step` (None: the newest stored exactly), or raise ExportError."""
    try:
        with MatrixHistory(run) as history:
            lineage, (_, last) = history.steps.lineage(), history.steps.newest_step()
            if step is not None and step > last:
                raise ExportError(say("export_no_step", run=run.id, step=step, last=last))
            snapshot = history.snapshot(last if step is None else step, nearest=step is None)
        vocabulary = run.vocabulary
    except FileNotFoundError as error:
        raise ExportError(say("export_not_begun", run=run.id)) from error
    except NoSnapshotError as error:
        raise ExportError(str(error)) from error
    return StepSnapshot(
        run.id,
        snapshot.attempt,
        snapshot.step,
        snapshot.vectors,
        vocabulary,
        _newest_layout(run, lineage, snapshot.step),
    )


def _newest_layout(run: RunFolder, lineage: Lineage, step: int) -> Layout | None:
    try:
        with LayoutsReader(run.layouts_path) as reader:
            entries = list(layouts_on_lineage(reader, lineage))
            for method in (Method.UMAP, Method.LINEAR):
                if entry := newest_layout_entry(entries, method, step):
                    return decode_as(reader.layout_record(entry.id), Layout)
    except FileNotFoundError:
        pass
    return None
