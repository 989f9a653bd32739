"""The page of a run, and what it is told while the run trains: a broadcast (`packing/broadcast/`) into a folder of its own."""

from __future__ import annotations

import json
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from lamplighter.client.whole_application import require_whole_application
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
