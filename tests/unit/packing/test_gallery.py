"""The gallery: an index with a picture and a sentence for each run, complete or not at all."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from lamplighter.exports.output import ExportError
from lamplighter.packing import packed_run
from lamplighter.packing.gallery import PICTURE_SIZE, write_gallery
from lamplighter.runfolder.run_name import write_run_name
from tests.support.synthetic_runs.recorded import record


def test_an_index_a_page_and_a_picture_for_each_run(tmp_path: Path) -> None:
    runs = [record(tmp_path / "runs"), record(tmp_path / "runs")]
    write_run_name(runs[0].path, '<script>alert("&")</script>')
    out = write_gallery(runs, tmp_path / "site", "https://example.org/city")
    assert {path.name for path in out.iterdir()} == {
        "index.html",
        "THIRD-PARTY.txt",
        "README.md",
        "sitemap.xml",
        *(f"{run.id}.html" for run in runs),
        *(f"{run.id}.png" for run in runs),
    }
    index = (out / "index.html").read_text(encoding="utf-8")
    assert "<script" not in index
    assert f'<a class="also" href="{runs[0].id}.html?lang=de"' in index
    sitemap = ElementTree.fromstring((out / "sitemap.xml").read_text(encoding="utf-8"))
    pages = ["", *(f"{run.id}.html" for run in runs)]
    assert [one.text for one in sitemap.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")] == [
        f"https://example.org/city/{page}" for page in pages
    ]
    # A folder with this in its README is a static Space.
    assert "\nsdk: static\n" in (out / "README.md").read_text(encoding="utf-8").split("---")[1]
    assert "&lt;script&gt;" in index
    assert f'content="https://example.org/city/{runs[0].id}.png"' in index
    assert "A language model learns 10 words: 30 steps" in index
    assert '<a href="THIRD-PARTY.txt">' in index
    assert "SIL OPEN FONT LICENSE" in (out / "THIRD-PARTY.txt").read_text(encoding="utf-8")
    page = (out / f"{runs[1].id}.html").read_text(encoding="utf-8")
    assert f'content="https://example.org/city/{runs[1].id}.png"' in page
    png = (out / f"{runs[0].id}.png").read_bytes()
    assert (int.from_bytes(png[16:20]), int.from_bytes(png[20:24])) == PICTURE_SIZE


def test_files_lie_beside_a_page_that_has_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [record(tmp_path / "runs"), record(tmp_path / "runs")]
    for run in runs:
        out = write_gallery([run], tmp_path / f"site-{run.id}")
        assert not (out / f"{run.id}-words").exists()
        assert "strict-dynamic" not in (out / f"{run.id}.html").read_text(encoding="utf-8")
    monkeypatch.setattr(packed_run, "_NEAREST_BYTES", 100)
    out = write_gallery(runs, tmp_path / "site")
    calls = [(out / f"{run.id}-words" / "0.js").read_text(encoding="ascii") for run in runs]
    assert all(re.fullmatch(r'lamplighterFile\("[0-9a-f]{16}",0,"[\w+/=]+"\)\n', call) for call in calls)
    # Only what the page's own script adds may run, and nothing in its text.
    page = (out / f"{runs[0].id}.html").read_text(encoding="utf-8")
    assert re.search(r"script-src (?:&#x27;sha256-[\w+/=]+&#x27; )+&#x27;strict-dynamic&#x27;;", page)


def test_without_an_address_there_is_no_preview_picture(tmp_path: Path) -> None:
    out = write_gallery([record(tmp_path / "runs")], tmp_path / "site")
    assert "og:image" not in (out / "index.html").read_text(encoding="utf-8")
    assert not (out / "sitemap.xml").exists()


@pytest.mark.parametrize(
    "url",
    [
        "example.org",
        "ftp://example.org/",
        "https://",
        "https://me@example.org/",
        "https://example.org/?a",
        "https://[x",
    ],
)
def test_rejects_an_invalid_address_before_writing(tmp_path: Path, url: str) -> None:
    with pytest.raises(ExportError, match="--url"):
        write_gallery([record(tmp_path / "runs")], tmp_path / "site", url)
    assert not (tmp_path / "site").exists()


def test_a_run_that_cannot_be_packed_leaves_no_gallery(tmp_path: Path) -> None:
    runs = [record(tmp_path / "runs"), record(tmp_path / "runs", layouts=False)]
    with pytest.raises(ExportError, match="no map yet"):
        write_gallery(runs, tmp_path / "site")
    assert list(tmp_path.iterdir()) == [tmp_path / "runs"]
    with pytest.raises(ExportError, match="needs a run"):
        write_gallery([], tmp_path / "site")
