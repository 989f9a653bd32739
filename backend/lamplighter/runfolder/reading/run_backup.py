"""Copies of a run's folder, made while the run may be written to."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from lamplighter.platform.folder_sync import rename_durably, sync_file
from lamplighter.platform.private_modes import make_private_folder, restrict_like_folder
from lamplighter.runfolder.preparation import preparation_folder
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import NAME_FILE, PLAIN_NAME_FILE
from lamplighter.runfolder.sqlite.backup import back_up

TEXTS = ("recipe.json", NAME_FILE, "source.txt", "corpus.json", "tokeniser.json", "vocabulary.json")
CORPORA = ("corpus.npy", "held-out.npy", "landmarks.npy")
DATABASES = (
    "examinations.sqlite",
    "layouts.sqlite",
    "relayouts.sqlite",
    "output-layouts.sqlite",
    "measures.sqlite",
    "steps.sqlite",
    "tiles.sqlite",
)
"""Databases in the order they are copied: the steps after answers, layouts and measures, so that these never refer to
a missing step, and before the tiles, so that rows pruned from the steps are in the tiles."""


def back_up_run(run: RunFolder, target: Path) -> None:
    """Copy a run, live or finished, which must have started, without the states of its model. The copy
    appears complete or not at all. Raises FormatError if a file is damaged, or of a newer version, OSError
    if the copy cannot be written.
    """
    make_private_folder(target.parent, parents=True, exist_ok=True)
    with preparation_folder(target.parent, "making") as folder:
        making = folder / "run"
        make_private_folder(making)
        for name in (*TEXTS, PLAIN_NAME_FILE, *CORPORA):
            with suppress(FileNotFoundError):
                shutil.copyfile(run.path / name, making / name)
        for name in DATABASES:
            with suppress(FileNotFoundError):
                back_up(run.path / name, making / name)
        for source in run.matrix_paths():
            target_folder = making / source.parent.name
            make_private_folder(target_folder, exist_ok=True)
            shutil.copyfile(source, target_folder / source.name)
        for path in making.rglob("*"):
            if path.is_file():
                restrict_like_folder(path)
                sync_file(path)
        rename_durably(making, target)
