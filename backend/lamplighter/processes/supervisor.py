"""A supervisor that watches the runs and starts the worker processes they need: trainers, projectors,
analysts.

It needs no server: `lamplighter train --watch` uses it alone. It reads the workers needed from the folders,
and the running ones from their locks; so the workers of a killed server keep training, and the next server
finds them. A worker that crashes is restarted a few times; then it stays stopped, and `states` gives the
cause. Exit codes of workers: 0 done for now, 3 another process has the role, 4 the run itself failed and says
why.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from lamplighter.processes.desired_state import Wanted, asked_mark
from lamplighter.runfolder.role_lock import is_held
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import Shelf
from lamplighter.runfolder.writing.finalise import seal_left_open

log = logging.getLogger(__name__)

MODULES = {
    "trainer": "lamplighter.training.worker",
    "projector": "lamplighter.projection.worker",
    "analyst": "lamplighter.analysis.worker",
}
_NICE = {"trainer": 0, "projector": 5, "analyst": 10}
_TAKEN, _FAILED = 3, 4

Command = Callable[[str, Path], list[str]]


def worker_command(role: str, run: Path) -> list[str]:
    """Return the command line of a worker."""
    return [sys.executable, "-m", MODULES[role], str(run)]


@dataclass(frozen=True)
class Limits:
    """A supervisor's limits on numbers of workers, restarts, times and log sizes."""

    trainers: int = 2
    """Runs trained at a time, whoever trains them."""
    backlog: int = 1
    """Finished runs whose map or measures are still being completed, at a time."""
    look_seconds: float = 0.5
    crashes: int = 5
    """Crashes in a row that are followed by a restart; after one more the worker stays stopped."""
    first_pause: float = 0.5
    """Seconds before the first restart; doubles with each further one."""
    healthy_seconds: float = 60.0
    """Seconds of uptime after which earlier crashes are forgotten."""
    patience: float = 8.0
    """Seconds between asking workers to end and killing them."""
    log_bytes: int = 256 * 1024
    """Size above which a worker's log is set aside: when the worker starts, and while it runs."""


@dataclass
class _Post:
    """One role in one run: our process in that role, and its record so far."""

    run: RunFolder
    role: str
    process: subprocess.Popen[bytes] | None = None
    elsewhere: bool = False
    """True while a worker that we did not start has the role, such as one of a killed server."""
    started: float = 0.0
    crashes: int = 0
    not_before: float = 0.0
    stopped: str | None = None
    """The reason why it is not restarted any more."""
    mark: object = None
    """The requests people had made by the time it was stopped; a new request lifts the stop."""
    done: object = None
    """The state of the run for which a worker found nothing left to do."""


@dataclass
class _Book:
    posts: dict[tuple[str, str], _Post] = field(default_factory=dict[tuple[str, str], _Post])

    def post(self, run: RunFolder, role: str) -> _Post:
        return self.posts.setdefault((run.id, role), _Post(run, role))


