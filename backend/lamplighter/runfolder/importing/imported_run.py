"""The mark of an imported run, whose recipe must not be trusted like a local one."""

from __future__ import annotations

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader

IMPORTED_FACT = "imported"
"""The fact with the time of import, in Unix seconds."""


def is_imported(run: RunFolder) -> bool:
    try:
        with StepsReader(run.steps_path) as reader:
            return IMPORTED_FACT in reader.facts()
    except FileNotFoundError:
        return False
