"""The examiner of one run: enqueues requests, answers them one at a time, and ends when idle.

Even at the lowest priority, work beside the trainer slows it where two threads share a core or the memory. The record
shows by how much, because each step has its duration. With cores to spare nothing slows down, and the examiner does
not pause.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from statistics import fmean
from typing import TYPE_CHECKING

from lamplighter.contract.answers import Answer
from lamplighter.contract.questions import QuestionError, parse_question
from lamplighter.contract.reason import Reason, give_reason
from lamplighter.contract.sentences import say
from lamplighter.examination.examined_model import (
    CancelledError,
    ReportProgress,
    UnanswerableError,
    encode_answer,
    examine,
)
from lamplighter.model.training_demands import estimate_demands
from lamplighter.platform import failpoint
from lamplighter.platform.worker_limits import bounded_memory, is_out_of_memory
from lamplighter.processes.asked_question import (
    AskedQuestion,
    ExaminationRefusedError,
    check_question,
)
from lamplighter.processes.worker import describe_memory_limit
from lamplighter.runfolder.errors import READ_ERRORS, explain_read_error
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.examinations import (
    MAX_WAITING,
    ExaminationEntry,
    ExaminationsWriter,
    question_fields,
)
from lamplighter.runfolder.tables.requests import CANCEL_EXAMINATION, EXAMINER_KINDS, Request, RequestsReader
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.writing.free_space import is_disk_full
from lamplighter.wire.frames import decode_as
from lamplighter.wire.pulse_frames import Pulse

if TYPE_CHECKING:
    from lamplighter.examination.examined_model import Replayer


_STEPS = 24
"""Steps over which a duration is averaged."""
_LOOK_SECONDS, _LOOK_STEPS = 1.0, 4
"""Minimum time between two reads of the record, in seconds and in undisturbed steps."""
_QUIET_SECONDS = 3.0
"""Seconds without work after which the last steps count as undisturbed."""
_ALLOWED = 1.05
"""Maximum duration of a step relative to an undisturbed one."""
_GAIN = 3.0
_MAX_PAUSE = 3.0
"""Maximum seconds of pause per second of work."""

ReadDurations = Callable[[], tuple[int, list[float]]]
"""A function that returns the newest step, and the durations in seconds of it and those before; 0 and none if
unknown.
"""


class CpuBackoff:
    """The pauses of one examiner. For one thread."""

    def __init__(self, read_durations: ReadDurations, clock: Callable[[], float] = time.monotonic) -> None:
        self._read, self._clock = read_durations, clock
        self._usual: float | None = None
        self._share = 0.0
        """Seconds of pause per second of work."""
        self._newest = 0
        self._worked_at = float("-inf")
        self._looked_at = float("-inf")

    def begin_work(self) -> None:
        """Note that work begins. After an idle while, the last durations become the undisturbed ones."""
        now = self._clock()
        if now - self._worked_at > _QUIET_SECONDS:
            self._newest, durations = self._read()
            self._usual = fmean(durations) if durations else None
            # The machine is the same, but a single question should not wait because of earlier ones.
            self._looked_at, self._share = now, self._share / 2
        self._worked_at = now

    def pause(self) -> float:
        """Return the seconds to pause for the work since the last call, or since work began."""
        now = self._clock()
        worked = max(0.0, now - self._worked_at)
        # Allow time for a step to end even if each takes seconds; otherwise training would seem to have
        # stopped.
        if now - self._looked_at >= max(_LOOK_SECONDS, _LOOK_STEPS * (self._usual or 0)):
            self._look(now)
        seconds = self._share * worked
        self._worked_at = now + seconds
        return seconds

    def _look(self, now: float) -> None:
        self._looked_at = now
        newest, durations = self._read()
        if newest == self._newest or not durations or self._usual is None:
            # Nothing is training, so nothing is slowed.
            self._share = 0.0
        else:
            slower = fmean(durations) / self._usual
            self._share = min(_MAX_PAUSE, max(0.0, self._share + _GAIN * (slower - _ALLOWED)))
        self._newest = newest


def recorded_durations(run: RunFolder) -> ReadDurations:
    def read() -> tuple[int, list[float]]:
        try:
            with StepsReader(run.steps_path) as reader:
                newest = reader.newest_step()[1]
                records = reader.pulses(max(1, newest - _STEPS + 1), newest, _STEPS)
            return newest, [decode_as(record, Pulse).step_seconds for _, record in records]
        except READ_ERRORS:
            return 0, []

    return read


_POLL_SECONDS = 0.01
_IDLE_POLL_SECONDS = 0.05
"""Polling for the next question takes a fortieth of a core at the pace above, and an examiner is idle for minutes."""
_SOON_SECONDS = 2.0
"""How long after a question another is likely to follow."""
_REPORT_SECONDS = 0.25
"""Minimum seconds between two progress reports."""
_SEAL_SECONDS = 0.5
_MAX_TRIES = 3
"""How many times a question is tried that kills its examiner."""
_REPLAY_SHARE = 0.8
"""The share of the progress that recomputing steps takes."""


_EXPECTED = (UnanswerableError, QuestionError, ExaminationRefusedError, FloatingPointError)
"""Errors whose message is one sentence for the person who asked."""
_FAILURES = (*_EXPECTED, ArithmeticError, LookupError, MemoryError, RuntimeError, ValueError, *READ_ERRORS)
"""Errors that concern one question: the next may be answered. Any other error crashes the examiner."""


class StoppedError(CancelledError):
    """Raised when the question must wait again: the process ends, or a person's question comes first."""


