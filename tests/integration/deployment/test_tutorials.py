"""Each command and each block of Python in the tutorials, run in their order, as a reader would; and the site of the documents."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[3]
TUTORIALS = sorted((ROOT / "docs/tutorials").glob("*.md"))
SERVERS = ("lamplighter --", "lamplighter serve")
"""Beginnings of the commands that serve until they are stopped."""

pytestmark = pytest.mark.tour


def blocks_of(tutorial: Path) -> list[tuple[str, str]]:
    """Return the blocks of a tutorial, each with its language."""
    text = tutorial.read_text(encoding="utf-8")
    found = re.findall(r"^```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert len(found) == text.count("```") / 2
    return found


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
        words = shlex.split(command.partition("  #")[0].replace("RUN", newest.name if newest else "RUN"))
        assert words[0] == "lamplighter"
        argv = [sys.executable, "-m", *words]
        if command.startswith(SERVERS):
            return self._serve(argv)
        return self._run(argv)

    def add_python(self, code: str) -> str:
        """Run all the Python so far: a reader's session goes on, and a process is the simplest one that ends."""
        self._python += code
        return self._run([sys.executable, "-c", self._python])

    def _run(self, argv: list[str]) -> str:
        done = subprocess.run(
            argv, cwd=self._folder, env=self._environment, capture_output=True, text=True, check=False
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


@pytest.mark.parametrize("tutorial", TUTORIALS, ids=lambda path: path.stem)
def test_a_reader_can_follow_it(tutorial: Path, tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    said = ""
    for language, block in blocks_of(tutorial):
        if language == "python":
            said += reader.add_python(block)
        else:
            assert language == "sh"
            said += "".join(reader.type_command(line) for line in block.splitlines())
    if tutorial.stem == "researcher":
        # What the text says of the numbers: the order, not the decimals.
        pairs = re.findall(r"correlation (\d\.\d\d), by chance up to (\d\.\d\d)", said)
        assert len(pairs) >= 4
        assert all(float(found) > 0.8 > 0.15 > float(chance) for found, chance in pairs)
        assert re.search(r"the farthest of them moved by 0\.0$", said, re.MULTILINE)
        assert all(float(one) < 0.7 for one in re.findall(r"the 100 most frequent words: (-?\d\.\d\d)", said))
    if tutorial.stem == "teacher":
        assert (tmp_path / "lesson.html").stat().st_size > 1_000_000


def test_the_site_has_no_broken_link_and_keeps_its_other_versions(tmp_path: Path) -> None:
    (tmp_path / "0.0.9").mkdir()
    (tmp_path / "versions.json").write_text('[{"version": "0.0.9", "title": "0.0.9", "aliases": ["latest"]}]')
    command = [sys.executable, ROOT / "docs/making/make_site.py", tmp_path, "https://example.org/lamp/"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    newest, older = json.loads((tmp_path / "versions.json").read_text())
    assert (newest["aliases"], older["version"], older["aliases"]) == (["latest"], "0.0.9", [])
    assert (tmp_path / "0.0.9").is_dir()
    built = tmp_path / newest["version"]
    for page in (
        "index.html",
        "tutorials/teacher.html",
        "course/en/01-random-start.html",
        "python/index.html",
    ):
        assert (built / page).stat().st_size > 1_000
    links = {
        (page, page.parent / link.partition("#")[0])
        for page in built.rglob("*.html")
        if page.name != "404.html"
        for link in re.findall(r'<a [^>]*href="?((?!\w+:|#)[^\s">]+)', page.read_text())
    }
    assert len(links) > 1_000
    assert not [link for link in links if not link[1].is_file()]
    # The page for what is not there is shown at any depth.
    missing = (tmp_path / "404.html").read_text()
    targets = re.findall(r'(?:href|src)="([^#"][^"]*)', missing)
    assert len(targets) > 20
    assert all(target.startswith("/lamp/") for target in targets)
    assert all((tmp_path / target.removeprefix("/lamp/")).is_file() for target in targets)
    assert missing == (built / "404.html").read_text()
    text = (built / "tutorials/teacher.html").read_text()
    # No file, style or script of another host, and no block that was not understood.
    assert not re.search(r"<(script|link|img)[^>]*(src|href)=\"?https?:", text)
    assert "```" not in text
