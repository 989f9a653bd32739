"""A reader that polls the runs in a thread and remembers every step that it saw committed."""

from __future__ import annotations

import threading
from contextlib import suppress

from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from tests.soak.audit import FORGED, Seen


class CommitObserver:
    """A thread that polls the runs some twenty times a second and keeps the digests it saw."""

    def __init__(self) -> None:
        self._seen: dict[str, Seen] = {}
        self._at: dict[str, tuple[int, int]] = {}
        self._runs: list[RunFolder] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="witness", daemon=True)
        self._thread.start()

    def watch(self, runs: list[RunFolder]) -> None:
        """Poll these runs from now on."""
        with self._lock:
            self._runs = list(runs)

    def seen(self, run: RunFolder) -> Seen:
        """Return a copy of the digests seen of a run."""
        with self._lock:
            return dict(self._seen.get(run.id, {}))

    def close(self) -> None:
        """Stop polling."""
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.05):
            with self._lock:
                for run in self._runs:
                    # The run is being created, sealed, moved or recovered: the next poll sees it.
                    with suppress(*READ_ERRORS):
                        self._look(run)

    def _look(self, run: RunFolder) -> None:
        with MatrixHistory(run) as history:
            line, (attempt, last) = history.steps.lineage(), history.steps.newest_step()
            known_attempt, known = self._at.get(run.id, (0, 0))
            first = known + 1 if attempt == known_attempt else 1
            digests = history.steps.digests(first, last)
            if history.steps.lineage() != line:
                return
        seen = self._seen.setdefault(run.id, {})
        for step, digest in digests.items():
            if digest != FORGED:
                seen[line.attempt_at(step), step] = digest
        self._at[run.id] = attempt, last