class Examiner:
    """The examiner of one run. It takes no lock: the caller holds the examiner role."""

    def __init__(self, run: RunFolder, idle: float, stop: threading.Event) -> None:
        """Open the answer file, and requeue the questions whose examiner was killed. `idle`: seconds without
        a question after which the examiner ends; `stop` ends it within a step.
        """
        self._run, self._idle, self._stop = run, idle, stop
        self._writer = ExaminationsWriter(run.examinations_path)
        self._requests = RequestsReader(run.path)
        self._replayer: Replayer | None = None
        self._prepared = False
        """True once the run was opened, or could not be: the question then tells why."""
        self._asked: str | None = None
        """The question being answered."""
        self._cancelled = False
        self._background: set[str] = set()
        """The open questions that a program prepares. Not stored: after a restart they count as a person's."""
        self._gives_way = False
        """True once a person has asked while such a question was being answered."""
        self._next_poll = self._next_report = 0.0
        self._cpu_backoff = CpuBackoff(recorded_durations(run))
        self._requests.skip_applied(self._writer.last_applied())
        for entry in self._writer.open_entries():
            if entry.state == "running" and entry.tries >= _MAX_TRIES:
                self._writer.fail(
                    entry.id,
                    f"the examiner was ended {entry.tries} times while it answered: it is not tried again",
                    give_reason("tried_too_often", tries=entry.tries),
                )

    def answer_until_idle(self) -> None:
        """Answer questions until none has come for a while, the run is moved away, or `stop` is set."""
        last_asked = time.monotonic()
        while not self._stop.is_set() and self._run.path.is_dir():
            self._enqueue_requests()
            waiting = self._writer.open_entries()
            self._background.intersection_update(entry.id for entry in waiting)
            if waiting:
                self._answer(min(waiting, key=lambda entry: entry.id in self._background))
                last_asked = time.monotonic()
            elif (quiet := time.monotonic() - last_asked) > self._idle:
                return
            elif not self._prepared:
                self._prepare()
            else:
                self._stop.wait(_POLL_SECONDS if quiet < _SOON_SECONDS else _IDLE_POLL_SECONDS)

    def close(self) -> None:
        """Close the answer file, and seal it unless it is being read."""
        # Another examiner may be waiting for the role now; a server later seals what is left open.
        self._writer.close(sealed=self._run.path.is_dir(), patience=_SEAL_SECONDS)

    def _enqueue_requests(self) -> None:
        for request in self._requests.read_new():
            if request.kind in EXAMINER_KINDS:
                with self._writer.transaction():
                    self._apply(request)

    def _apply(self, request: Request) -> None:
        attempt = step = 0
        if request.kind == CANCEL_EXAMINATION:
            asked_id = request.body.get("id")
            if isinstance(asked_id, str):
                self._cancelled = self._cancelled or asked_id == self._asked
                self._writer.cancel(asked_id)
        else:
            try:
                asked = check_question(self._run, parse_question(request.body))
            except (QuestionError, ExaminationRefusedError, *READ_ERRORS):
                # Clients check this beforehand (`check_question`): the request was written by hand, or the
                # run has changed.
                pass
            else:
                attempt, step = asked.attempt, asked.question.step
                self._mark_origin(asked)
                self._queue(asked)
        self._writer.add_applied(request, attempt, step)

    def _mark_origin(self, asked: AskedQuestion) -> None:
        """Note whether a question is a person's. One that a person has asked stays so until it is answered."""
        known = self._writer.entry(asked.id)
        if not asked.question.background:
            self._background.discard(asked.id)
            self._gives_way = self._gives_way or self._asked in self._background
        elif known is None or not known.is_open:
            self._background.add(asked.id)

    def _queue(self, asked: AskedQuestion) -> None:
        problem = reason = None
        waiting = [entry.id for entry in self._writer.open_entries() if entry.id != self._asked]
        if len(waiting) >= MAX_WAITING and asked.id not in waiting:
            problem = f"too many questions wait, {MAX_WAITING} already: ask again when some are answered"
            reason = give_reason("too_many_questions", most=MAX_WAITING)
        self._writer.add_question(asked.id, problem=problem, reason=reason, **asked.as_fields())

    def _answer(self, entry: ExaminationEntry) -> None:
        self._asked, self._cancelled, self._gives_way = entry.id, False, False
        self._cpu_backoff.begin_work()
        self._writer.begin(entry.id)
        failpoint.trigger("examination-begun")
        try:
            answer = encode_answer(self._examine(entry))
        except StoppedError:
            if self._run.path.is_dir():
                self._writer.requeue(entry.id)
        except CancelledError:
            self._writer.cancel(entry.id)
        except _FAILURES as error:
            self._replayer = None
            if not self._run.path.is_dir():
                return
            if not isinstance(error, _EXPECTED):
                traceback.print_exc()
            self._writer.fail(entry.id, *self._explain(error))
        else:
            with failpoint.trigger_within("examination-commit"):
                self._writer.finish(entry.id, answer)
        finally:
            self._asked = None

    def _examine(self, entry: ExaminationEntry) -> Answer:
        question = parse_question(question_fields(entry))
        self._report(0.0, say("opening_model"))
        replayer = self._open_run()
        needed = estimate_demands(self._run.recipe, len(self._run.vocabulary)).memory_bytes
        with bounded_memory(needed) as most:
            try:
                model = replayer.model_at(question.model_step, self._within(0.0, _REPLAY_SHARE))
                model = replace(model, attempt=entry.attempt)
                return examine(model, question, self._within(_REPLAY_SHARE, 1.0))
            except Exception as error:
                if is_out_of_memory(error):
                    raise UnanswerableError(
                        describe_memory_limit("the answer", most), Reason("too_little_memory")
                    ) from error
                raise

    def _prepare(self) -> None:
        """Open the run without a question, because one is expected soon."""
        with suppress(*_FAILURES):
            self._open_run()

    def _open_run(self) -> Replayer:
        self._prepared = True
        if self._replayer is None:
            # Importing torch takes seconds, and by then the client should see that the question was enqueued.
            from lamplighter.examination.examined_model import Replayer

            self._replayer = Replayer(self._run)
        return self._replayer

    def _within(self, start: float, end: float) -> ReportProgress:
        def report(share: float, activity: str) -> None:
            self._report(start + (end - start) * min(1.0, max(0.0, share)), activity)

        return report

    def _report(self, share: float, activity: str) -> None:
        """Record progress on the current answer; raise StoppedError or CancelledError if it is to end."""
        if pause := self._cpu_backoff.pause():
            self._stop.wait(pause)
        now = time.monotonic()
        if self._stop.is_set():
            raise StoppedError
        if now >= self._next_poll:
            self._next_poll = now + _POLL_SECONDS
            if not self._run.path.is_dir():
                raise StoppedError
            self._enqueue_requests()
        if self._cancelled:
            raise CancelledError
        if self._gives_way:
            raise StoppedError
        if now >= self._next_report and self._asked is not None:
            self._next_report = now + _REPORT_SECONDS
            self._writer.report(self._asked, share, activity)

    @staticmethod
    def _explain(error: Exception) -> tuple[str, Reason | None]:
        if isinstance(error, _EXPECTED):
            return str(error), getattr(error, "reason", None)
        if is_disk_full(error):
            message = "there is no room on the disk for the answer: make room, and ask again"
            return message, Reason("no_room_for_answer")
        if isinstance(error, READ_ERRORS):
            return f"this run cannot be read: {explain_read_error(error)}", Reason("run_unreadable")
        return f"it cannot be answered: {error or type(error).__name__}"[:500], None
