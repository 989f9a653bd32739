"""Texts whose words carry their classes, and the benchmark that reads them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.purity_text import main
from benchmarks.support.tagged_text import CLASSES, read_tagged


def test_a_word_has_the_class_that_it_has_most_often(tmp_path: Path):
    (tmp_path / "ca01").write_text(
        "The/at jury/nn said/vbd ``/`` run/vb ''/'' ./.\n\nA/at run/nn\nFulton/np-tl and/or/cc", "utf-8"
    )
    (tmp_path / "ca02").write_text("Run/vb quickly/rb on/in red/jj-hl n'est-ce/fw-*-bez", "utf-8")
    (tmp_path / "README").write_text("no tags here")
    read = read_tagged(tmp_path)
    documents = read.text.split("\n\n")
    assert documents == [
        'The jury said " run " . A run Fulton and/or',
        "Run quickly on red n'est-ce",
    ]
    found = read.classes_of(["run", "jury", "fulton", "the", "quickly", "red", '"', ".", "unknown"])
    named = [CLASSES[number] if number >= 0 else None for number in found]
    assert named == ["verb", "noun", "noun", "other", "adverb", "adjective", None, None, None]


def test_a_text_without_classes_is_refused_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "plain.txt").write_text("The jury said", "utf-8")
    (tmp_path / "empty").mkdir()
    for name in ("plain.txt", "empty", "absent"):
        assert main([str(tmp_path / name)]) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 3
    assert "'The' has no word class" in told[0]
    assert "no tagged words there" in told[1]


def test_the_benchmark_prints_both_sides_chance_and_the_control(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "ca01").write_text("The/at cat/nn saw/vbd a/at dog/nn ./.\n" * 300, "utf-8")
    assert main([str(tmp_path / "ca01"), "--seeds", "1", "--steps", "2"]) in (0, 1)
    line = json.loads(capsys.readouterr().out)
    assert line["bench"] == "purity_text"
    for side in (line["ours"][0], line["bare"][0], line["shuffled"]):
        assert 0 <= side["purity"] <= 1
        assert 0 < side["chance"] < 1
    assert line["value"] == line["ours"][0]["purity"]
