"""The run that a person names on the command line: by its id, or by the path of its folder."""

from __future__ import annotations

import os
from pathlib import Path

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore


def find_named_run(runs_dir: Path, name: str) -> RunFolder:
    """Return the run of an id in the folder of runs, or of a path, wherever that is.

    Raises:
        NoSuchRunError: there is no such run.
    """
    path = Path(name)
    if ("/" in name or os.sep in name) and path.is_dir():
        path = path.resolve()
        return RunStore(path.parent).find(path.name)
    return RunStore(runs_dir).find(name)
