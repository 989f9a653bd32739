"""The page of a run as a widget, in everything that hosts `anywidget`: Jupyter, VS Code, Colab, marimo.

The page is the file that `lamplighter export --to html` makes, in a sandboxed frame that reaches nothing; it speaks with
the widget by `postMessage` alone (`city_widget.js`, and `frontend/src/packed/host-frame.ts` inside the frame). So no
server is needed, neither for a finished run nor for one that is still training.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from lamplighter.client.errors import InputError, require_whole_application
from lamplighter.runfolder.errors import READ_ERRORS, explain_read_error
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder

_PAGE, _LIVE, _MANIFEST = "index.html", "live", "manifest.json"
_SECONDS = 0.5
"""Time between two looks at the folder; a broadcast writes once a second."""
_PATIENCE = 2.0


class FollowedPage:
    """Delivers the page of a run and, while the run trains, the files that the page follows."""

    def __init__(
        self,
        run: RunFolder,
        *,
        on_page: Callable[[str], None],
        on_file: Callable[[str, bytes], None],
        on_problem: Callable[[str], None],
    ) -> None:
        """Prepare to follow a run.

        Args:
            run: the run.
            on_page: called with the page once it is there, and with one that holds the whole run at its end.
            on_file: called with each new file, by its name in the folder of live files; the manifest comes last.
            on_problem: called with a sentence if there is nothing to show, or no more.
        """
        self._run, self._on_page, self._on_file, self._on_problem = run, on_page, on_file, on_problem
        self._stopped = threading.Event()
        self._problem: str | None = None
        self._sent: str | None = None
        """The manifest that was delivered last."""
        self._next = 1
        """The number of the next segment to deliver."""

    def stop(self, why: str | None = None) -> None:
        """Stop following, within a second. `why`: a sentence for `on_problem`."""
        if why is not None and not self._stopped.is_set():
            self._on_problem(why)
        self._stopped.set()

    def follow(self) -> None:
        """Follow the run until it has ended and its last page is delivered, or `stop` is called."""
        try:
            if read_status(self._run).phase.has_ended:
                self._deliver_finished_run()
            else:
                self._deliver_broadcast()
        except (ValueError, *READ_ERRORS) as error:
            self._on_problem(explain_read_error(error))
        except ImportError as error:
            self._on_problem(str(error))

    def _deliver_finished_run(self) -> None:
        with require_whole_application("widget"):
            from lamplighter.exports.export import export_run
        with tempfile.TemporaryDirectory(prefix="lamplighter-") as folder:
            page = export_run(self._run, "html", out=Path(folder) / _PAGE)
            self._on_page(page.read_text(encoding="utf-8"))

    def _deliver_broadcast(self) -> None:
        with require_whole_application("widget"):
            from lamplighter.processes.child_job import ChildJob
        with tempfile.TemporaryDirectory(prefix="lamplighter-") as name:
            folder, ended = Path(name), threading.Event()
            job = ChildJob(
                [
                    sys.executable,
                    "-m",
                    "lamplighter.packing.broadcast.worker",
                    str(self._run.path),
                    name,
                ],
                on_message=lambda message: self._note(message.problem),
                on_end=lambda code: ended.set(),
                name="page of a widget",
            )
            has_page = False
            try:
                while not (self._stopped.wait(_SECONDS) or ended.is_set()):
                    if not has_page and (folder / _PAGE).exists():
                        has_page = self._deliver_page(folder)
                    self._deliver_files(folder / _LIVE)
            finally:
                job.cancel(_PATIENCE)
            if self._stopped.is_set():
                return
            self._deliver_files(folder / _LIVE)
            if (folder / _PAGE).exists():
                self._deliver_page(folder)
            else:
                self._on_problem(self._problem or "the page could not be made")

    def _deliver_page(self, folder: Path) -> bool:
        self._on_page((folder / _PAGE).read_text(encoding="utf-8"))
        return True

    def _deliver_files(self, live: Path) -> None:
        """Deliver the files that are new: segments, whole states, and then the manifest that names them."""
        with suppress(FileNotFoundError):
            text = (live / _MANIFEST).read_text(encoding="utf-8")
            if text == self._sent:
                return
            manifest = json.loads(text)
            broadcast, whole = manifest["name"], manifest["whole"]
            for number in range(max(self._next, manifest["first"]), manifest["sequence"] + 1):
                # After a gap, a number has a whole state and no segment.
                with suppress(FileNotFoundError):
                    self._deliver(live, f"{broadcast}/{number:06}.bin")
            if whole >= self._next:
                self._deliver(live, f"{broadcast}/{whole:06}-whole.bin")
            self._next = manifest["sequence"] + 1
            self._deliver(live, _MANIFEST)
            self._sent = text

    def _deliver(self, live: Path, name: str) -> None:
        self._on_file(name, (live / name).read_bytes())

    def _note(self, problem: str | None) -> None:
        self._problem = problem or self._problem


MOST_FOLLOWED = 4
"""Number of widgets that follow a training run at once, each by a process: a cell that is run again leaves its earlier widget
behind, which its host does not tell."""
_followed: list[tuple[threading.Thread, FollowedPage]] = []
"""The widgets that follow a run, newest last."""
_WAITING = "The city appears with the first map of this run: a few seconds."
_LEFT = f"This city no longer follows its run, since {MOST_FOLLOWED} newer ones do. Run its cell again to follow it."
_MAX_HEIGHT = 4_320
"""Pixels, of the highest screens there are; a browser takes memory for each."""


class CityWidget(anywidget.AnyWidget):
    """The living city of one run in a notebook cell.

    `selected` holds the tokens that are selected on the map. It changes with the map, and setting it changes the map;
    `observe` it like any trait of an ipywidget.
    """

    _esm = Path(__file__).with_name("city_widget.js")
    _page = traitlets.Unicode().tag(sync=True)
    _ids = traitlets.List(traitlets.Int()).tag(sync=True)
    _notice = traitlets.Unicode(_WAITING).tag(sync=True)
    height = traitlets.Int(720, min=320, max=_MAX_HEIGHT).tag(sync=True)
    """Height of the page in pixels, 320 to 4,320."""
    selected = traitlets.List(traitlets.Unicode())
    """The selected tokens, by id."""

    def __init__(self, run: RunFolder, token_id: Callable[[str], int], **traits: Any) -> None:
        """Show a run; its page follows a run that is still training.

        Args:
            run: the run.
            token_id: returns the id of a token, or raises `NoSuchTokenError`.
            traits: values of `height` and `selected`.
        """
        self._run, self._token_id, self._closed = run, token_id, False
        super().__init__(**traits)
        self._followed = FollowedPage(
            run, on_page=self._show_page, on_file=self._send_file, on_problem=self._tell_problem
        )
        _follow(self._followed)

    def __repr__(self) -> str:
        return f"<the city of {self._run.id}>"

    def close(self) -> None:
        """Stop following the run, and remove the widget from the notebook."""
        # The base class calls this for a widget whose construction failed, too.
        if (followed := getattr(self, "_followed", None)) is not None:
            followed.stop()
        self._closed = True
        super().close()

    @traitlets.validate("selected")
    def _check_tokens(self, proposal: dict[str, Any]) -> list[str]:
        if self._closed:
            raise InputError("this city is closed, and selects nothing: run.widget() makes another")
        return self._tokens_of(sorted({self._token_id(token) for token in proposal["value"]}))

    @traitlets.validate("_ids")
    def _check_ids(self, proposal: dict[str, Any]) -> list[int]:
        size = len(self._run.vocabulary)
        return sorted({number for number in proposal["value"] if 0 <= number < size})

    @traitlets.observe("selected")
    def _send_selected(self, change: dict[str, Any]) -> None:
        # Two rows may have one text: what came from the map keeps its ids.
        if self._tokens_of(self._ids) != change["new"]:
            self._ids = [self._token_id(token) for token in change["new"]]

    @traitlets.observe("_ids")
    def _take_ids(self, change: dict[str, Any]) -> None:
        self.selected = self._tokens_of(change["new"])

    def _tokens_of(self, ids: Sequence[int]) -> list[str]:
        tokens = self._run.vocabulary.tokens
        return [tokens[number] for number in ids]

    def _show_page(self, page: str) -> None:
        self._page = page
        if self._notice == _WAITING:
            self._notice = ""

    def _send_file(self, name: str, data: bytes) -> None:
        self.send({"file": name}, buffers=[data])

    def _tell_problem(self, problem: str) -> None:
        self._notice = problem


def _follow(followed: FollowedPage) -> None:
    """Follow a run in a thread, and stop following the runs of the oldest widgets if there are too many."""
    thread = _thread(followed.follow)
    thread.start()
    _followed[:] = [*(one for one in _followed if one[0].is_alive()), (thread, followed)]
    for _, oldest in _followed[:-MOST_FOLLOWED]:
        oldest.stop(_LEFT)


def _thread(work: Callable[[], None]) -> threading.Thread:
    """Return a thread that may speak with the notebook's page; in marimo only its own threads may."""
    marimo = sys.modules.get("marimo")
    if marimo is not None and marimo.running_in_notebook():
        return marimo.Thread(target=work, name="city widget", daemon=True)
    return threading.Thread(target=work, name="city widget", daemon=True)
