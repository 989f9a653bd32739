"""The class: its members, what they may see, the presenter's view, and the questions. One state, for both listeners.

Every method may be called from any thread. After a change the callbacks of `on_change` are called without details: each
message to a viewer (`ClassMessage`) is small and complete, so no change can be missed.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from lamplighter.contract.recipe import BUILT_IN_TEXTS
from lamplighter.contract.sentences import say
from lamplighter.platform.steady_clock import steady_clock
from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.importing.imported_run import is_imported
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.classroom.class_door import ClassDoor, JoinRefusedError
from lamplighter.serving.classroom.questions.asked_questions import AskedQuestions
from lamplighter.serving.classroom.sharing.class_state import (
    Answer,
    ClassState,
    JoinAsk,
    PointAsk,
    PredictAsk,
    ViewerAsk,
)
from lamplighter.serving.classroom.viewer_sessions import (
    OPENING_SECONDS,
    UnopenedError,
    ViewerSession,
    ViewerSessions,
)
from lamplighter.serving.schemas.classroom import ClassMessage, PointedWord, PredictionMessage, Role
from lamplighter.web.access.session_store import digest_of
from lamplighter.web.http.problems import RefusedError

if TYPE_CHECKING:
    from lamplighter.serving.classroom.sharing.shared_class import SharedClass

_RUNS_KNOWN = 1_000
"""Number of runs for which the origin of the text is remembered."""


class Classroom:
    """The state of the class of one server. Thread-safe."""

    def __init__(self, folder: Path, most: int) -> None:
        """Start without viewers. `folder`: the folder of runs. `most`: the maximum number of viewers."""
        self._lock = threading.RLock()
        self._saving = threading.Lock()
        self._door = ClassDoor()
        self._sessions = ViewerSessions(folder, most)
        self._unsaved = False
        self._texts: dict[str, bool] = {}
        self._ours: dict[tuple[str, float], bool] = {}
        self._callbacks: list[Callable[[], None]] = []
        self._view: str | None = None
        self._following = False
        self._pointed: PointedWord | None = None
        self._newest_run: str | None = None
        self._shared: SharedClass | None = None
        self._elsewhere: dict[str, set[str]] = {}
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
        `address` counts its wrong codes and joins without a page. With other servers, this waits for the
        broker.

        Raises JoinRefusedError: the door is closed, the code is wrong, there were too many wrong ones or too
        many joins without a page, or the class is full. Raises RefusedError (503) while the broker is away.
        """
        cookie = secrets.token_urlsafe(32)
        if self._is_elsewhere:
            return self._join_elsewhere(code, address, user_agent, digest_of(cookie)), cookie
        session = self._begin(code, address, user_agent, digest_of(cookie))
        if self._shared is not None:
            self._shared.wait_stored()
        return session, cookie

    def _begin(self, code: str, address: str, user_agent: str, cookie_digest: str) -> ViewerSession:
        with self._lock:
            self._door.check_code(code, address)
            try:
                found = self._sessions.begin(user_agent, address, cookie_digest)
            except OverflowError as error:
                raise JoinRefusedError(409, say("class_is_full", error=str(error))) from error
            except UnopenedError as error:
                raise JoinRefusedError(429, str(error), OPENING_SECONDS) from error
            self._unsaved = True
        self._changed()
        return found

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
            self._unsaved = True
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
            self._unsaved = True
        self._changed()
        return True

    def end_session(self, session_id: str) -> bool:
        """End a viewer's session at once. Returns whether it existed."""
        with self._lock:
            session = self._sessions.find(session_id)
            if session is None:
                return False
            self._sessions.end(session)
            self._unsaved = True
        self._changed()
        return True

    def end_class(self) -> None:
        """End every session, change the code, and forget the question and its answers."""
        with self._lock:
            self._sessions.end_all()
            self._door.change_lock()
            self._pointed, self._view = None, None
            self._texts.clear()
            self._unsaved = True
        self.questions.forget_all()

    def restore_sessions(self) -> None:
        """Continue the class that the last server left in the folder of runs. Hold its lock: another server with the
        lock may end sessions. Unsaved changes of this server take precedence over the file.
        """
        with self._saving:
            found = self._sessions.read_file()
            with self._lock:
                if self._unsaved:
                    return
                self._sessions.replace_sessions(found)
        self._changed()

    def save(self) -> None:
        """Write the sessions to their file if they have changed. After a failure the next call tries again. A class of
        several servers has no file.
        """
        # The event loops take the lock of the class for every request, so do not hold it while writing.
        with self._saving:
            with self._lock:
                if not self._unsaved or self._shared is not None:
                    return
                self._unsaved = False
                members = list(self._sessions)
            if not self._sessions.save(members):
                self._unsaved = True

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
        if self._is_elsewhere and self._shared is not None:
            self._shared.ask(PointAsk(word=word))
            return
        self._pointed = word
        self._changed()

    def note_new_run(self, run_id: str) -> None:
        if self._is_elsewhere and self._shared is not None:
            # The run has begun, told or not.
            with contextlib.suppress(RefusedError):
                self._shared.ask(PointAsk(new_run=run_id))
            return
        self._newest_run = run_id
        self._changed()

    # Question.

    def predict(self, session_id: str, prediction: PredictionMessage) -> bool:
        """Record a viewer's prediction, replacing an earlier one. Returns False if it does not fit an open question."""
        if self.session(session_id) is None:
            return False
        if self._is_elsewhere and self._shared is not None:
            self._shared.send_answer(session_id, prediction)
            return True
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

    # Other servers.

    def share(self, shared: SharedClass) -> None:
        """Share the class with other servers, before anyone joins."""
        self._shared = shared
        shared.start()

    @property
    def shared(self) -> SharedClass | None:
        """Return this server's part in the class of several; None: it is the only one."""
        return self._shared

    def lead(self) -> None:
        """Prepare to change the class: with other servers, this one becomes its owner. Raises RefusedError (503)
        while the broker is away.
        """
        if self._shared is not None:
            self._shared.lead()

    def export_state(self) -> ClassState:
        """Return the whole state, for the other servers."""
        with self._lock:
            code, before = self._door.code.states()
            return ClassState(
                owner="",
                fence=0,
                revision=0,
                clock=steady_clock(),
                door=self._door.is_open,
                code=code,
                code_before=before,
                sessions=list(self._sessions),
                joined=self._sessions.newest_number,
                texts=dict(self._texts),
                view=self._view,
                following=self._following,
                pointed=self._pointed,
                newest_run=self._newest_run,
                # The answers go on to change.
                questions=self.questions.export_state().model_copy(deep=True),
            )

    def restore_state(self, state: ClassState, *, kept: bool) -> None:
        """Take over the state of the owner. `kept`: it goes on to change it."""
        later = steady_clock() - state.clock
        sessions = [replace(one, joined=one.joined + later) for one in state.sessions]
        with self._lock:
            self._door.restore_door(is_open=state.door, code=state.code, before=state.code_before, kept=kept)
            self._sessions.replace_sessions(sessions)
            self._sessions.newest_number = state.joined
            self._texts = dict(state.texts)
            self._view, self._following = state.view, state.following
            self._pointed, self._newest_run = state.pointed, state.newest_run
            self.questions.restore_state(state.questions)

    def decide(self, ask: ViewerAsk) -> Answer:
        """Do what a viewer of another server wants."""
        match ask:
            case JoinAsk():
                with self._lock:
                    # The answer to this join may have been lost.
                    known = self._sessions.find_by_digest(ask.cookie_digest)
                try:
                    session = known or self._begin(ask.code, ask.address, ask.user_agent, ask.cookie_digest)
                except JoinRefusedError as error:
                    return Answer(status=error.status, detail=str(error), wait=error.wait)
                # It is asked for its page at the other server, which says so in a moment.
                with self._lock:
                    self._sessions.note_asked((session.id,))
                return Answer(session=session.id)
            case PredictAsk():
                here = self.session(ask.session) is not None
                taken = here and self.questions.take_prediction(ask.session, ask.prediction)
                return Answer(status=200 if taken else 409)
            case PointAsk():
                if ask.new_run is None:
                    self._pointed = ask.word
                else:
                    self._newest_run = ask.new_run
                self._changed()
                return Answer()

    def asking(self) -> set[str]:
        """Return the ids of the sessions that have sent a request just now."""
        with self._lock:
            return self._sessions.asking()

    def note_elsewhere(self, server: str, sessions: Collection[str], asking: Collection[str]) -> None:
        """Note which sessions have an open page at another server, or ask there: they keep their places."""
        with self._lock:
            self._sessions.note_asked(asking)
            opened = self._elsewhere.setdefault(server, set())
            for gone in opened - set(sessions):
                self.close_socket(gone)
                opened.discard(gone)
            for session_id in set(sessions) - opened:
                if self.open_socket(session_id):
                    opened.add(session_id)
            if not opened:
                del self._elsewhere[server]

    @property
    def _is_elsewhere(self) -> bool:
        return self._shared is not None and not self._shared.is_owner

    def _join_elsewhere(self, code: str, address: str, user_agent: str, cookie_digest: str) -> ViewerSession:
        assert self._shared is not None
        ask = JoinAsk(code=code, address=address, user_agent=user_agent[:1_000], cookie_digest=cookie_digest)
        answer = self._shared.ask(ask)
        session = self.session(answer.session or "")
        if session is None:
            raise JoinRefusedError(answer.status if answer.status >= 400 else 503, answer.detail, answer.wait)
        return session

    def announce(self) -> None:
        for callback in self._callbacks:
            callback()

    def _changed(self) -> None:
        self.questions.forget_gone()
        if self._shared is None:
            self.announce()
        else:
            # Everyone is told once it stands in the broker.
            self._shared.note_changed()


def is_our_text(run: RunFolder) -> bool:
    """Return whether a run's text is one of ours, without personal data. An imported run is not trusted about that."""
    recipe = run.recipe
    foreign = recipe.parent is not None and recipe.parent.private_text
    return recipe.corpus.kind in BUILT_IN_TEXTS and not foreign and not is_imported(run)
