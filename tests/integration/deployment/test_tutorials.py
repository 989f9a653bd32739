"""Each command and each block of Python in the tutorials, run in their order, as a reader would; and the site of the documents."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.deployment.reader import Reader, blocks_of

ROOT = Path(__file__).parents[3]
TUTORIALS = sorted((ROOT / "docs/tutorials").glob("*.md"))

pytestmark = pytest.mark.tour


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
