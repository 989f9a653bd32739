"""The services that routes share: the concrete parts of one server, and the dependency that provides them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import HTTPConnection, Request

from lamplighter.contract.reason import Reason
from lamplighter.lessons.library import LessonLibrary
from lamplighter.model.training_demands import describe_demands, explain_demands
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.importing.imported_run import is_imported
from lamplighter.runfolder.reading.lru_cache import LruCache
from lamplighter.runfolder.reading.run_status import wants_training
from lamplighter.runfolder.role_lock import RoleState, role_state
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_set import is_member
from lamplighter.runfolder.tables.requests import RequestsWriter
from lamplighter.runfolder.writing.free_space import SpaceReserve
from lamplighter.serving.classroom.beats.class_hub import ClassHub
from lamplighter.serving.classroom.class_gate import ClassListening
from lamplighter.serving.classroom.classroom import Classroom
from lamplighter.serving.classroom.questions.lesson_question import LessonRevealer
from lamplighter.serving.front_services import FrontServices
from lamplighter.serving.jobs.examiners import ExaminerJobs
from lamplighter.serving.jobs.exports import ExportJobs
from lamplighter.serving.jobs.imports import ImportJobs
from lamplighter.serving.jobs.push_limits import PushLimits
from lamplighter.serving.jobs.received_runs import ReceivedRuns
from lamplighter.serving.jobs.reprojections import IdleSmoothing, ReprojectionJobs
from lamplighter.serving.jobs.uploads import Uploads
from lamplighter.serving.live.file_changes import FileChanges
from lamplighter.serving.live.hub import Hub
from lamplighter.serving.reading.difference_cache import DifferenceCache
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.serving.reading.run_index import RunIndex
from lamplighter.serving.reading.set_words import MAX_COMPARED
from lamplighter.web.capacity.response_cache import ResponseCache
from lamplighter.web.capacity.thread_pools import ThreadPools
from lamplighter.web.http.content_negotiation import JSON, ResponseFormat, negotiate_format
from lamplighter.web.http.problems import FieldError, RefusedError
from lamplighter.web.http.reply import Reply

_ON_A_FULL_DISK = ("pause", "stop")
"""Requests that may use the reserved space: those that end what a full disk has stopped."""


@dataclass(frozen=True, kw_only=True)
class ReadingServices:
    """The services for routes that read runs."""

    catalog: RunCatalog
    pools: ThreadPools
    response_cache: ResponseCache
    """The large answers that are being made, sent or kept."""
    server_id: str
    """The name of this server in the run folders."""
    examiner_jobs: ExaminerJobs
    lessons: LessonLibrary
    """The course texts."""
    run_index: RunIndex = field(default_factory=RunIndex)
    differences: DifferenceCache = field(default_factory=DifferenceCache)
    claim_figures: LruCache = field(default_factory=LruCache)
    """Cached figures of claims and lessons that never change."""
    member_boards: LruCache = field(default_factory=lambda: LruCache(4 * MAX_COMPARED))
    """Boards of members of sets. The figures of one set alone fill `claim_figures`."""

    def reply(
        self,
        request: Request,
        run: str,
        offered: tuple[ResponseFormat, ...] = (),
        format: str | None = None,
        *,
        status: int = 200,
    ) -> Reply:
        """Begin the reply of a route about a run: choose the format, then find the run.

        `offered`: the formats of the route, the default first; none: always JSON. `format`: the value of
        `?format=`. `status`: of a reply with a body. Raises RefusedError (406) if `Accept` allows none of the
        formats, NoSuchRunError.
        """
        form = negotiate_format(request, offered, format) if offered else JSON
        return Reply(request, self.response_cache, self.catalog.find_run(run), form, status=status)

    def set_reply(self, request: Request, set_id: str) -> Reply:
        """Begin the reply of a route about a set, as JSON. Raises NoSuchSetError."""
        return Reply(request, self.response_cache, self.catalog.run_store.find_set(set_id), JSON)

    def plain_reply(self, request: Request) -> Reply:
        """Begin the reply of a route about no single run, as JSON."""
        return Reply(request, self.response_cache, None, JSON)


@dataclass(frozen=True, kw_only=True)
class Services(ReadingServices, FrontServices):
    """The parts of one server."""

    uploads: Uploads
    export_jobs: ExportJobs
    import_jobs: ImportJobs
    hub: Hub
    file_changes: FileChanges = field(default_factory=FileChanges)
    """The programs that wait for a run's next frame."""
    space_reserve: SpaceReserve
    """The space for requests that are accepted even on a full disk."""
    classroom: Classroom
    class_hub: ClassHub
    received_runs: ReceivedRuns
    """The runs that arrive in fragments."""
    push_limits: PushLimits = field(default_factory=PushLimits)
    output_map_jobs: ReprojectionJobs
    """The jobs that lay out output matrices, separate from the reprojections because each writes a different
    file.
    """
    class_listening: ClassListening = field(default_factory=ClassListening)
    request_lock: threading.Lock = field(default_factory=threading.Lock)
    """Held while this server writes its request file, of which it is the only writer."""
    reprojection_jobs: ReprojectionJobs = field(default_factory=ReprojectionJobs)
    idle_smoothing: IdleSmoothing | None = None
    """None if this server does not smooth finished runs."""

    @property
    def lesson_revealer(self) -> LessonRevealer:
        """Return the revealer of the class's predictions in the course."""
        return LessonRevealer(self.catalog, self.lessons, self.claim_figures)

    def store_request(self, run: RunFolder, kind: str, body: dict[str, Any]) -> str:
        """Store a request to a run. Returns the name by which the live socket acknowledges it. Raises RefusedError
        (409) if it could not take effect, apsw.FullError if the disk is full and the request may not use the
        reserved space.
        """
        over = self.require_request_fits(run, kind)
        with self.request_lock:
            # If the supervisor gave up on the trainer, a person may ask again.
            if over and wants_training(run) and not self.trainer_given_up(run.id):
                raise RefusedError(
                    409,
                    "this run is already being continued: training starts in a moment",
                    reason=Reason("already_continuing"),
                )
            requests = RequestsWriter(run.path, self.server_id)
            write = partial(requests.add, kind, body)
            number = self.space_reserve.spend_on(write) if kind in _ON_A_FULL_DISK else write()
        return f"{self.server_id}:{number}"

    def require_confirmed(self, run: RunFolder, aim: str, *, confirmed: bool) -> None:
        """Refuse (409) unless the caller has confirmed what a run takes, if it was imported: its recipe comes from
        a stranger. `aim`: what takes it, as in "Continuing it takes".
        """
        if confirmed or not is_imported(run):
            return
        vocabulary = len(run.vocabulary)
        message = (
            f"{run.id} was imported. {aim} takes {describe_demands(run.recipe, vocabulary)}. To do that on this"
            " machine, ask again with confirmed=true"
        )
        faults = [FieldError(field="confirmed", message=message)]
        raise RefusedError(409, message, faults, reason=explain_demands(run.recipe, vocabulary))

    def require_request_fits(self, run: RunFolder, kind: str) -> bool:
        """Return whether a run is over. Raises RefusedError (409) if its state rules the request out: a recorded
        run takes no requests; a finished run can only be continued, and no other can.
        """
        phase = self.catalog.status(run).phase
        if run.recipe.corpus.kind == "recorded":
            raise RefusedError(
                409,
                "this run is recorded from a training loop of its own, which takes no requests",
                reason=Reason("takes_no_requests"),
            )
        if phase.has_ended and kind != "continue":
            raise RefusedError(
                409, f"this run is {phase}; it can only be continued", reason=Reason("run_is_over")
            )
        if not phase.has_ended and kind == "continue":
            raise RefusedError(
                409,
                f"this run is {phase}; only one that is over can be continued",
                reason=Reason("run_is_not_over"),
            )
        return phase.has_ended

    def require_free_trainer(self) -> None:
        """Refuse (409) while the maximum number of runs is training or waits for a trainer."""
        at_work = 0
        for run in self.catalog.run_store.runs():
            try:
                wanted = wants_training(run) and not self.trainer_given_up(run.id)
                at_work += wanted or _is_swept(run)
            except (FormatError, ValueError, OSError):
                # An unreadable run is not trained either.
                continue
        limit = self.settings.max_trainers
        if at_work >= limit:
            raise RefusedError(
                409,
                f"{at_work} {'run is' if at_work == 1 else 'runs are'} being trained and this server trains at most "
                f"{limit} at a time; stop one, or wait until one ends",
                reason=Reason("too_many_runs", {"most": limit}),
            )

    def trainer_given_up(self, run_id: str) -> bool:
        """Return whether the trainer failed or crashed so often that it is not restarted."""
        return self.supervisor is not None and self.supervisor.has_given_up(run_id, "trainer")


def _is_swept(run: RunFolder) -> bool:
    """Return whether a sweep trains the run now."""
    return is_member(run) and role_state(run.path, "trainer") is RoleState.HELD


async def _services(connection: HTTPConnection) -> Services:
    return connection.app.state.services


ServicesDep = Annotated[Services, Depends(_services)]
"""The annotation of the parameter through which a route receives the services."""
