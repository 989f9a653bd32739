"""Exports by the real command line that are killed and then checked: the file is complete, or absent."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet
from safetensors.numpy import load_file

from lamplighter.exports.archive.import_run import import_zip
from lamplighter.exports.output import ExportError, no_progress
from lamplighter.platform.failpoint import VARIABLE
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from tests.soak.audit import FORGED
from tests.soak.reference import ReferenceRun

FORMATS = ("zip", "html", "csv", "npy", "safetensors", "parquet")


class Exporter:
    """A `lamplighter export` process, with or without an armed failpoint."""

    def __init__(self, run: RunFolder, format: str, out: Path, step: int, armed: str = "") -> None:
        """Start it; formats of a single step take `step`, which the run must have."""
        self.format, self.out, self.step = format, out, step
        words = [] if format in ("zip", "html", "csv") else ["--step", str(step)]
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "lamplighter", "--runs", str(run.path.parent)),
                *("export", run.id, "--to", format, "--out", str(out), *words),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=os.environ | {VARIABLE: armed},
            text=True,
        )

    def wait(self) -> tuple[int, str]:
        """Wait for the end. Returns the exit code and standard error."""
        _, said = self.process.communicate(timeout=300)
        return self.process.returncode, said

    def problem(self, reference: ReferenceRun, scratch: Path) -> str | None:
        """Check the exported file. Returns the problem, or None if the file is complete or absent."""
        if not self.out.exists():
            return None
        try:
            fine = self._whole(reference, scratch)
        except (ExportError, ValueError, OSError, LookupError) as error:
            return f"the {self.format} at {self.out.name} cannot be read: {type(error).__name__}: {error}"
        return None if fine else f"the {self.format} at {self.out.name} is not whole"

    def _whole(self, reference: ReferenceRun, scratch: Path) -> bool:
        matrix = reference.matrices[self.step]
        match self.format:
            case "zip":
                run, _ = import_zip(RunStore(scratch), self.out, no_progress)
                with MatrixHistory(run) as history:
                    last = history.steps.newest_step()[1]
                    digests = history.steps.digests(1, last)
                    same = all(digests.get(s) in (reference.digests[s], FORGED) for s in range(1, last + 1))
                    return same and len(history.exact_steps()) == last + 1
            case "html":
                return self.out.read_text(encoding="utf-8").rstrip().endswith("</html>")
            case "csv":
                lines = self.out.read_text(encoding="utf-8").splitlines()
                columns = {line.count(",") for line in lines}
                return len(columns) == 1 and len(lines) > self.step
            case "npy":
                return np.array_equal(np.load(self.out), matrix)
            case "safetensors":
                return np.array_equal(load_file(self.out)["embedding"], matrix)
            case _:
                return pyarrow.parquet.read_table(self.out).num_rows == len(matrix)