class Supervisor:
    """A thread that keeps the needed workers running."""

    def __init__(
        self,
        shelf: Shelf,
        roles: tuple[str, ...],
        limits: Limits | None = None,
        command: Command = worker_command,
    ) -> None:
        """Supervise the runs in `shelf`, in these roles only. `command` builds the command line of a
        worker."""
        self._shelf = shelf
        self._roles = roles
        self._limits = limits or Limits()
        self._command = command
        self._wanted = Wanted()
        self._book = _Book()
        self._lock = threading.Lock()
        self._interrupted = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def interrupt(self) -> None:
        """Note that a person stops everything (Ctrl-C), so that `stop` interrupts the runs of our trainers.

        They can be continued, but do not resume by themselves the next time a supervisor watches the folder.
        """
        self._interrupted = True

    def stop(self) -> None:
        """Stop supervising, ask the workers to end, and kill those that do not in time. Blocks until then.

        A trainer then writes a checkpoint and leaves its run to be resumed next time, unless a person
        interrupted it. Workers that others started are left alone.
        """
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        with self._lock:
            posts = [post for post in self._book.posts.values() if post.process is not None]
            ours = {post.run.id for post in posts if post.role == "trainer"}
            for run in self._shelf.runs() if "trainer" in self._roles else []:
                if run.id not in ours and is_held(run.path, "trainer"):
                    log.info("%s goes on training: this server did not start its trainer", run.id)
        at_work = [post.process for post in posts if post.process is not None]
        for post in posts:
            with suppress(ProcessLookupError):
                if post.process is not None:
                    post.process.send_signal(self._farewell(post.role))
        deadline = time.monotonic() + self._limits.patience
        for process in at_work:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("a worker did not end in %.0f s; it is ended now", self._limits.patience)
                _kill(process)
                process.wait()

    def _farewell(self, role: str) -> int:
        interrupted = self._interrupted and role == "trainer" and sys.platform != "win32"
        return signal.SIGINT if interrupted else signal.SIGTERM

    def states(self) -> dict[str, str]:
        """Return what the workers of each role are doing, in words for people."""
        with self._lock:
            return {role: self._state(role) for role in self._roles}

    def given_up(self, run_id: str, role: str) -> bool:
        """Return whether a role in a run crashed so often, or failed so, that it stays stopped."""
        with self._lock:
            post = self._book.posts.get((run_id, role))
            return post is not None and post.stopped is not None

    def look(self) -> None:
        """Note once which workers ended, and start those that are needed. The thread repeats this."""
        with self._lock:
            for post in self._book.posts.values():
                self._reap(post)
                post.elsewhere = False
            runs = self._shelf.runs()
            self._forget({run.id for run in runs})
            self._wanted.look(runs)
            at_work = {key for key, post in self._book.posts.items() if post.process is not None}
            # A trainer just started does not hold its lock yet.
            trained = sum(self._wanted.trained(run) or (run.id, "trainer") in at_work for run in runs)
            finishing = {run_id for run_id, role in at_work if role != "trainer"}
            finishing -= {run.id for run in runs if self._wanted.trained(run)}
            for run in runs:
                if self._stopping.is_set():
                    return
                self._seal(run)
                if "trainer" in self._roles and trained < self._limits.trainers:
                    trained += self._fill(run, "trainer")
                late = not self._wanted.trained(run)
                if late and run.id not in finishing and len(finishing) >= self._limits.backlog:
                    continue
                for role in self._roles:
                    if role != "trainer" and self._fill(run, role) and late:
                        finishing.add(run.id)

    def _watch(self) -> None:
        while not self._stopping.is_set():
            try:
                self.look()
            except Exception:
                # The runs folder may be gone, or too many files open: the next poll may succeed. Whatever the
                # cause, a supervisor that ended here would end unnoticed.
                log.exception("cannot look at the runs")
            self._stopping.wait(self._limits.look_seconds)

    def _fill(self, run: RunFolder, role: str) -> bool:
        """Start a role in a run if it is needed, free and not stopped. Returns whether it was started."""
        state = self._wanted.state(run, role)
        if state is None:
            return False
        post = self._book.post(run, role)
        if post.process is not None:
            return False
        post.elsewhere = is_held(run.path, role)
        if post.elsewhere or time.monotonic() < post.not_before:
            return False
        if role != "trainer" and post.done == state:
            return False
        if post.stopped is not None:
            if post.mark == asked_mark(run):
                return False
            post.stopped, post.crashes = None, 0
        if not os.access(run.path, os.W_OK):
            return False
        return self._start(post, state)

    def _seal(self, run: RunFolder) -> None:
        """Finalise the files that a killed writer left open: a finalised file opens read-only anywhere."""
        for role in self._wanted.to_seal(run):
            post = self._book.posts.get((run.id, role))
            if post is not None and post.process is not None:
                continue
            if os.access(run.path, os.W_OK) and seal_left_open(run, role):
                log.info("%s: the file of the %s is sealed now", run.id, role)

    def _start(self, post: _Post, state: object) -> bool:
        try:
            with _open_log(post.run.path, post.role, self._limits.log_bytes) as file:
                post.process = subprocess.Popen(
                    self._command(post.role, post.run.path),
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=file,
                    # A session of its own: Ctrl-C in the terminal goes to the server, which asks its workers
                    # to end.
                    start_new_session=os.name == "posix",
                    creationflags=_windows_flags(post.role),
                )
        except OSError as error:
            self._crashed(post, str(error))
            return False
        _lower(post.process.pid, _NICE.get(post.role, 0))
        post.started = time.monotonic()
        post.done = state
        log.info("%s of %s started, process %d", post.role, post.run.id, post.process.pid)
        return True

    def _reap(self, post: _Post) -> None:
        if post.process is None:
            return
        code = post.process.poll()
        if code is None:
            _bound_log(post.run.path, post.role, self._limits.log_bytes)
            return
        post.process = None
        post.not_before = time.monotonic() + self._limits.first_pause
        if code == 0:
            post.crashes = 0
        elif code == _TAKEN:
            post.done = None
        elif code == _FAILED:
            post.stopped, post.mark = (
                _last_line(post.run.path, post.role) or "the run failed",
                asked_mark(post.run),
            )
            log.warning("%s of %s failed for good: %s", post.role, post.run.id, post.stopped)
        else:
            if time.monotonic() - post.started >= self._limits.healthy_seconds:
                post.crashes = 0
            self._crashed(post, _last_line(post.run.path, post.role) or f"exit code {code}")

    def _crashed(self, post: _Post, why: str) -> None:
        post.done = None
        post.crashes += 1
        if post.crashes > self._limits.crashes:
            post.stopped, post.mark = why, asked_mark(post.run)
            log.error(
                "%s of %s crashed %d times and stays stopped: %s", post.role, post.run.id, post.crashes, why
            )
        else:
            post.not_before = time.monotonic() + self._limits.first_pause * 2 ** (post.crashes - 1)
            log.warning("%s of %s crashed (%s) and is started again", post.role, post.run.id, why)

    def _state(self, role: str) -> str:
        posts = [post for post in self._book.posts.values() if post.role == role]
        at_work = sum(post.process is not None or post.elsewhere for post in posts)
        stopped = [post for post in posts if post.stopped is not None]
        restarting = any(post.process is None and post.crashes and post.stopped is None for post in posts)
        words = [f"at work on {at_work} run{'s' if at_work > 1 else ''}"] if at_work else []
        words += ["starting again after a crash"] if restarting else []
        words += [f"stopped in {post.run.id}: {post.stopped}" for post in stopped[-1:]]
        return "; ".join(words) or "idle"

    def _forget(self, there: set[str]) -> None:
        """Drop the state of runs that are gone."""
        for key, post in list(self._book.posts.items()):
            if key[0] not in there and post.process is None:
                del self._book.posts[key]


