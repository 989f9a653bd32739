"""A reader that looks at the runs all the time and remembers every step that it saw committed."""

from __future__ import annotations

import threading
from contextlib import suppress

from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.lineage import attempt_at
from lamplighter.runfolder.reading.matrix_history import History
from lamplighter.runfolder.run_folder import RunFolder
from tests.soak.audit import FORGED, Seen


class Witness:
    """Looks some twenty times a second; what it saw it can be asked for at any time."""

    def __init__(self) -> None:
        self._seen: dict[str, Seen] = {}
        self._at: dict[str, tuple[int, int]] = {}
        self._runs: list[RunFolder] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="witness", daemon=True)
        self._thread.start()

    def watch(self, runs: list[RunFolder]) -> None:
        """Look at these from now on."""
        with self._lock:
            self._runs = list(runs)

    def seen(self, run: RunFolder) -> Seen:
        """What was seen of a run; it stays the same while nobody looks at it."""
        with self._lock:
            return dict(self._seen.get(run.id, {}))

    def close(self) -> None:
        """Look no more."""
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.05):
            with self._lock:
                for run in self._runs:
                    # It is being made, sealed or moved, or busy with recovering: the next look sees it.
                    with suppress(*READ_ERRORS):
                        self._look(run)

    def _look(self, run: RunFolder) -> None:
        with History(run) as history:
            line, (attempt, last) = history.steps.line(), history.steps.last()
            known_attempt, known = self._at.get(run.id, (0, 0))
            first = known + 1 if attempt == known_attempt else 1
            digests = history.steps.digests(first, last)
            if history.steps.line() != line:
                return
        seen = self._seen.setdefault(run.id, {})
        for step, digest in digests.items():
            if digest != FORGED:
                seen[attempt_at(line, step), step] = digest
        self._at[run.id] = attempt, last
