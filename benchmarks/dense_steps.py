"""Bytes and time of steps in which every row moves: AdamW on a small model of GPT-2's shape, recorded call by call.

The moved rows of such steps are kept raw by the loop, where the matrix is small, and packed as differences by the analyst. Beside
them, what XOR with the step before, in byte planes and compressed, would take, and its time in the loop.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import zstandard

import lamplighter
from benchmarks.report import report
from benchmarks.watch import WIDTH, Trained
from lamplighter.analysis.tile_builder import TileBuilder
from lamplighter.client.recording import step_recording
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.wire.binary import Floats

CASES = ((112, 200), (1_024, 60))
"""Rows, and steps."""
WARM = 20


def main() -> bool:
    """Measure and print. Returns True: the figures are only to be known."""
    torch.set_num_threads(1)
    return all(_measure(*case) for case in CASES)


def _measure(rows: int, steps: int) -> bool:
    trained = Trained(rows, WIDTH, 64)
    matrices: list[Floats] = []
    seconds: list[float] = []
    for _ in range(steps + 1):
        seconds.append(trained.step(1))
        matrices.append(trained.model.wte.weight.detach().numpy().copy())
    raw = matrices[0].nbytes
    xored, took = zip(
        *(_xor(*pair) for pair in zip(matrices[WARM:], matrices[WARM + 1 :], strict=False)), strict=True
    )
    with tempfile.TemporaryDirectory() as folder:
        step_recording._SMALL_MATRIX = raw  # pyright: ignore[reportPrivateUsage]
        with_rows = _record(Path(folder) / "with-rows", matrices)
        step_recording._SMALL_MATRIX = 0  # pyright: ignore[reportPrivateUsage]
        without = _record(Path(folder) / "without", matrices)
        run = RunFolder(Path(folder) / "with-rows")
        builder = TileBuilder(run, 1.0)
        builder.build_rest(lambda: False)
        builder.close(sealed=True)
        tiled = run.tiles_path.stat().st_size / steps
    return report(
        "dense_steps", tiled / raw, "of the moved rows' bytes in tiles",
        rows=rows, width=WIDTH, raw_bytes_per_step=raw, tiled_bytes_per_step=tiled, xor_bytes_per_step=float(np.mean(xored)),
        step_ms=1e3 * float(np.median(seconds)), recording_ms=1e3 * with_rows, without_rows_ms=1e3 * without,
        xor_ms=1e3 * float(np.median(took)),
    )  # fmt: skip


def _record(folder: Path, matrices: list[Floats]) -> float:
    """Record the steps. Returns the median seconds of the processor that one took."""
    took: list[float] = []
    tokens = [str(number) for number in range(len(matrices[0]))]
    with lamplighter.record(folder, tokens, embedding=matrices[0], on_error="raise") as recorder:
        for matrix in matrices[1:]:
            begun = time.process_time()
            recorder.step(matrix, [1, 2], 1.0, gradient=matrix)
            took.append(time.process_time() - begun)
    return float(np.median(took))


def _xor(before: Floats, after: Floats) -> tuple[int, float]:
    """Return the bytes of the differences of a step, compressed, and the seconds of the processor that this took."""
    begun = time.process_time()
    bits = before.view(np.uint32) ^ after.view(np.uint32)
    planes = bits.view(np.uint8).reshape(-1, 4).T
    size = len(zstandard.ZstdCompressor(level=1).compress(np.ascontiguousarray(planes).tobytes()))
    return size, time.process_time() - begun