def _open_log(run: Path, role: str, limit: int) -> BinaryIO:
    folder = run / "logs"
    folder.mkdir(exist_ok=True)
    path = folder / f"{role}.log"
    with suppress(FileNotFoundError):
        if path.stat().st_size > limit:
            path.replace(path.with_suffix(".log.1"))
    return path.open("ab")


def _bound_log(run: Path, role: str, limit: int) -> None:
    """Set aside the log of a running worker once it is too long; the worker continues at the beginning of the
    file."""
    path = run / "logs" / f"{role}.log"
    with suppress(OSError):
        if path.stat().st_size <= limit:
            return
        with suppress(OSError), path.open("rb") as file:
            file.seek(-limit, os.SEEK_END)
            path.with_suffix(".log.1").write_bytes(file.read(limit))
        # Truncate even if there was no room for the copy: the log must not be what fills the disk.
        os.truncate(path, 0)


def _last_line(run: Path, role: str) -> str | None:
    try:
        with (run / "logs" / f"{role}.log").open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
            lines = file.read().decode("utf-8", errors="replace").strip().splitlines()
    except OSError:
        return None
    return lines[-1].strip()[:300] if lines else None


def _windows_flags(role: str) -> int:
    if sys.platform != "win32":
        return 0
    return subprocess.CREATE_NEW_PROCESS_GROUP | (
        subprocess.BELOW_NORMAL_PRIORITY_CLASS if _NICE.get(role) else 0
    )


def _lower(process: int, by: int) -> None:
    # Set from outside, right after the start, so that threads the worker starts later inherit it.
    if by and hasattr(os, "setpriority"):
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process, by)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
