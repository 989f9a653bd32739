"""The application as a person starts it, with its own folder and port; for tests and benchmarks."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

from lamplighter.client.errors import LiveError
from lamplighter.client.live_run import follow
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.wire.frames import Frame
from tests.support.machine.disk_accesses import FOUND


class Application:
    """A `lamplighter ...` process, ready once its server answers."""

    module = "lamplighter"
    """The module to run. Tests use one that watches the event loop."""

    def __init__(
        self,
        runs: Path,
        *arguments: str,
        port: int = 0,
        command: list[str] | None = None,
        hold: float = 0,
        environment: dict[str, str] | None = None,
    ) -> None:
        """Start the process and wait for its address.

        Args:
            runs: the folder of runs.
            arguments: further command-line arguments (`serve`, `--new`).
            port: the port to serve on; 0 for any free one.
            command: a command to start instead of `python -m` and the module.
            hold: maximum seconds that new runs wait for their map.
            environment: additional environment variables.
        """
        self.runs = runs
        self.begun = time.time()
        words = ["--runs", str(runs), *arguments, "--no-browser", "--port", str(port), "--hold", str(hold)]
        if "--smooth-after" not in arguments:
            # It would take a core from a test that waits long enough.
            words += ["--smooth-after", "never"]
        self.process = subprocess.Popen(
            [*(command or [sys.executable, "-m", self.module]), *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"} | (environment or {}),
        )
        self.said: list[str] = []
        self.url, self.launch_url = self._wait_for_address()
        self._reader = threading.Thread(target=self._read_on, daemon=True)
        self._reader.start()

    @property
    def token(self) -> str:
        """Return the presenter's token."""
        return (self.runs / ".presenter-token").read_text(encoding="ascii").strip()

    def new_launch_url(self) -> str:
        """Return the URL of a new launch link: the one printed at the start expires after ten minutes, sooner
        than a test suite ends.
        """
        url: str = self.post("/api/launches", {})["url"]
        return url

    def get(self, path: str) -> Any:
        """Return the JSON of a GET request."""
        return self._ask("GET", path, None)

    def post(self, path: str, body: Any) -> Any:
        """Return the JSON of a POST request made as the presenter."""
        return self._ask("POST", path, body)

    def change(self, method: str, path: str, body: Any = None) -> Any:
        """Return the JSON of a request made as the presenter, None without a body."""
        return self._ask(method, path, body)

    def start_run(self, recipe: dict[str, Any]) -> RunFolder:
        """Create a run over REST. Returns its folder."""
        return self.run(self.post("/api/runs", {"recipe": recipe})["id"])

    def run(self, run_id: str) -> RunFolder:
        """Return the folder of a run."""
        return RunStore(self.runs).find(run_id)

    def only_run(self) -> RunFolder:
        """Return the folder of the only run."""
        (run,) = RunStore(self.runs).runs()
        return run

    def ask(self, run: RunFolder, kind: str, **body: Any) -> None:
        """Send a request to a run as the presenter."""
        self.post(f"/api/runs/{run.id}/requests", {"kind": kind, **body})

    def wait_until_over(self, run: RunFolder, timeout: float = 60) -> None:
        """Wait until the run is over and its trainer has ended."""
        deadline = time.monotonic() + timeout
        while not read_status(run).has_ended or read_status(run).alive:
            if time.monotonic() > deadline:
                raise AssertionError(f"{run.id} is still {read_status(run).phase}; it said:\n{self.log}")
            time.sleep(0.05)

    @property
    def port(self) -> int:
        """Return the port of the server."""
        return int(self.url.rsplit(":", 1)[1])

    @property
    def log(self) -> str:
        """Return the output so far."""
        return "\n".join(self.said)

    def kill(self) -> None:
        """Send `kill -9` to the server alone; its workers live on."""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """Press Ctrl-C and wait for the end; kill after 20 seconds."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"it did not end within 20 s of Ctrl-C; it said:\n{self.log}") from None
        finally:
            self._reader.join(5)
            if self.process.stdout:
                self.process.stdout.close()
        used = [line for line in self.said if line.startswith(FOUND)]
        assert not used, "\n".join(used).replace(" <", "\n")

    def __enter__(self) -> Application:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _wait_for_address(self) -> tuple[str, str]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.rstrip())
            if "/launch?code=" in line:
                launch = next(word for word in line.split() if "/launch?code=" in word)
                return launch.split("/launch")[0], launch
        raise AssertionError(f"it ended before it served:\n{self.log}")

    def _read_on(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.rstrip())

    def _ask(self, method: str, path: str, body: Any) -> Any:
        request = urllib.request.Request(self.url + path, method=method)
        request.add_header("Authorization", f"Bearer {self.token}")
        data = None
        if body is not None:
            request.add_header("Content-Type", "application/json")
            data = json.dumps(body).encode()
        try:
            with urllib.request.urlopen(request, data, timeout=20) as answer:
                return None if answer.status == 204 else json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from error


class Follower:
    """A program that follows a run in a thread and records when each frame was decoded."""

    def __init__(
        self, application: Application, run_id: str, channels: tuple[str, ...] = ("pulse", "layout", "rows")
    ) -> None:
        """Start following."""
        self.frames: list[tuple[float, Frame]] = []
        """(Unix seconds when decoded, frame)"""
        self._closed = False
        self._following = follow(f"{application.url}/api/runs/{run_id}", channels=channels)
        threading.Thread(target=self._follow, daemon=True).start()

    def close(self) -> None:
        """Ignore what still comes."""
        self._closed = True

    def __enter__(self) -> Follower:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _follow(self) -> None:
        with contextlib.suppress(LiveError):
            for frame in self._following:
                if self._closed:
                    return
                self.frames.append((time.time(), frame))
