"""The history of a run as a CSV file: by step, losses, speeds, measures, and numbers of rows in the batch, with a
gradient and moved."""

from __future__ import annotations

import csv
from pathlib import Path

from lamplighter.contract.sentences import say
from lamplighter.exports.output import ExportError, ExportProgress
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.measures import MeasuresReader
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import decode_as
from lamplighter.wire.pulse_frames import Pulse

_BATCH = 500
_COLUMNS = (
    "step", "attempt", "time", "loss", "learning_rate", "tokens_per_second", "step_seconds", "observe_seconds",
    "batch_rows", "gradient_rows", "moved_rows",
)  # fmt: skip


def write_csv(run: RunFolder, out: Path, progress: ExportProgress) -> None:
    """Write one row per step (and one for step 0 if it was measured), in UTF-8 with a header. Each measure
    has a column `measure: NAME`; unrecorded values are empty or nan. It raises ExportError if the run has no
    step yet.
    """
    try:
        with MeasuresReader(run.measures_path) as reader, StepsReader(run.steps_path) as steps:
            measures = reader.by_step(lineage=steps.lineage())
    except FileNotFoundError:
        measures = {}
    names = sorted({name for values in measures.values() for name in values})
    try:
        with StepsReader(run.steps_path) as steps, out.open("w", encoding="utf-8", newline="") as file:
            _, last = steps.newest_step()
            layers = [_cell(name) for name in steps.facts().get("layers", [])]
            rows = csv.writer(file, lineterminator="\n")
            header = (
                *_COLUMNS,
                *(f"gradient norm: {n}" for n in layers),
                *(f"measure: {_cell(n)}" for n in names),
            )
            rows.writerow(header)
            if 0 in measures:
                rows.writerow([0, *[""] * (len(_COLUMNS) - 1 + len(layers)), *_measured(measures, names, 0)])
            for first in range(1, last + 1, _BATCH):
                for _, record in steps.pulses(first, min(first + _BATCH - 1, last), _BATCH):
                    pulse = decode_as(record, Pulse)
                    norms = [f"{norm:.9g}" for norm in pulse.layer_norms.tolist()]
                    norms += [""] * (len(layers) - len(norms))
                    rows.writerow(
                        [*_numbers(pulse), *norms[: len(layers)], *_measured(measures, names, pulse.step)]
                    )
                progress(min(1.0, (first + _BATCH) / last), "steps")
    except FileNotFoundError as error:
        raise ExportError(say("export_not_begun", run=run.id)) from error


def _numbers(pulse: Pulse) -> list[str]:
    floats = (
        (pulse.loss, True),
        (pulse.learning_rate, True),
        (pulse.tokens_per_second, pulse.batch_known),
        (pulse.step_seconds, True),
        (pulse.observe_seconds, True),
    )
    counts = (
        str(len(ids)) if known else ""
        for ids, known in (
            (pulse.batch_ids, pulse.batch_known),
            (pulse.gradient_ids, pulse.gradient_known),
            (pulse.moved_ids, pulse.moved_known),
        )
    )
    return [
        str(pulse.step),
        str(pulse.attempt),
        f"{pulse.time:.6f}",
        *(f"{value:.9g}" if known else "" for value, known in floats),
        *counts,
    ]


def _measured(measures: dict[int, dict[str, float]], names: list[str], step: int) -> list[str]:
    values = measures.get(step, {})
    return [repr(values[name]) if name in values else "" for name in names]


def _cell(name: str) -> str:
    """Return an untrusted name from a run on one line."""
    return " ".join(str(name).split())
