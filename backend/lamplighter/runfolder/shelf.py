"""The folder that holds the runs: making one, listing them, moving one to the trash."""

from __future__ import annotations

import re
import secrets
import shutil
import time
from pathlib import Path

from lamplighter.recipe import Recipe, RecipeError
from lamplighter.runfolder.folder import RunFolder, write_once
from lamplighter.runfolder.lock import is_held
from lamplighter.wire.vocabulary import Vocabulary

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
_TRASH = ".trash"


class NoSuchRunError(LookupError):
    """There is no run of that name."""


class RunBusyError(RuntimeError):
    """The run is being trained."""


class Shelf:
    """All runs below one folder. Ids are looked up among what is there, never joined into a path."""

    def __init__(self, path: Path) -> None:
        """Use (and make, if need be) the folder `path`."""
        path.mkdir(parents=True, exist_ok=True)
        self.path = path.resolve()

    def runs(self) -> list[RunFolder]:
        """Every run, newest first, readable or not."""
        found = [
            RunFolder(path)
            for path in self.path.iterdir()
            if _ID.fullmatch(path.name) and path.is_dir() and not path.is_symlink()
        ]
        return sorted(found, key=_age, reverse=True)

    def find(self, run_id: str) -> RunFolder:
        """The run of that name.

        Raises:
            NoSuchRunError: there is none.
        """
        if _ID.fullmatch(run_id):
            for run in self.runs():
                if run.id == run_id:
                    return run
        raise NoSuchRunError(f"there is no run '{run_id[:80]}' in {self.path.name}/")

    def create(self, recipe: Recipe, text: str | None = None) -> RunFolder:
        """Make a run to be trained: its folder appears with the recipe (and the text) in it, or not at all.

        Raises:
            RecipeError: the recipe is of a run that a loop of its own records.
        """
        if recipe.corpus.kind == "recorded":
            raise RecipeError(
                "the corpus kind 'recorded' is of runs written by a training loop of their own, and cannot be"
                " trained here: use lamptown, manuals or text"
            )
        run_id = _fresh_id(recipe)
        making = self.path / f".making-{run_id}"
        making.mkdir()
        if text is not None:
            write_once(making / "source.txt", text)
        (making / "checkpoints").mkdir()
        write_once(making / "recipe.json", recipe.model_dump_json(indent=2))
        return RunFolder(making.rename(self.path / run_id))

    def adopt(self, making: Path, recipe: Recipe) -> RunFolder:
        """Give a folder that was made below this one (under a name with a dot) a fresh id: it is a run then."""
        return RunFolder(making.rename(self.path / _fresh_id(recipe)))

    def trash(self, run: RunFolder) -> Path:
        """Move a run to the trash folder; it can be moved back by hand.

        Raises:
            RunBusyError: a trainer holds it.
        """
        if is_held(run.path, "trainer"):
            raise RunBusyError(f"{run.id} is being trained; stop it first")
        trash = self.path / _TRASH
        trash.mkdir(exist_ok=True)
        target = trash / run.id
        if target.exists():
            target = trash / f"{run.id}-{secrets.token_hex(2)}"
        return run.path.rename(target)

    def remove(self, run: RunFolder) -> None:
        """Remove a run for good.

        Raises:
            RunBusyError: a trainer holds it.
        """
        shutil.rmtree(self.trash(run))

    def trashed(self) -> list[RunFolder]:
        """What lies in the trash."""
        trash = self.path / _TRASH
        return [RunFolder(path) for path in sorted(trash.iterdir())] if trash.is_dir() else []

    def empty_trash(self) -> int:
        """Remove what lies in the trash for good. Returns the number of runs removed."""
        gone = self.trashed()
        for run in gone:
            shutil.rmtree(run.path)
        return len(gone)


def _fresh_id(recipe: Recipe) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", (recipe.corpus.name or recipe.corpus.kind).lower()).strip("-")[:40]
    return f"{time.strftime('%Y-%m-%d')}-{name or 'text'}-{secrets.token_hex(3)}"


def place_recorded(path: Path, recipe: Recipe, vocabulary: Vocabulary) -> RunFolder:
    """Make the folder of a run that a loop of its own records. It appears with recipe and vocabulary in it.

    Args:
        path: must not exist yet, or be an empty folder; its parent is the folder of runs.
        recipe: of the corpus kind `recorded`.
        vocabulary: of the run.

    Raises:
        ValueError: a server would not list a folder of that name.
        FileExistsError: there is something at `path` already.
    """
    path = path.resolve()
    check_place(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    making = RunFolder(path.with_name(f".making-{path.name}-{secrets.token_hex(3)}"))
    making.path.mkdir()
    try:
        making.write_vocabulary(vocabulary)
        write_once(making.path / "recipe.json", recipe.model_dump_json(indent=2))
        if path.exists():
            path.rmdir()  # Only an empty one goes; some systems do not rename onto a folder.
        return RunFolder(making.path.rename(path))
    except BaseException:
        shutil.rmtree(making.path, ignore_errors=True)
        raise


def check_place(path: Path) -> None:
    """See that a run's folder can be made at `path`; raises what `place_recorded` does."""
    if not _ID.fullmatch(path.name):
        raise ValueError(
            f"a run cannot be called {path.name[:80]!r}: use up to 80 of a-z, 0-9 and '-', not beginning with '-'"
        )
    if path.is_symlink() or (path.exists() and (not path.is_dir() or any(path.iterdir()))):
        raise FileExistsError(f"{path} is there already and is not an empty folder: record into a new one")


def _age(run: RunFolder) -> float:
    try:
        return run.created
    except OSError:
        # One that is being moved to the trash meanwhile must not fail the list of the others.
        return run.path.stat().st_mtime if run.path.exists() else 0.0
