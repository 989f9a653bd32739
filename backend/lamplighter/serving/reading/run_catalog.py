"""Read access to runs for the routes and the live socket, with caches.

Everything here blocks and is called from threads. The caches are bounded: a few runs with their parsed
vocabularies, a few rebuilt matrices.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Literal, TypeVar

from lamplighter.contract.sentences import say
from lamplighter.exports.run_picture import RunPicture
from lamplighter.runfolder.errors import (
    READ_ERRORS,
    FormatError,
    NoSnapshotError,
    explain_read_error,
    is_outage,
)
from lamplighter.runfolder.loop_facts import CONFIG_FACT, HISTORY_FACT, PROBES_FACT
from lamplighter.runfolder.reading.current_map import count_districts
from lamplighter.runfolder.reading.lru_cache import LruCache
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.output_matrix import (
    OutputPoint,
    read_output_matrix,
    read_output_matrix_at,
)
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.reading.snapshot import OpenSnapshot, Snapshot, require_fit
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import read_run_name
from lamplighter.runfolder.run_set import is_member
from lamplighter.runfolder.run_store import NoSuchRunError, RunStore
from lamplighter.runfolder.step_numbers import NUMBERS_FACT
from lamplighter.runfolder.tables.layouts import LANDMARKS_FACT, LayoutsReader, decode_landmark_trust
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.reading.run_list import RunSummaries, SummarisedRun
from lamplighter.serving.reading.token_table import TokenTable
from lamplighter.serving.schemas.runs import (
    ForkOrigin,
    LandmarkTrust,
    PlantedClass,
    PlantedRelation,
    RunResponse,
    RunSummary,
    Status,
    describe_recipe,
)
from lamplighter.web.http.problems import RefusedError
from lamplighter.web.http.response_cost import matrix_bytes
from lamplighter.web.http.step_range import StepRange

_UNREADABLE = (*READ_ERRORS, ValueError)
_RUNS_KEPT = 8
_PICTURES_KEPT = 100
_MATRIX_BYTES = 128 << 20
"""Maximum bytes of cached matrices: every step of a curve of a small run, or a few of a large one."""
_OBJECT_BYTES = 1_000
"""Upper estimate of the bytes of a matrix besides its numbers."""

MatrixName = Literal["in", "out"]
"""The input matrix (embedding) or the output matrix (unembedding)."""

T = TypeVar("T")


class RunCatalog:
    """A catalogue of the runs in a run store, for reading."""

    def __init__(self, run_store: RunStore) -> None:
        self.run_store = run_store
        self._folders = LruCache(_RUNS_KEPT)
        self._tables = LruCache(_RUNS_KEPT)
        self._matrices = LruCache(_MATRIX_BYTES, lambda snapshot: _OBJECT_BYTES + snapshot.vectors.nbytes)
        self._pictures = LruCache(_PICTURES_KEPT)
        self._summaries = RunSummaries()
        self._names: dict[str, str] = {}

    def find_run(self, run_id: str) -> RunFolder:
        """Return the run with that id, as `share` does. Raises NoSuchRunError."""
        return self.share(self.run_store.find(run_id))

    def share(self, found: RunFolder) -> RunFolder:
        """Return the same object for the same run while it is cached, so that its parsed files are shared. Raises
        NoSuchRunError.
        """
        try:
            inode = found.path.stat().st_ino
        except FileNotFoundError:
            raise NoSuchRunError(say("run_moved", run=found.id)) from None
        return self._folders.get_or_make((found.id, inode), lambda: found)

    def list_runs(self, runs: list[RunFolder]) -> list[SummarisedRun]:
        """Return runs with their summaries. An unreadable run does not hide the others."""
        self._names = {}
        return [self._summaries.get(run, self.describe) for run in runs]

    def warm_up(self) -> None:
        """Make the summary of every run, so that the first list opens as fast as the next. Never raises because of the
        folder's contents."""
        with suppress(OSError):
            for run in self.run_store.runs():
                self.summarise(run)

    def summarise(self, run: RunFolder) -> RunSummary:
        return self._summaries.get(run, self.describe).summary

    def name_of(self, run: RunFolder) -> str:
        name = read_run_name(run) or self._names.get(run.id)
        if name is None:
            # The number of an unnamed run depends on the other runs.
            self._names = self.run_store.names()
            name = self._names.get(run.id, run.id)
        return name

    def picture(self, run: RunFolder) -> RunPicture:
        """Return the picture of a run's last map. Its PNG is drawn at the first request and cached."""
        return RunPicture(
            run, lambda key, draw: self._pictures.get_or_make((run.path, run.created, *key), draw)
        )

    def describe(self, run: RunFolder) -> RunSummary:
        """Return a run as the list shows it. Never raises because of the folder's contents."""
        try:
            return RunSummary(**self._read_facts(run))
        except _UNREADABLE as error:
            return RunSummary(**self._unreadable_run(run, error))

    def describe_fully(self, run: RunFolder) -> RunResponse:
        """Return a run with its contents, once its corpus has been read. Never raises because of the folder's
        contents; OutOfReachError if it lies elsewhere, where nothing answers now.
        """
        try:
            return self.read_fully(run)
        except _UNREADABLE as error:
            if is_outage(error):
                raise
            return RunResponse(**self._unreadable_run(run, error))

    def read_fully(self, run: RunFolder) -> RunResponse:
        """Return a run as `describe_fully` does, but raise READ_ERRORS or ValueError instead of returning a
        placeholder.
        """
        facts = self._read_facts(run)
        with suppress(FileNotFoundError):
            facts.update(self._contents(run))
        return RunResponse(**facts)

    def status(self, run: RunFolder, reader: StepsReader | None = None) -> Status:
        """Return the status of a run. Raises FormatError."""
        try:
            return Status(**read_status(run, reader).model_dump(exclude={"state"}))
        except FormatError:
            raise
        except ValueError as error:
            # A fact is not valid JSON.
            raise FormatError(f"steps.sqlite: {error}") from error

    def open_steps(self, run: RunFolder) -> StepsReader:
        """Open the steps of a run. Raises RefusedError (404) if it has not begun, FormatError."""
        return _open_begun(run, lambda: StepsReader(run.steps_path))

    def open_history(self, run: RunFolder) -> MatrixHistory:
        """Open the matrix history of a run. Raises as `open_steps`."""
        return _open_begun(run, lambda: MatrixHistory(run))

    def token_table(self, run: RunFolder) -> TokenTable:
        """Return the vocabulary of a run as a searchable table. Raises RefusedError (404) if the corpus has not
        been read yet, FormatError.
        """
        try:
            return self._tables.get_or_make(
                (run.path, id(run)), lambda: TokenTable(run.vocabulary, run.landmarks)
            )
        except FileNotFoundError:
            raise RefusedError(404, say("run_without_tokens", run=run.id)) from None

    def matrix_at(
        self, run: RunFolder, history: MatrixHistory, step: int | None, *, nearest: bool
    ) -> Snapshot:
        """Return the embedding after a step (None: the newest available), and cache it for the next request.
        Raises NoSnapshotError if the step was not kept exactly and `nearest` is false, or no step was kept.
        """
        attempt, last = history.steps.newest_step()
        wanted = last if step is None else step
        nearest = nearest or step is None
        if wanted > last and not nearest:
            raise NoSnapshotError(wanted, _newest_exact_step(history, last))
        wanted = min(wanted, last)
        # The attempt of the whole lineage, not of the step: a new attempt may have replaced any step.
        key = (run.path, run.created, attempt, wanted)
        matrix = self._matrices.get_or_make(key, lambda: history.snapshot(wanted, nearest=nearest))
        if nearest or matrix.step == wanted:
            return matrix
        # The cached answer for `nearest` may be an earlier step: this finds which, or reads a newer one.
        return history.snapshot(wanted, nearest=False)

    def rows_at(
        self, run: RunFolder, history: MatrixHistory, step: int | None, *, nearest: bool
    ) -> Snapshot | OpenSnapshot:
        """Return what `matrix_at` does; but if the matrix lies in a file of its own and is large, without reading
        it.
        """
        if run.recipe.format < 3 or matrix_bytes(run) <= _MATRIX_BYTES:
            return self.matrix_at(run, history, step, nearest=nearest)
        last = history.steps.newest_step()[1]
        return history.open_snapshot(last if step is None else step, nearest=nearest or step is None)

    def nearest_rows_at(
        self, run: RunFolder, history: MatrixHistory, step: int | None, which: MatrixName
    ) -> Snapshot | OpenSnapshot:
        """Return what `nearest_matrix` does, but as `rows_at` does."""
        if which == "in":
            return self.rows_at(run, history, step, nearest=True)
        return self.nearest_matrix(run, history, step, which)

    def nearest_matrix(
        self, run: RunFolder, history: MatrixHistory, step: int | None, which: MatrixName
    ) -> Snapshot:
        """Return the input or the output matrix at the newest step with one, at or before `step` (None: of all),
        and cache it. Raises NoSnapshotError, NoOutputMatrixError, FormatError.
        """
        if which == "in":
            return self.matrix_at(run, history, step, nearest=True)
        return read_output_matrix_at(run, history.steps, step, self._read_output)

    def _read_output(self, run: RunFolder, reader: StepsReader, point: OutputPoint) -> Snapshot:
        return self._matrices.get_or_make(
            (run.path, run.created, point), lambda: read_output_matrix(run, reader, point)
        )

    def exact_matrix(self, run: RunFolder, history: MatrixHistory, range_: StepRange, step: int) -> Snapshot:
        """Return the embedding after an exactly kept step of a range. Raises NoSnapshotError, FormatError, and
        LineageChangedError if a new attempt began after the range was read.
        """
        matrix = self.matrix_at(run, history, step, nearest=False)
        require_fit(run, matrix)
        range_.require_attempt(matrix.step, matrix.attempt)
        return matrix

    def _read_facts(self, run: RunFolder) -> dict[str, Any]:
        return {
            "id": run.id,
            "name": self.name_of(run),
            "set": _set_of(run),
            "readable": True,
            "problem": None,
            "created": run.created,
            "recipe": describe_recipe(run.recipe),
            "status": self.status(run),
            "districts": count_districts(run),
            "parent": ForkOrigin.of(run.recipe),
        }

    def _unreadable_run(self, run: RunFolder, error: Exception) -> dict[str, Any]:
        created = None
        with suppress(OSError):
            created = run.created
        return {
            "id": run.id,
            "name": self.name_of(run),
            "set": _set_of(run),
            "readable": False,
            "problem": explain_read_error(error),
            "created": created,
            "recipe": None,
            "status": None,
        }

    def _contents(self, run: RunFolder) -> dict[str, Any]:
        vocabulary = run.vocabulary
        family_of = vocabulary.family_of()
        contents: dict[str, Any] = {
            "vocabulary": len(vocabulary),
            "dim": run.recipe.model.dim,
            # A text has at least one token: a recorded run has 0 for an unknown text.
            "corpus_tokens": int(run.corpus_facts()["tokens"]) or None,
            "classes": [
                PlantedClass(name=name, size=len(ids), family=family_of.get(name))
                for name, ids in vocabulary.classes.items()
            ],
            "relations": [PlantedRelation(name=r.name, pairs=len(r.pairs)) for r in vocabulary.relations],
        }
        try:
            with StepsReader(run.steps_path) as reader:
                facts, lineage, newest = reader.facts(), reader.lineage(), reader.newest_step()[1]
        except FileNotFoundError:
            return contents
        # Not before the first answer, which few runs need it for.
        from lamplighter.runfolder.shared_steps import read_split

        split = read_split(run, lineage, newest) if lineage else None
        if split is not None and split.row_owners is not None:
            contents["owners"] = split.row_owners
        # The trainer records these after building the model.
        if run.landmarks is not None:
            contents["landmarks"] = _describe_landmarks(run)
        told = ("layers", "parameters", NUMBERS_FACT, CONFIG_FACT, HISTORY_FACT, PROBES_FACT)
        contents.update({name: facts[name] for name in told if name in facts})
        return contents


def _describe_landmarks(run: RunFolder) -> LandmarkTrust:
    """Return how many tokens the map lays out, and its trust in both kinds, once it rests."""
    for path in (run.relayouts_path, run.layouts_path):
        with suppress(FileNotFoundError), LayoutsReader(path) as reader:
            found = decode_landmark_trust(reader.facts().get(LANDMARKS_FACT))
            if found is not None:
                return LandmarkTrust(**found)
    assert run.landmarks is not None
    return LandmarkTrust(tokens=len(run.landmarks))


def _set_of(run: RunFolder) -> str | None:
    return run.path.parent.name if is_member(run) else None


def _newest_exact_step(history: MatrixHistory, last: int) -> int | None:
    try:
        return history.open_snapshot(last, nearest=True).step
    except NoSnapshotError:
        return None


def _open_begun(run: RunFolder, opening: Callable[[], T]) -> T:
    try:
        return opening()
    except FileNotFoundError:
        raise RefusedError(404, say("run_without_steps", run=run.id)) from None
