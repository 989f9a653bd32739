"""A run, read from its folder: `lamplighter.open("runs/...")`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from lamplighter.client.errors import (
    InputError,
    NoLayoutError,
    NoSuchTokenError,
    NotBegunError,
    require_whole_application,
    whole_number,
)
from lamplighter.client.record_reading import RecordReading, check_channels
from lamplighter.contract.recipe import Recipe
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.loop_facts import CONFIG_FACT, KEPT_ROWS_FACT, PROBES_FACT, ProbedRun
from lamplighter.runfolder.reading.output_matrix import list_output_points, read_output_matrix_at
from lamplighter.runfolder.reading.row_deltas import TokenHistory
from lamplighter.runfolder.reading.run_backup import back_up_run
from lamplighter.runfolder.reading.run_status import RunStatus, read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import require_free_path
from lamplighter.runfolder.step_numbers import read_step_numbers
from lamplighter.runfolder.tables.steps import TimelineEvent
from lamplighter.wire.frames import Frame
from lamplighter.wire.layout_frames import Layout, Method
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_source import RowSource
from lamplighter.wire.token_text import read_tokens, spellings
from lamplighter.wire.vocabulary import Vocabulary

if TYPE_CHECKING:
    from lamplighter.client.notebook.card import NotebookPage
    from lamplighter.client.notebook.city_widget import CityWidget
    from lamplighter.differences.difference import RunDifference
    from lamplighter.outliers.answer import OutlyingSteps, StepCause, TurningPoints


class Run:
    """A run, live or finished, read from its folder.

    It keeps no file open between calls, so a reader never blocks the trainer, and every call sees the run's current
    state. Returned values belong to the caller.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open the run whose folder is `path`.

        Raises:
            FormatError: `path` is not a run's folder, or was written by a newer version.
        """
        self._folder = RunFolder(Path(path).resolve())
        if not self._folder.path.is_dir():
            raise FormatError(f"there is no run in {os.fspath(path)!r}: no such folder")
        _ = self._folder.recipe
        self._record = RecordReading(self._folder)

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        # There is nothing to close; `with` only marks the end of reading.
        pass

    def __repr__(self) -> str:
        return f"<lamplighter run {self.id}>"

    def _repr_html_(self) -> str | None:
        """Return the run's card for a notebook: a picture, a sentence, and a link; None without the whole application."""
        try:
            from lamplighter.client.notebook.card import notebook_card
        except ModuleNotFoundError:
            return None
        return notebook_card(self._folder)

    def show(self, height: int = 720) -> NotebookPage:
        """Return the whole page of the run, for a notebook cell without a server. Takes seconds, and some megabytes of
        output.

        Args:
            height: the height of the page in the cell, in pixels, 320 to 4,320.

        Raises:
            InputError: `height` is invalid.
            ExportError: the run has no step or no map yet.
            FormatError: this version cannot read the run.
            ImportError: only `lamplighter-watch` is installed.
        """
        with require_whole_application("show"):
            from lamplighter.client.notebook.card import NotebookPage

        return NotebookPage.of_run(self._folder, whole_number(height, "height", least=320, most=4_320))

    def widget(self, height: int = 720) -> CityWidget:
        """Return the living city as a widget, for a notebook cell without a server: Jupyter, VS Code, Colab, marimo.

        It follows a run that is still training. `widget.selected` is the list of the tokens that are selected on the
        map; it changes with the map, and setting it changes the map.

        Args:
            height: the height of the page in the cell, in pixels, 320 to 4,320.

        Raises:
            InputError: `height` is invalid.
            ImportError: `anywidget` or the whole application is not installed; the message is the line to type.
        """
        try:
            from lamplighter.client.notebook.city_widget import CityWidget
        except ModuleNotFoundError as error:
            message = "widget needs a package: pip install anywidget"
            raise ImportError(message, name=error.name) from error
        return CityWidget(
            self._folder, self.token_id, height=whole_number(height, "height", least=320, most=4_320)
        )

    @property
    def id(self) -> str:
        """Return the run's id: the name of its folder."""
        return self._folder.id

    @property
    def folder(self) -> Path:
        """Return the path of the run's folder."""
        return self._folder.path

    @property
    def recipe(self) -> Recipe:
        """Return the recipe of the run. In a run made by `record`, facts that only the loop knows are None: the
        optimiser, the layers, the batch."""
        return self._folder.recipe.without_unknown()

    @property
    def vocabulary(self) -> Vocabulary:
        """Return the tokens, counts, planted classes and relations.

        Raises:
            NotBegunError: the corpus has not been read yet.
            FormatError: the file is damaged.
        """
        try:
            return self._folder.vocabulary
        except FileNotFoundError:
            raise NotBegunError(f"{self.id} has not read its corpus yet, so there are no tokens") from None

    @property
    def tokens(self) -> tuple[str, ...]:
        """Return the V tokens, by id."""
        return self.vocabulary.tokens

    @property
    def status(self) -> RunStatus:
        """Return the run's current state."""
        return read_status(self._folder)

    def token_id(self, token: str | SupportsIndex) -> int:
        """Return the id of a token, given as text or as an id (any whole number, numpy's too). The text may be as
        tokenisers write it (`Ġthe`, `▁the`, `##ing`), as it is kept, or as it is shown.

        Raises:
            InputError: `token` is neither a text nor a whole number.
            NoSuchTokenError: the vocabulary has no such token.
        """
        if isinstance(token, str):
            ids = self._id_by_token
            found = next((ids[one] for one in spellings(token) if one in ids), None)
            if found is None:
                raise NoSuchTokenError(f"{token[:80]!r} is not a token of {self.id}")
            return found
        token_id = whole_number(token, "token", least=None)
        if not 0 <= token_id < len(self.tokens):
            raise NoSuchTokenError(
                f"{token_id} is not a token id of {self.id}, from 0 to {len(self.tokens) - 1}"
            )
        return token_id

    def steps(self, first: SupportsIndex = 1, last: SupportsIndex | None = None) -> Iterator[Pulse]:
        """Yield the pulse of each step from `first` to `last`, inclusive (None: up to the run's newest step).

        Reads lazily, a few steps at a time, so memory does not grow with the run.

        Raises:
            InputError: `first` or `last` is not a whole number, or below 0.
            NotBegunError: nothing is recorded yet.
        """
        start = whole_number(first, "first")
        return self._record.read_pulses(start, None if last is None else whole_number(last, "last"))

    def play(
        self,
        first: SupportsIndex = 0,
        last: SupportsIndex | None = None,
        channels: Iterable[str] = ("pulse", "layout"),
    ) -> Iterator[Frame]:
        """Yield the frames that a live viewer of these channels would have received from step `first`, as fast as they
        are read: the census, the newest layouts and the matrix at `first`, then the frames of each step up to `last`,
        inclusive (None: the run's newest step).

        When a new attempt supersedes steps already yielded, a census (and a matrix) of the last valid step comes first,
        as in a live run. Reads a few steps at a time.

        Args:
            first: the first step; 0 is before the first update.
            last: the last step, not before `first`.
            channels: any of `pulse` (which also gives the census), `layout`, `rows`.

        Raises:
            InputError: there is no such channel or step.
            NotBegunError: nothing is recorded yet.
        """
        wanted = check_channels(channels)
        start = whole_number(first, "first")
        end = self._record.newest_step() if last is None else whole_number(last, "last")
        if start > end:
            raise InputError(f"steps {start} to {end}: the first must be at least 0, and not after the last")
        return self._record.play_frames(start, end, wanted)

    def step_number(self, step: SupportsIndex) -> int | None:
        """Return the number of a step in the loop that it was recorded from; the step itself in a run trained here.

        A record's own steps are consecutive; a loop that was recorded every ten steps, or that continued from a
        checkpoint, has other numbers.

        Returns:
            The number; None if unknown.

        Raises:
            InputError: `step` is no whole number, or below 0.
            NotBegunError: nothing is recorded yet.
        """
        wanted = whole_number(step, "step")
        return self._record.read_consistently(lambda h: read_step_numbers(h.steps.facts())).number_of(wanted)

    @property
    def config(self) -> dict[str, Any]:
        """Return the `config` that the loop was recorded with; empty if there was none.

        Raises:
            NotBegunError: nothing is recorded yet.
        """
        return self._record.read_consistently(lambda h: h.steps.facts().get(CONFIG_FACT, {}))

    @property
    def kept_rows(self) -> list[int]:
        """Return the ids, ascending, of the rows that are kept of every recorded step; empty if there are none.

        Raises:
            NotBegunError: nothing is recorded yet.
        """
        return self._record.read_consistently(lambda h: h.steps.facts().get(KEPT_ROWS_FACT, []))

    @property
    def probed(self) -> ProbedRun | None:
        """Return what the rows of a run of hidden states are: row `layer * R + probe` is a probe in a layer. None: it is no such
        run.

        Raises:
            NotBegunError: nothing is recorded yet.
        """
        return self._record.read_consistently(lambda h: h.steps.facts().get(PROBES_FACT))

    def snapshot_steps(self) -> NDArray[np.int64]:
        """Return the steps for which `snapshot` has a matrix, ascending, shape (N,)."""
        return self._record.read_consistently(lambda h: h.exact_steps())

    def snapshot(self, step: SupportsIndex | None = None) -> NDArray[np.float32]:
        """Return the embedding after a step, bit for bit, shape (V, D). None: the newest kept one.

        Costs one keyframe and the moved rows since, at most `recipe.cadence.keyframe_every` steps.

        Raises:
            InputError: `step` is no whole number, or below 0.
            NoSnapshotError: that step was not kept exactly; `nearest` is the exactly kept step before it. Or the matrix is
                too large to be read whole: see `open_snapshot`.
        """
        if step is None:
            return self._record.read_consistently(
                lambda h: h.snapshot(h.steps.newest_step()[1], nearest=True).vectors
            )
        wanted = whole_number(step, "step")
        return self._record.read_consistently(lambda h: h.snapshot(wanted).vectors)

    def open_snapshot(self, step: SupportsIndex | None = None) -> RowSource:
        """Return the embedding after a step, shape (V, D), of which rows are read when they are asked for, as float32:
        `run.open_snapshot()[10:20]`. None: the newest kept one.

        For matrices in a file of their own, of any size: half precision, and large ones. Of another run it is `snapshot`.

        Raises:
            InputError, NoSnapshotError: as for `snapshot`.
        """
        if step is None:
            return self._record.read_consistently(
                lambda h: h.open_snapshot(h.steps.newest_step()[1], nearest=True).vectors
            )
        wanted = whole_number(step, "step")
        return self._record.read_consistently(lambda h: h.open_snapshot(wanted).vectors)

    def output_steps(self) -> NDArray[np.int64]:
        """Return the steps whose own output matrix is kept, ascending, shape (N,); empty for a run that was not trained
        here.
        """
        points = self._record.read_consistently(lambda h: list_output_points(self._folder, h.steps))
        return np.array([point.step for point in points], dtype=np.int64)

    def output_matrix(self, step: SupportsIndex | None = None) -> NDArray[np.float32]:
        """Return the output matrix (unembedding) at the newest of `output_steps` at or before a step, shape (V, D).
        None: the newest of all. Each row predicts a token; with tied weights it is the embedding.

        Raises:
            InputError: `step` is no whole number, or below 0.
            NoOutputMatrixError: no output matrix is kept; the message says why.
            FormatError: the state of the model is damaged.
        """
        wanted = None if step is None else whole_number(step, "step")
        return self._record.read_consistently(
            lambda h: read_output_matrix_at(self._folder, h.steps, wanted).vectors
        )

    def path(self, token: str | SupportsIndex) -> TokenHistory:
        """Return one token's vector after every step that `snapshot` supports; of one of `kept_rows`, after every step.

        Rebuilds no matrix: the pulses tell in which steps the row moved, and only one row of those steps is read. The
            cost is one pulse per step and one record for each time the token moved; if moved rows are not kept (dense
            updates), one keyframe per point. Memory is that of the result, N x D numbers.

        Raises:
            InputError: `token` is neither a text nor a whole number.
            NoSuchTokenError: the vocabulary has no such token.
            NoSnapshotError: no step was kept exactly.
        """
        token_id = self.token_id(token)
        return self._record.read_consistently(lambda h: h.token_history(token_id))

    def layout(self, step: SupportsIndex | None = None, method: Literal["umap", "linear"] = "umap") -> Layout:
        """Return the newest layout at or before a step (None: of all); its `coordinates` have shape (V, 2).

        Raises:
            InputError: `step` is no whole number, or below 0.
            NoLayoutError: there is no layout yet.
        """
        newest = None if step is None else whole_number(step, "step")
        wanted_method = {"umap": Method.UMAP, "linear": Method.LINEAR}[method]
        found = self._record.newest_layout(wanted_method, newest)
        if found is not None:
            return found
        when = "" if step is None else f" at or before step {step}"
        raise NoLayoutError(f"{self.id} has no {method} layout{when} yet")

    def logged(self) -> dict[int, dict[str, float]]:
        """Return the numbers that the loop logged (`watcher.log`), by step and name; empty if it logged none. A run trained
        here has its loss on held-out text by tenths of word frequency.

        Raises:
            NotBegunError: nothing is recorded yet.
        """
        return self._record.read_logged()

    def measures(self) -> dict[int, dict[str, float]]:
        """Return the measures computed from the record, by step and name; empty before the first."""
        return self._record.read_measures()

    def examine(
        self,
        kind: str,
        *,
        step: SupportsIndex | None = None,
        confirmed: bool = False,
        on_progress: Callable[[float, str], object] | None = None,
        **fields: Any,
    ) -> dict[str, Any]:
        """Return the answer to a question about the model as it was after a step (`docs/rest.md`, "Asking the model").

        A separate process recomputes the steps up to there. It stays for further questions and ends with this process.
        The same question is answered once. Ctrl-C cancels it.

        Args:
            kind: the kind of question, such as `speak`.
            step: the step; None: the newest.
            confirmed: whether an imported run may use the resources in its recipe.
            on_progress: called with the share done and a description of the work.
            fields: the fields of the question, such as `prompt`.

        Raises:
            InputError: there is no such question, or the run has no such step or word.
            ExaminationError: the question cannot be answered.
        """
        from lamplighter.client.examinations import examine_folder

        asked = self.status.step if step is None else whole_number(step, "step")
        return examine_folder(
            self._folder, kind, {"step": asked} | fields, confirmed=confirmed, on_progress=on_progress
        )

    def fork(
        self,
        at: SupportsIndex,
        set: Mapping[str, Any] | None = None,
        *,
        steps: int | None = None,
        name: str | None = None,
        text: str | None = None,
        train: bool = False,
    ) -> Run:
        """Make a fork: a run beside this one, whose step 0 is a step of this run, with something changed. That of a member of
        a set lies beside the set.

        Args:
            at: the step of this run.
            set: new values by field, such as `{"optimiser.learning_rate": 0.01}` (`docs/forks.md`). Without any the fork
                is a control, equal to this run bit for bit.
            steps: steps of the fork. None: as many as this run had left, and at least 500.
            name: a name for the fork.
            text: the text, for `{"corpus.kind": "text"}`.
            train: whether to train it before returning, in a separate process. Otherwise a server on the folder of runs
                trains it, or `lamplighter train --resume`.

        Raises:
            InputError: the fork cannot be made, or `at` is no whole number, or below 0.
            TrainingError: the training failed; the fork stays.
            FormatError: this version cannot read this run.
            ImportError: only `lamplighter-watch` is installed.
        """
        from lamplighter.client.forks import fork_run

        return Run(fork_run(self._folder, whole_number(at, "at"), set or {}, steps, name, text, train=train))

    def difference(
        self,
        other: Run | str | os.PathLike[str],
        step: SupportsIndex | None = None,
        *,
        other_step: SupportsIndex | None = None,
        on_progress: Callable[[float], object] = lambda _: None,
    ) -> RunDifference:
        """Return the difference between this run and another at the same step of the clock that they share: a fork's
        step 0 is a step of its parent, and unrelated runs are compared at the same number (docs/differences.md).

        Args:
            other: the other run, or its folder.
            step: the step of this run; None: the newest that both have. If one of them lacks it, the nearest before it that
                both have is used.
            other_step: compare with this step of the other run instead of the matched one.
            on_progress: called with the share done.

        Raises:
            InputError: a step is no whole number, or the two have too little in common.
            NoSnapshotError: no step at or before one of two that were named was kept.
            FormatError: one of them is damaged.
            ImportError: only `lamplighter-watch` is installed.
        """
        with require_whole_application("difference"):
            from lamplighter.differences.difference import compare_folders
            from lamplighter.runfolder.errors import NotComparableError

        wanted = None if step is None else whole_number(step, "step")
        wanted_other = None if other_step is None else whole_number(other_step, "other_step")
        folder = (other if isinstance(other, Run) else Run(other))._folder
        try:
            return compare_folders(self._folder, folder, wanted, wanted_other, on_progress)
        except NotComparableError as error:
            raise InputError(str(error)) from error

    def hidden_states(
        self,
        sentences: Iterable[str | Sequence[str]] | None = None,
        *,
        words: Iterable[str] = (),
        maps: bool = True,
        on_progress: Callable[[float, str], None] = lambda _share, _what: None,
    ) -> Run:
        """Return a new run beside this one: the hidden states of words in their sentences, in each layer, at all kept states of
        the model (docs/histories.md).

        Args:
            sentences: texts, whose last word is read, `(text, word)`, or `(text, word, meaning)`. None: occurrences in the
                text that training does not read.
            words: of these words; empty: the town's homonyms, or frequent words of another text.
            maps: whether to lay out the maps of all steps before returning, in a separate process.
            on_progress: called with the share done and a description.

        Raises:
            InputError: the run keeps no state of its model, or a word is unknown.
            ReprojectionFailedError: the new run exists, but its maps could not be made.
            FormatError: this version cannot read this run.
            ImportError: only `lamplighter-watch` is installed.
        """
        from lamplighter.client.probing.probe_set import read_sentences
        from lamplighter.client.probing.trained_run import record_hidden_states

        given = None if sentences is None else read_sentences(sentences)
        made = record_hidden_states(self._folder, given, list(words), on_progress)
        if maps:
            with require_whole_application("hidden_states"):
                from lamplighter.processes.child_job import reproject_in_child
            reproject_in_child(made.path, on_progress)
        return Run(made.path)

    def outlying_steps(self, first: SupportsIndex = 1, last: SupportsIndex | None = None) -> OutlyingSteps:
        """Return the steps that stand out from those around them, the least likely first (docs/outliers.md).

        Args:
            first, last: the steps to judge, inclusive; None: the newest. Of more than 20,000, the last are judged.

        Raises:
            InputError: a step is no whole number.
            FormatError: this version cannot read this run.
            ImportError: only `lamplighter-watch` is installed.
        """
        with require_whole_application("outlying_steps"):
            from lamplighter.outliers.reading import find_outlying_steps

        end = None if last is None else whole_number(last, "last", least=1)
        return find_outlying_steps(self._folder, whole_number(first, "first", least=1), end)

    def explain_step(self, step: SupportsIndex) -> StepCause:
        """Return what was in a step: the predictions that carried its loss, and the rows that moved, beside what is usual
        around it.

        Raises:
            InputError: `step` is no whole number, or no step of this run.
            FormatError: this version cannot read this run.
            ImportError: only `lamplighter-watch` is installed.
        """
        with require_whole_application("explain_step"):
            from lamplighter.outliers.reading import explain

        number = whole_number(step, "step", least=1)
        try:
            return explain(self._folder, number)
        except LookupError:
            raise InputError(f"{self.id} has no step {number:,}") from None

    def turning_points(self) -> TurningPoints:
        """Return the steps at which curves of this run speed up again or go the other way (docs/outliers.md).

        Raises:
            FormatError: this version cannot read this run.
            ImportError: only `lamplighter-watch` is installed.
        """
        with require_whole_application("turning_points"):
            from lamplighter.outliers.turning_points import find_turning_points

        return find_turning_points(self._folder)

    def events(self) -> list[TimelineEvent]:
        """Return the timeline events, oldest first."""
        return self._record.read_events()

    def backup(self, target: str | os.PathLike[str]) -> Run:
        """Copy a consistent state of the run into a new folder, even while it is being written. Return the copy.

        The states of its model, which only a run trained here has, are not copied; use `lamplighter export --to zip`
        for these.

        Args:
            target: the folder of the copy, which must not exist or be empty; its name must be a run's id.

        Raises:
            InputError: the run has not begun, or the copy cannot be made there.
            FormatError: a file of the run is damaged.
        """
        path = Path(target).absolute()
        if not self._folder.steps_path.exists():
            raise InputError(f"{self.id} has not begun: there is nothing to copy yet")
        try:
            require_free_path(path)
            back_up_run(self._folder, path)
        except FormatError:
            raise
        except (ValueError, OSError) as error:
            raise InputError(f"{path} cannot be created: {error}") from error
        return Run(path)

    @cached_property
    def _id_by_token(self) -> dict[str, int]:
        ids: dict[str, int] = {}
        # As kept comes first: what one token is shown as may be another one's own text.
        for texts in (self.tokens, read_tokens(self.tokens)):
            for number, token in enumerate(texts):
                ids.setdefault(token, number)
        return ids


def open_run(path: str | os.PathLike[str]) -> Run:
    """Open the run in a folder, live or finished.

    Raises:
        FormatError: `path` is not a run's folder, or was written by a newer version.
    """
    return Run(path)
