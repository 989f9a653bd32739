"""The run store: the folder of all runs. Creates, lists, finds and trashes runs."""

from __future__ import annotations

import re
import secrets
import shutil
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

from lamplighter.contract.recipe import BUILT_IN_TEXTS, Recipe
from lamplighter.contract.recipe_file import RecipeError
from lamplighter.contract.sentences import say
from lamplighter.platform.folder_sync import rename_durably
from lamplighter.platform.private_modes import make_private_folder
from lamplighter.runfolder.preparation import clear_preparations, preparation_folder
from lamplighter.runfolder.role_lock import RoleState, role_state
from lamplighter.runfolder.run_folder import RunFolder, is_folder, is_run_id, list_folders, write_atomically
from lamplighter.runfolder.run_name import derive_run_name, numbered_name, read_run_name, write_run_name
from lamplighter.runfolder.run_set import RunSet, is_set
from lamplighter.wire.vocabulary import Vocabulary

TRASH = ".trash"
"""The folder of a store with the runs that were removed."""
RECEIVED_FILE = "received.json"
"""The file of a run that arrives from another machine (`fragments/received_run.py`)."""
_MAX_READ = 1_000


class NoSuchRunError(LookupError):
    """An error for an unknown run id."""


class NoSuchSetError(LookupError):
    """An error for an unknown id of a set."""


class RunBusyError(RuntimeError):
    """An error for a run that cannot be trashed while it is being trained."""


class RunStore:
    """All runs in one folder. An id is validated before it becomes part of a path, so it has no separator."""

    def __init__(self, path: Path) -> None:
        """Use the folder `path`, creating it if needed."""
        make_private_folder(path, parents=True, exist_ok=True)
        self.path = path.resolve()

    def runs(self) -> list[RunFolder]:
        """Return all runs, readable or not, newest first. The members of sets are among them."""
        found: dict[str, RunFolder] = {}
        sets: list[Path] = []
        for path in list_folders(self.path):
            if is_set(path):
                sets.append(path)
            else:
                found[path.name] = RunFolder(path)
        for folder in sorted(sets):
            # A copied set has members of the same ids: the first is found, here as in `find`.
            for path in list_folders(folder):
                found.setdefault(path.name, RunFolder(path))
        return sorted(found.values(), key=_creation_time, reverse=True)

    def sets(self) -> list[RunSet]:
        """Return all sets, newest first; also this folder, if it is one."""
        found = [RunSet(path) for path in (self.path, *list_folders(self.path)) if is_set(path)]
        return sorted(found, key=_creation_time, reverse=True)

    def find(self, run_id: str) -> RunFolder:
        """Return the run with id `run_id`. Takes one file-system lookup for any number of runs, and for a
        member of a set one for each of them. Raises NoSuchRunError if there is no such run.
        """
        if is_run_id(run_id):
            path = self.path / run_id
            if is_folder(path) and not is_set(path):
                return RunFolder(path)
            for folder in sorted(path for path in list_folders(self.path) if is_set(path)):
                if found := RunSet(folder).find_member(run_id):
                    return found
        raise NoSuchRunError(say("no_such_run", run=run_id[:80], folder=self.path.name))

    def find_set(self, set_id: str) -> RunSet:
        """Return the set with id `set_id`. Raises NoSuchSetError if there is no such set."""
        if is_run_id(set_id):
            for path in (self.path / set_id, self.path):
                if path.name == set_id and is_folder(path) and is_set(path):
                    return RunSet(path)
        raise NoSuchSetError(say("no_such_set", set=set_id[:80], folder=self.path.name))

    def create(
        self, recipe: Recipe, text: str | None = None, prepare: Callable[[Path], object] | None = None
    ) -> RunFolder:
        """Create a run to train. Its folder appears complete with the recipe (and the text), or not at all;
        `prepare` is called with it before it gets its final name. Raises RecipeError if the recipe is for
        a run recorded by a client's own loop.
        """
        require_trainable(recipe)
        with preparation_folder(self.path, "making") as folder:
            making = make_run_folder(folder / "run", recipe, text)
            if prepare is not None:
                prepare(making)
            return self.adopt(making, recipe)

    def names(self, *, plain: bool = False) -> dict[str, str]:
        """Return the name, or the plain name, of each run by id: the stored one, or one derived from the recipe,
        numbered if an older run has the same."""
        runs = self.runs()
        names = {run.id: name for run in runs if (name := read_run_name(run, plain=plain)) is not None}
        taken = set(names.values())
        for run in sorted(runs, key=lambda run: (_creation_time(run), run.id)):
            if run.id not in names:
                names[run.id] = numbered_name(derive_run_name(run, plain=plain), taken)
                taken.add(names[run.id])
        return names

    def adopt(self, prepared: Path, recipe: Recipe) -> RunFolder:
        """Rename a synced folder prepared inside the store (its name begins with a dot) to a fresh run id. The run
        keeps or gets a name, numbered if another run has the same."""
        self.give_name(RunFolder(prepared))
        return RunFolder(rename_durably(prepared, self.path / new_id(recipe)))

    def give_name(self, prepared: RunFolder) -> None:
        """Store the name and the plain name of a new run, each numbered if a run of the store has the same."""
        name = read_run_name(prepared) or derive_run_name(prepared)
        plain_name = derive_run_name(prepared, plain=True)
        write_run_name(
            prepared.path,
            numbered_name(name, self.names().values()),
            numbered_name(plain_name, self.names(plain=True).values()),
        )

    def clear_leftovers(self) -> int:
        """Remove incomplete runs left by killed processes. Return their number. Never raises."""
        return clear_preparations(self.path, "making", "importing")

    def trash(self, run: RunFolder | RunSet) -> Path:
        """Move a run, or a set with its members, to the trash folder; it can be moved back by hand. Raises
        RunBusyError if a trainer holds the run or a member, or may hold it, if a sweep trains the set, or
        if the set is this very folder.
        """
        if isinstance(run, RunSet):
            if run.path == self.path:
                raise RunBusyError(say("set_is_open", set=run.id))
            if run.is_swept:
                raise RunBusyError(say("set_is_swept", set=run.id))
            for path in list_folders(run.path):
                _require_untrained(RunFolder(path))
        else:
            _require_untrained(run)
        trash = self.path / TRASH
        make_private_folder(trash, exist_ok=True)
        target = trash / run.id
        if target.exists():
            target = trash / f"{run.id}-{secrets.token_hex(2)}"
        return run.path.rename(target)

    def remove(self, run: RunFolder | RunSet) -> None:
        """Delete a run or a set permanently. Raises RunBusyError if a trainer holds the run or a member."""
        shutil.rmtree(self.trash(run))

    def trashed(self) -> list[RunFolder]:
        trash = self.path / TRASH
        return [RunFolder(path) for path in sorted(trash.iterdir())] if trash.is_dir() else []

    def empty_trash(self) -> int:
        """Delete all runs in the trash permanently. Return their number."""
        trashed_runs = self.trashed()
        for run in trashed_runs:
            shutil.rmtree(run.path)
        return len(trashed_runs)


