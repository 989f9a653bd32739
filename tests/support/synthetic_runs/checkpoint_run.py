"""A history of checkpoints as a finished run with maps and measures: some of its steps hold another's table."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import lamplighter
from lamplighter.analysis.analyst import Analyst
from lamplighter.runfolder.run_folder import RunFolder
from tests.browser.map_page import write_maps

NUMBERS = (0, 1, 2, 4, 8, 16, 32, 64, 128)
REPEATED = (4, 16)
"""The steps that hold the last table, as many of Pythia-2.8b do (EleutherAI/pythia #205)."""
WORDS = [f"word{number}" for number in range(120)]
DEAD = range(5, 120, 10)
"""The rows that training never reads."""


def make_checkpoint_run(path: Path) -> RunFolder:
    """Record the history as a run at `path`."""
    random = np.random.default_rng(8)
    table = random.normal(scale=0.1, size=(len(WORDS), 16)).astype(np.float32)
    towards = random.normal(size=(6, 16))[np.arange(len(WORDS)) * 6 // len(WORDS)]
    tables: dict[int, np.ndarray] = {}
    for number in NUMBERS:
        tables[number] = table.copy()
        moved = table + 0.3 * (towards - table) + random.normal(scale=0.02, size=table.shape)
        moved[DEAD] = table[DEAD]
        table = moved.astype(np.float32)
    for number in REPEATED:
        tables[number] = tables[NUMBERS[-1]]
    run = RunFolder(lamplighter.series(path, tables, WORDS, maps=False).folder)
    write_maps(run.layouts_path, len(WORDS), range(len(NUMBERS)), ("first", "second"))
    Analyst(run).run()
    return run
