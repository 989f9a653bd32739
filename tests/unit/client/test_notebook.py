"""A run in a notebook: a card without scripts, and the page in a frame that reaches nothing."""

from __future__ import annotations

import base64
import html
import re
from pathlib import Path

import pytest

import lamplighter
from lamplighter.runfolder.run_name import write_run_name
from tests.support.synthetic_runs.recorded import record


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
    shown = run.show(height=400)._repr_html_()
    frame = re.fullmatch(r'<iframe srcdoc="([^"]*)" sandbox="([^"]*)"[^>]*></iframe>', shown)
    assert frame
    assert 'id="packed-head"' in html.unescape(frame[1])
    assert frame[2] == "allow-scripts allow-downloads"
    assert "height: 400px" in shown
    assert len(repr(run.show(height=400))) < 100
    with pytest.raises(lamplighter.InputError, match="height"):
        run.show(height=10)


def test_a_run_that_has_not_begun_has_a_card(tmp_path: Path) -> None:
    run = record(tmp_path, layouts=False)
    assert "data:image/png" in lamplighter.open(run.path)._repr_html_()