def run_id_of(name: str) -> str:
    """Return a run id derived from a name: `my-run` for "My_Run", `lr3e-3-v1-2` for "lr3e-3_v1.2".

    A valid id stays as it is. Different names can give the same id; a name without Latin letters and digits gives
    `run`.
    """
    if is_run_id(name):
        return name
    plain = unicodedata.normalize("NFKD", name[:_MAX_READ].casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:80].rstrip("-") or "run"


def numbered_id(run_id: str, number: int) -> str:
    """Return a run's id with a number at its end, of which the first is 2; with 1 the id itself."""
    ending = "" if number == 1 else f"-{number}"
    return f"{run_id[: 80 - len(ending)]}{ending}"


def _require_untrained(run: RunFolder) -> None:
    state = role_state(run.path, "trainer")
    if state is RoleState.HELD:
        arrives = (run.path / RECEIVED_FILE).exists()
        raise RunBusyError(say("run_arrives" if arrives else "run_is_trained", run=run.id))
    if state is RoleState.UNKNOWN:
        raise RunBusyError(say("run_may_be_trained", run=run.id))


def require_trainable(recipe: Recipe) -> None:
    """Raise RecipeError if a recipe is for a run recorded by a client's own loop."""
    if recipe.corpus.kind == "recorded":
        raise RecipeError(
            "runs of the corpus kind 'recorded' are written by a client's training loop, and cannot be"
            f" trained here: use {', '.join(BUILT_IN_TEXTS)} or text"
        )


def make_run_folder(path: Path, recipe: Recipe, text: str | None) -> Path:
    make_private_folder(path)
    make_private_folder(path / "checkpoints")
    if text is not None:
        write_atomically(path / "source.txt", text)
    write_atomically(path / "recipe.json", recipe.model_dump_json(indent=2))
    return path


def new_id(recipe: Recipe) -> str:
    """Return an id for a run or a set that reveals nothing about the user's text, since ids appear in addresses."""
    ours = f"-{recipe.corpus.kind}" if recipe.corpus.kind in BUILT_IN_TEXTS else ""
    return f"{time.strftime('%Y-%m-%d')}{ours}-{secrets.token_hex(3)}"


def create_recorded_run(
    path: Path, recipe: Recipe, vocabulary: Vocabulary, prepare: Callable[[Path], object] | None = None
) -> RunFolder:
    """Create the folder of a run recorded by a client's own loop. It appears complete with recipe and
    vocabulary; `prepare` is called with it before it gets its final name. Its parent is the run store.
    Raises ValueError if the folder's name is not a valid run id, so that a server would not list it,
    FileExistsError if `path` exists and is not an empty folder.
    """
    path = path.resolve()
    require_free_path(path)
    make_private_folder(path.parent, parents=True, exist_ok=True)
    with preparation_folder(path.parent, "making") as folder:
        making = RunFolder(folder / "run")
        make_private_folder(making.path)
        making.write_vocabulary(vocabulary)
        write_atomically(making.path / "recipe.json", recipe.model_dump_json(indent=2))
        RunStore(path.parent).give_name(making)
        if prepare is not None:
            prepare(making.path)
        if path.exists():
            path.rmdir()  # Fails unless empty; needed as some systems cannot rename onto a folder.
        return RunFolder(rename_durably(making.path, path))


def require_free_path(path: Path) -> None:
    """Raise ValueError or FileExistsError if a run's folder cannot be created at `path`."""
    if not is_run_id(path.name):
        raise ValueError(
            f"a run cannot be called {path.name[:80]!r}: use up to 80 of a-z, 0-9 and '-', not beginning with '-'"
        )
    if path.is_symlink() or (path.exists() and (not path.is_dir() or any(path.iterdir()))):
        raise FileExistsError(f"{path} is there already and is not an empty folder: record into a new one")


def _creation_time(run: RunFolder | RunSet) -> float:
    try:
        return run.created
    except OSError:
        # A run moved to the trash during the listing must not make it fail.
        return run.path.stat().st_mtime if run.path.exists() else 0.0
