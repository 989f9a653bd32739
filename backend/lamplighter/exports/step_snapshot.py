"""A snapshot of one step for export: the vectors, their layout, and the vocabulary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lamplighter.exports.output import ExportError
from lamplighter.runfolder.lineage import Line, layouts_that_count, newest_layout
from lamplighter.runfolder.reading.matrix_history import History
from lamplighter.runfolder.reading.snapshot import NoSnapshotError
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.wire.frames import Layout, Method, decode_as
from lamplighter.wire.vocabulary import Vocabulary


@dataclass(frozen=True)
class Moment:
    """A run after one step."""

    run_id: str
    attempt: int
    step: int
    vectors: NDArray[np.float32]
    """Shape (V, D), bit for bit."""
    vocabulary: Vocabulary
    layout: Layout | None
    """The newest layout at or before the step, UMAP's if there is one; None before the first."""

    @property
    def classes(self) -> list[str]:
        """Return the class of each token; empty for tokens without one."""
        names = [*self.vocabulary.classes, ""]
        return [names[index] for index in self.vocabulary.class_of()]

    def facts(self) -> dict[str, str]:
        """Return the metadata that an export carries."""
        said = {
            "format": "lamplighter",
            "run": self.run_id,
            "attempt": str(self.attempt),
            "step": str(self.step),
        }
        if self.layout is not None:
            said |= {"layout_step": str(self.layout.step), "layout_method": self.layout.method.name.lower()}
        return said


def read_moment(run: RunFolder, step: int | None) -> Moment:
    """Read a run after `step`, or after the newest step stored exactly.

    Raises:
        ExportError: that step is not stored exactly, or the run has no step yet.
        FormatError: this version cannot read the folder.
    """
    try:
        with History(run) as history:
            line, (_, last) = history.steps.line(), history.steps.last()
            if step is not None and step > last:
                raise ExportError(f"{run.id} has no step {step}: its last is {last}")
            at = history.snapshot(last if step is None else step, nearest=step is None)
        vocabulary = run.vocabulary
    except FileNotFoundError as error:
        raise ExportError(f"{run.id} has not begun: there is nothing to export yet") from error
    except NoSnapshotError as error:
        raise ExportError(str(error)) from error
    return Moment(run.id, at.attempt, at.step, at.vectors, vocabulary, _layout(run, line, at.step))


def _layout(run: RunFolder, line: Line, step: int) -> Layout | None:
    try:
        with LayoutsReader(run.layouts_path) as reader:
            entries = list(layouts_that_count(reader, line))
            for method in (Method.UMAP, Method.LINEAR):
                if found := newest_layout(entries, method, step):
                    return decode_as(reader.record(found.id), Layout)
    except FileNotFoundError:
        pass
    return None
