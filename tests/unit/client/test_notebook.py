"""A run in a notebook: a card without scripts, and the page in a frame that reaches nothing."""

from __future__ import annotations

import base64
import html
import json
import re
from pathlib import Path

import pytest

import lamplighter
from lamplighter.client.notebook.city_widget import FollowedPage
from lamplighter.runfolder.run_name import write_run_name
from tests.support.synthetic_runs.recorded import record
from tests.support.waiting import wait_until


def test_a_run_shows_itself_as_a_picture_a_sentence_and_a_link(tmp_path: Path) -> None:
    run = record(tmp_path)
    write_run_name(run.path, "<script>alert(1)</script>")
    card = lamplighter.open(run.path)._repr_html_()
    assert "<script" not in card
    assert "A language model learns 10 words: 30 steps" in card
    picture = re.search(r'src="data:image/png;base64,([^"]+)"', card)
    assert picture
    assert base64.b64decode(picture[1]).startswith(b"\x89PNG")
    assert f'href="http://127.0.0.1:8600/?run={run.id}"' in card


def test_its_page_is_in_a_separate_frame(tmp_path: Path) -> None:
    run = lamplighter.open(record(tmp_path).path)
    page = run.show(height=400)
    shown = page._repr_html_()
    frame = re.fullmatch(r'<iframe srcdoc="([^"]*)" sandbox="([^"]*)"[^>]*></iframe>', shown)
    assert frame
    assert 'id="packed-head"' in html.unescape(frame[1])
    assert frame[2] == "allow-scripts allow-downloads"
    assert "height: 400px" in shown
    assert len(repr(page)) < 100
    with pytest.raises(lamplighter.InputError, match="height"):
        run.show(height=10)


def test_a_run_that_has_not_begun_has_a_card(tmp_path: Path) -> None:
    run = record(tmp_path, layouts=False)
    assert "data:image/png" in lamplighter.open(run.path)._repr_html_()


def test_a_widget_holds_the_page_and_shares_the_selected_tokens(tmp_path: Path) -> None:
    run = lamplighter.open(record(tmp_path).path)
    city = run.widget(height=400)
    wait_until(lambda: bool(city._page), "the page")
    assert 'id="packed-head"' in city._page
    city._ids = [4, 2, 99, -1]
    assert city.selected == [run.tokens[2], run.tokens[4]]
    heard: list[list[str]] = []
    city.observe(lambda change: heard.append(change["new"]), "selected")
    city.selected = [run.tokens[7], run.tokens[1], run.tokens[7]]
    assert city._ids == [1, 7]
    assert heard == [[run.tokens[1], run.tokens[7]]]
    with pytest.raises(lamplighter.NoSuchTokenError):
        city.selected = ["no such token"]
    assert city._ids == [1, 7]
    for height in (10, 10**6):
        with pytest.raises(lamplighter.InputError, match="height"):
            run.widget(height=height)
    assert city._notice == ""
    city.close()
    with pytest.raises(lamplighter.InputError, match="closed"):
        city.selected = [run.tokens[1]]


def test_a_widget_tells_why_there_is_no_city(tmp_path: Path) -> None:
    city = lamplighter.open(record(tmp_path, layouts=False).path).widget()
    wait_until(lambda: "map" in city._notice and "appears" not in city._notice, "the reason")
    assert not city._page


def test_a_cell_that_is_run_again_and_again_leaves_few_followers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lamplighter.client.notebook.city_widget import MOST_FOLLOWED

    following: list[FollowedPage] = []

    def follow_until_stopped(self: FollowedPage) -> None:
        following.append(self)
        self._stopped.wait()
        following.remove(self)

    monkeypatch.setattr(FollowedPage, "follow", follow_until_stopped)
    run = lamplighter.open(record(tmp_path).path)
    widgets = [run.widget() for _ in range(MOST_FOLLOWED + 3)]
    newest = {one._followed for one in widgets[-MOST_FOLLOWED:]}
    wait_until(lambda: set(following) == newest, "the oldest to stop")
    told = ["no longer follows" in one._notice for one in widgets]
    assert told == [True] * 3 + [False] * MOST_FOLLOWED
    for one in widgets:
        one.close()
    wait_until(lambda: not following, "all to stop")


def test_a_followed_page_delivers_segments_and_the_whole_state_once_and_in_order(tmp_path: Path) -> None:
    live = tmp_path / "live" / "00000000"
    live.mkdir(parents=True)
    files: list[str] = []
    followed = FollowedPage(
        lamplighter.open(record(tmp_path).path)._folder,
        on_page=lambda page: None,
        on_file=lambda name, data: files.append(name),
        on_problem=lambda problem: None,
    )

    def write(sequence: int, *, first: int = 1, whole: int = 1) -> None:
        for number in range(first, sequence + 1):
            (live / f"{number:06}.bin").write_bytes(b"segment")
        (live / f"{whole:06}-whole.bin").write_bytes(b"whole")
        manifest = {"name": "00000000", "first": first, "whole": whole, "sequence": sequence}
        (tmp_path / "live" / "manifest.json").write_text(json.dumps(manifest))
        followed._deliver_files(tmp_path / "live")

    write(2)
    write(2)
    assert files == [
        "00000000/000001.bin",
        "00000000/000002.bin",
        "00000000/000001-whole.bin",
        "manifest.json",
    ]
    files.clear()
    write(3)
    assert files == ["00000000/000003.bin", "manifest.json"]
    files.clear()
    # Segments that are gone are skipped: the whole state stands for them.
    write(9, first=8, whole=7)
    assert files == [
        "00000000/000008.bin",
        "00000000/000009.bin",
        "00000000/000007-whole.bin",
        "manifest.json",
    ]
