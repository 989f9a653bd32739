"""A table of the size of Llama 3's, 128,256 x 4,096 in bfloat16: to a map at rest, and a word's neighbours from a server.

It takes minutes, so `python -m benchmarks` leaves it out: `python -m benchmarks histories_large`. The rows are made up: 2,000
clusters whose centres share no directions. Memory is that of all processes together, sampled while they run.
"""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.support.memory import peak_memory
from benchmarks.support.report import report
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LANDMARKS_FACT, LayoutsReader
from tests.support.application import Application

ROWS, WIDTH, CLUSTERS = 128_256, 4_096, 2_000
_BLOCK = 4_096


def main() -> bool:
    """Measure and print. Returns whether the goals are met."""
    with tempfile.TemporaryDirectory() as folder:
        runs, table = Path(folder) / "runs", Path(folder) / "large"
        write_table(table, ROWS, WIDTH)
        program = [sys.executable, "-m", "lamplighter"]
        parts: dict[str, float] = {}
        peak, began = 0.0, time.perf_counter()
        for name, *options in (("still", str(table)), ("project", "large")):
            started = time.perf_counter()
            process = subprocess.Popen([*program, name, "--runs", str(runs), *options])
            with peak_memory(process.pid) as memory:
                assert process.wait() == 0
            parts[f"{name}_s"], peak = time.perf_counter() - started, max(peak, memory["gigabytes"])
        seconds = time.perf_counter() - began
        with LayoutsReader(RunFolder(runs / "large").layouts_path) as reader:
            trust = reader.facts()[LANDMARKS_FACT]
        met = report("large_still", seconds, "s", **parts, rows=ROWS, width=WIDTH, trust=trust)
        met &= report("large_still_memory", peak, "GB")
        return met & _measure_server(runs)


def write_table(folder: Path, rows: int, width: int) -> None:
    """Write a model folder with a clustered table in bfloat16, block by block, and its tokens."""
    folder.mkdir()
    random = np.random.default_rng(0)
    centres = random.standard_normal((CLUSTERS, width), dtype=np.float32)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    cluster_of = random.integers(0, CLUSTERS, rows)
    entry = {"dtype": "BF16", "shape": [rows, width], "data_offsets": [0, 2 * rows * width]}
    header = json.dumps({"model.embed_tokens.weight": entry}).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        for start in range(0, rows, _BLOCK):
            of = cluster_of[start : start + _BLOCK]
            block = random.standard_normal((len(of), width), dtype=np.float32) * np.float32(0.8 / width**0.5)
            block += centres[of]
            file.write((block.view(np.uint32) >> 16).astype("<u2").tobytes())
    vocabulary = {f"\u0120word{at}": at for at in range(rows)}
    text = json.dumps({"model": {"type": "BPE", "vocab": vocabulary, "merges": []}})
    (folder / "tokenizer.json").write_text(text, encoding="utf-8")


def _measure_server(runs: Path) -> bool:
    with (
        Application(runs, "serve", "--no-workers") as application,
        peak_memory(application.process.pid) as memory,
    ):
        started = time.perf_counter()
        for path in ("", "/tokens?limit=50000", "/layouts", "/tokens/7", "/norms?format=json"):
            application.get(f"/api/runs/large{path}")
        opened = time.perf_counter() - started
        started = time.perf_counter()
        application.get("/api/runs/large/neighbours?token_id=7")
        asked = time.perf_counter() - started
    met = report("large_neighbours", asked, "s", opened_s=opened)
    return met & report("large_server_memory", memory["gigabytes"], "GB")
