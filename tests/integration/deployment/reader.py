"""A reader who types what a document says."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import textwrap
import urllib.request
from pathlib import Path

from tests.support.waiting import wait_until

SERVERS = re.compile(r"lamplighter($| --| serve| runs open)")
"""Beginnings of the commands that serve until they are stopped."""


def blocks_of(document: Path) -> list[tuple[str, str]]:
    """Return the blocks of a document, each with its language."""
    text = document.read_text(encoding="utf-8")
    found = re.findall(r"^( *)```(\w*)\n(.*?)^\1```$", text, re.DOTALL | re.MULTILINE)
    assert len(found) == text.count("```") / 2
    return [(language, textwrap.dedent(block)) for _, language, block in found]


class Reader:
    """Somebody who follows a tutorial in an empty folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # A browser that opens nothing, and an account of its own.
        self._environment = os.environ | {
            "BROWSER": "true",
            "HOME": str(folder / "home"),
            "PYTHONPATH": os.pathsep.join(sys.path),
            "NO_COLOR": "1",
        }
        self._python = ""

    def type_command(self, command: str) -> str:
        newest = max((self._folder / "runs").glob("*"), key=lambda run: run.stat().st_ctime, default=None)
        # What a command prints into a file is printed here.
        words = shlex.split(re.split("  #| > ", command)[0].replace("RUN", newest.name if newest else "RUN"))
        assert words[0] == "lamplighter"
        words = [one for word in words for one in (self._matching(word) if "*" in word else [word])]
        argv = [sys.executable, "-m", *words]
        if SERVERS.match(" ".join(words)):
            return self._serve(argv)
        return self._run(argv)

    def _matching(self, pattern: str) -> list[str]:
        found = sorted(str(path.relative_to(self._folder)) for path in self._folder.glob(pattern))
        assert found, pattern
        return found

    def add_python(self, code: str) -> str:
        """Run all the Python so far: a reader's session goes on, and a process is the simplest one that ends."""
        self._python += code
        return self.type_python(self._python)

    def type_python(self, code: str) -> str:
        """Run Python by itself."""
        return self._run([sys.executable, "-c", code])

    def _run(self, argv: list[str]) -> str:
        done = subprocess.run(
            argv,
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{argv}: {done.stdout[-2_000:]}{done.stderr[-2_000:]}"
        return done.stdout

    def _serve(self, argv: list[str]) -> str:
        log = self._folder / "server.log"
        with log.open("wb") as out:
            server = subprocess.Popen(
                [*argv, "--port", "0"], cwd=self._folder, env=self._environment, stdout=out, stderr=out
            )
        try:
            wait_until(lambda: re.search(r"http://127\.0\.0\.1:\d+", log.read_text()), "an address", 60)
            address = re.search(r"http://127\.0\.0\.1:\d+", log.read_text())
            assert address is not None

            def steps() -> list[int]:
                with urllib.request.urlopen(f"{address[0]}/api/runs") as answer:
                    return [run["status"]["step"] for run in json.load(answer)["items"]]

            # A reader waits until there is something to see.
            wait_until(lambda: max(steps(), default=0) >= 100, "a run of 100 steps", 120)
        finally:
            server.terminate()
            server.wait(30)
        return log.read_text()
