"""The class: its members, what they may see, the presenter's view, and the questions. One state, for both listeners.

Every method may be called from any thread. After a change the callbacks of `on_change` are called without details: each
message to a viewer (`ClassMessage`) is small and complete, so no change can be missed.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

from lamplighter.contract.recipe import BUILT_IN_TEXTS
from lamplighter.contract.sentences import say
from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.importing.imported_run import is_imported
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.classroom.class_door import ClassDoor, JoinRefusedError
from lamplighter.serving.classroom.class_file import StoredClass, read_class, write_class
from lamplighter.serving.classroom.questions.asked_questions import AskedQuestions
from lamplighter.serving.classroom.viewer_sessions import (
    OPENING_SECONDS,
    UnopenedError,
    ViewerSession,
    ViewerSessions,
)
from lamplighter.serving.schemas.classroom import ClassMessage, PointedWord, PredictionMessage, Role
from lamplighter.web.access.session_store import digest_of

log = logging.getLogger(__name__)

_RUNS_KNOWN = 1_000
"""Number of runs for which the origin of the text is remembered."""


class Classroom:
    """The state of the class of one server. Thread-safe."""

    def __init__(self, folder: Path, most: int) -> None:
        """Start without viewers. `folder`: the folder of runs. `most`: the maximum number of viewers."""
        self._lock = threading.RLock()
        self._saving = threading.Lock()
        self._door = ClassDoor()
        self._folder = folder
        self._sessions = ViewerSessions(most)
        self._unsaved = False
        self._save_soon: Callable[[], None] | None = None
        self._is_written = True
        self._texts: dict[str, bool] = {}
        self._ours: dict[tuple[str, float], bool] = {}
        self._callbacks: list[Callable[[], None]] = []
        self._view: str | None = None
        self._following = False
        self._pointed: PointedWord | None = None
        self._newest_run: str | None = None
        self.questions = AskedQuestions(
            self._lock, self._changed, lambda session_id: self._sessions.find(session_id) is not None
        )
        """The question, and the predictions of the course."""

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call `callback` after every change, on the thread that made it. It must return at once."""
        self._callbacks.append(callback)

    # Members.

    def join(self, code: str, address: str, user_agent: str) -> tuple[ViewerSession, str]:
        """Admit a viewer by the code or the secret of the link. Returns the session with the value of its cookie.
        `address` counts its wrong codes and joins without a page.

        Raises JoinRefusedError: the door is closed, the code is wrong, there were too many wrong ones or too
        many joins without a page, or the class is full.
        """
        cookie = secrets.token_urlsafe(32)
        with self._lock:
            self._door.check_code(code, address)
            try:
                found = self._sessions.begin(user_agent, address, digest_of(cookie))
            except OverflowError as error:
                raise JoinRefusedError(409, say("class_is_full", error=str(error))) from error
            except UnopenedError as error:
                raise JoinRefusedError(429, str(error), OPENING_SECONDS) from error
        self._changed()
        return found, cookie

    def find_by_cookie(self, cookie: str) -> ViewerSession | None:
        with self._lock:
            return self._sessions.find_by_cookie(cookie)

    def session(self, session_id: str) -> ViewerSession | None:
        with self._lock:
            return self._sessions.find(session_id)

    def open_socket(self, session_id: str) -> bool:
        """Note that a viewer's page opens a socket. Returns False if its session is over, or the class is full."""
        with self._lock:
            session = self._sessions.find(session_id)
            if session is None or session.watched:
                return session is not None and self._sessions.open_socket(session)
            opened = self._sessions.open_socket(session)
        self._changed()
        return opened

    def close_socket(self, session_id: str) -> None:
        with self._lock:
            session = self._sessions.find(session_id)
            if session is not None:
                self._sessions.close_socket(session)

    def may_assist(self, session_id: str) -> bool:
        """Count an assistant's action. Returns False if it exceeds the rate limit."""
        with self._lock:
            session = self._sessions.find(session_id)
            return session is not None and self._sessions.may_assist(session)

    def members(self) -> list[ViewerSession]:
        with self._lock:
            return list(self._sessions)

    def set_role(self, session_id: str, role: Role) -> bool:
        with self._lock:
            session = self._sessions.find(session_id)
            if session is None:
                return False
            self._sessions.set_role(session, role)
        self._changed()
        return True

    def end_session(self, session_id: str) -> bool:
        """End a viewer's session at once. Returns whether it existed."""
        with self._lock:
            session = self._sessions.find(session_id)
            if session is None:
                return False
            self._sessions.end(session)
        self._changed()
        return True

    def end_class(self) -> None:
        """End every session, change the code, and forget the question and its answers."""
        with self._lock:
            self._sessions.end_all()
            self._door.change_lock()
            self._pointed, self._view = None, None
            self._texts.clear()
        self.questions.forget_all()

    def restore(self) -> None:
        """Continue the class that the last server left in the folder of runs. Hold its lock: another server with the
        lock may end sessions. Unsaved changes of this server take precedence over the file.
        """
        with self._saving:
            found = read_class(self._folder, self._sessions.clock)
            with self._lock:
                if self._unsaved or found is None:
                    return
                self._sessions.replace_sessions(found.sessions)
                self._door.is_open, self._texts = found.door, dict(found.texts)
                self._view, self._following = found.view, found.following
                if found.questions is not None:
                    self.questions.restore_state(found.questions)
        self._announce()

    def save_before_telling(self, save_soon: Callable[[], None] | None) -> None:
        """Save each change before viewers hear of it. `save_soon` is called on the thread that made the change; it must
        return at once, and have `save` called soon. None: tell changes at once, unsaved.
        """
        self._save_soon = save_soon

    def save(self) -> None:
        """Write the class to its file if it has changed, and tell of the changes. What cannot be written is told too,
        and the next call tries again.
        """
        # The event loops take the lock of the class for every request, so do not hold it while writing.
        with self._saving:
            with self._lock:
                if not self._unsaved:
                    return
                self._unsaved = False
                stored = StoredClass(
                    sessions=list(self._sessions),
                    # The answers go on to change.
                    questions=self.questions.export_state().model_copy(deep=True),
                    door=self._door.is_open,
                    following=self._following,
                    view=self._view,
                    texts=dict(self._texts),
                )
            try:
                write_class(self._folder, stored, self._sessions.clock)
            except OSError as error:
                if self._is_written:
                    log.warning("the class is kept in memory only: %s", error.strerror or error)
                self._unsaved, self._is_written = True, False
            else:
                self._is_written = True
        if self._save_soon is not None:
            self._announce()

    # Door.

    @property
    def most(self) -> int:
        return self._sessions.most

    @property
    def door(self) -> bool:
        return self._door.is_open

    @door.setter
    def door(self, is_open: bool) -> None:
        self._door.is_open = is_open
        self._changed()

    def code_and_secret(self) -> tuple[str, str]:
        with self._lock:
            return self._door.code.typed, self._door.code.secret

    @property
    def wrong_codes(self) -> int:
        return self._door.wrong_codes

    def renew_code(self) -> None:
        with self._lock:
            self._door.code.renew()
        self._changed()

    # Text.

    def may_see_text(self, run: RunFolder) -> bool:
        """Return whether the class may see the text of a run: our texts always, a user's only if shared. This may read
        the disk.
        """
        return self.is_text_given(run.id, ours=self.is_ours(run))

    def is_text_given(self, run_id: str, *, ours: bool) -> bool:
        with self._lock:
            return self._texts.get(run_id, ours)

    def is_ours(self, run: RunFolder) -> bool:
        """Return whether the text of a run is one of ours; False if the run cannot be read. This may read the disk."""
        with contextlib.suppress(*READ_ERRORS, ValueError):
            return self.read_ours(run)
        return False

    def read_ours(self, run: RunFolder) -> bool:
        """Return whether the text of a run is one of ours. This may read the disk; raises READ_ERRORS or
        ValueError if it cannot.
        """
        # Called for every run of a list; the origin of a text never changes.
        key = (run.id, run.created)
        if key not in self._ours:
            if len(self._ours) >= _RUNS_KNOWN:
                self._ours.clear()
            self._ours[key] = is_our_text(run)
        return self._ours[key]

    def give_text(self, run: RunFolder, given: bool) -> None:
        with self._lock:
            self._texts.pop(run.id, None)
            self._texts[run.id] = given
        self._changed()

    # Presenter's view.

    @property
    def following(self) -> bool:
        return self._following

    @following.setter
    def following(self, on: bool) -> None:
        self._following = on
        self._changed()

    def show_view(self, query: str) -> None:
        """Send the presenter's view to those who follow."""
        with self._lock:
            if query == self._view:
                return
            self._view = query
        if self._following:
            self._changed()

    @property
    def presented_run(self) -> str | None:
        """Return the id of the run in the presenter's view; None while the class does not follow."""
        view = self._view if self._following else None
        return parse_qs(view or "").get("run", [None])[0]

    @property
    def pointed(self) -> PointedWord | None:
        return self._pointed

    def point(self, word: PointedWord | None) -> None:
        """Point at a word for everyone; None: at none."""
        self._pointed = word
        self._changed()

    def note_new_run(self, run_id: str) -> None:
        self._newest_run = run_id
        self._changed()

    # Question.

    def predict(self, session_id: str, prediction: PredictionMessage) -> bool:
        """Record a viewer's prediction, replacing an earlier one. Returns False if it does not fit an open question."""
        if self.session(session_id) is None:
            return False
        return self.questions.take_prediction(session_id, prediction)

    def message_for(self, session_id: str, *, text: bool) -> ClassMessage | None:
        """Return a viewer's message; None once the session has ended. `text`: whether it may see its run's text."""
        with self._lock:
            session = self._sessions.find(session_id)
            if session is None:
                return None
            question = self.questions.current
            return ClassMessage(
                role=session.role,
                text=text,
                view=self._view if self._following else None,
                question=question and question.shown_to_class(),
                answer=question and question.answer_of(session_id),
                written=question and question.written_by(session_id),
                pointed=self._pointed,
                newest_run=self._newest_run,
                lessons=self.questions.revealed_lessons,
            )

    def _announce(self) -> None:
        for callback in self._callbacks:
            callback()

    def _changed(self) -> None:
        self.questions.forget_gone()
        self._unsaved = True
        if self._save_soon is None:
            self._announce()
        else:
            self._save_soon()


def is_our_text(run: RunFolder) -> bool:
    """Return whether a run's text is one of ours, without personal data. An imported run is not trusted about that."""
    recipe = run.recipe
    foreign = recipe.parent is not None and recipe.parent.private_text
    return recipe.corpus.kind in BUILT_IN_TEXTS and not foreign and not is_imported(run)
