"""The page of a run as a widget, in everything that hosts `anywidget`: Jupyter, VS Code, Colab, marimo.

The page is the file that `lamplighter export --to html` makes, in a sandboxed frame that reaches nothing; it speaks with
the widget by `postMessage` alone (`city_widget.js`, and `frontend/src/packed/host-frame.ts` inside the frame). So no
server is needed, neither for a finished run nor for one that is still training.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from lamplighter.client.errors import InputError
from lamplighter.client.notebook.followed_page import FollowedPage
from lamplighter.runfolder.run_folder import RunFolder

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
