"""The launch code that a server offers when it starts, as a link for the terminal and as a file for the browser."""

from __future__ import annotations

import threading
from pathlib import Path
from urllib.parse import quote

from lamplighter.web.access.gate import Gate
from lamplighter.web.access.launch_file import launch_folders, remove_launch_file, write_launch_file
from lamplighter.web.hosts import OWN_NAME


class FirstLaunch:
    """The first launch code of a server. Its first use spends it, so a link visible on a projector is worthless once
    the browser has opened."""

    def __init__(self, gate: Gate, runs: Path) -> None:
        self._gate = gate
        self._runs = runs
        self._lock = threading.Lock()
        self._file: Path | None = None
        self._spent = False
        self._code = gate.credentials.codes.issue_code(self._on_spent)
        self.url = gate.launch_url(self._code)
        """The link for the terminal."""

    def write_file(self, run_id: str | None = None) -> Path | None:
        """Write the file for the browser, which opens the page on a run, or on the last one. Returns None if the code is
        already spent, or no folder is writable."""
        to = "launch" if run_id is None else f"launch?run={quote(run_id, safe='')}"
        own = next((each for each in self._gate.addresses if each.host == OWN_NAME), None)
        with self._lock:
            if not self._spent and self._file is None:
                self._file = write_launch_file(
                    launch_folders(self._runs, _home()),
                    self._code,
                    f"{self._gate.page_url()}{to}",
                    f"{self._gate.page_url(own)}{to}" if own else None,
                )
            return self._file

    def _on_spent(self) -> None:
        with self._lock:
            self._spent = True
            if self._file is not None:
                remove_launch_file(self._file)
                self._file = None


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:
        return None
