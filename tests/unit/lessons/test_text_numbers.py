"""Numbers that compare a word's nearest with the text itself, and parts about a text other than Lamptown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from lamplighter.claims.gathering import read_moment
from lamplighter.cli.app import cli
from lamplighter.corpora.distribution import list_words
from lamplighter.lessons.check import find_difference
from lamplighter.lessons.numbers import NumberValue, resolve_numbers
from lamplighter.lessons.part import LessonError, Part
from lamplighter.lessons.part_parser import parse_part
from lamplighter.lessons.text_numbers import price_text_numbers
from lamplighter.runfolder.reading.lru_cache import LruCache
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from tests.support.folders import TOKENS, finished_run

WORD = TOKENS[1]
NUMBERS = f"{{word.alike.{WORD}@0}} {{word.beside.{WORD}@last}} {{word.alike.missing@0}} {{text.alike@0}} {{text.beside@last}} {{text.by_chance@0}}"


def make_part(head: str = "", text: str = NUMBERS) -> Part:
    return parse_part("01-a.md", 1, f"title: A\naim: See.\nminutes: 5\n{head}\n# look: A\n\n{text}\n")


def resolve(run: RunFolder) -> dict[str, NumberValue]:
    return resolve_numbers(run, make_part(), read_moment(run), {}, LruCache())


def test_a_words_nearest_are_compared_with_the_text(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    text = np.random.default_rng(3).integers(1, len(TOKENS), 5_000, dtype=np.uint32)
    np.save(run.path / "corpus.npy", text)
    numbers = resolve(RunFolder(run.path))
    lists = list_words(text, run.vocabulary.tokens)
    assert lists is not None

    # Computed here in the simplest way.
    with MatrixHistory(run) as history:
        first, last = (history.snapshot(step).vectors.astype(np.float64) for step in (0, 35))

    def shared(rows: np.ndarray, listed: np.ndarray) -> list[int]:
        units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        found: list[int] = []
        for row, ids in zip(lists.rows, listed, strict=True):
            near = [int(one) for one in np.argsort(-(units @ units[row])) if one != row][:10]
            found.append(len({*near} & {int(one) for one in ids}))
        return found

    alike, beside = shared(first, lists.alike), shared(last, lists.beside)
    at = lists.rows.tolist().index(1)
    assert numbers[f"word.alike.{WORD}@0"] == NumberValue(alike[at], 0)
    assert numbers[f"word.beside.{WORD}@last"] == NumberValue(beside[at], 35)
    assert numbers["text.alike@0"].value == pytest.approx(np.mean(alike))
    assert numbers["text.beside@last"].value == pytest.approx(np.mean(beside))
    assert numbers["text.by_chance@0"].value == pytest.approx(100 / (len(TOKENS) - 1))
    assert numbers["word.alike.missing@0"] == NumberValue(None, 0, "measure")


def test_a_run_without_its_text_has_no_such_numbers(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    (run.path / "corpus.npy").unlink(missing_ok=True)
    assert {one.value for one in resolve(RunFolder(run.path)).values()} == {None}


def test_text_numbers_have_a_price_and_others_none(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    assert price_text_numbers(make_part(text="{run.rows} {word.nearest.dog@0}"), run) == 0
    assert price_text_numbers(make_part(), run) > 0


def test_a_part_names_its_text() -> None:
    assert (make_part().corpus, make_part("corpus: novels\n").corpus) == ("lamptown", "novels")
    with pytest.raises(LessonError, match="a part is about a run on lamptown or on novels"):
        make_part("corpus: manuals\n")
    assert find_difference(make_part(), make_part("corpus: novels\n")) is not None


def test_a_part_is_checked_against_the_words_of_its_own_text(tmp_path: Path) -> None:
    lessons = tmp_path / "lessons"
    (lessons / "teacher").mkdir(parents=True)
    part = "title: A\naim: See.\nminutes: 5\ncorpus: novels\nwords: elizabeth WORD\n\n# look: A\n\ntext\n"
    page = "# 21 A\n\n## Look\n\n[there](?word=WORD)\n"

    def check(word: str) -> str:
        (lessons / "21-a.md").write_text(part.replace("WORD", word))
        (lessons / "teacher" / "21-a.md").write_text(page.replace("WORD", word))
        return CliRunner().invoke(cli, ["lessons", "check", str(lessons)]).output

    # The novels have no dog, and Lamptown no Elinor.
    said = check("dog")
    assert "part 21: the text of the novels has no word 'dog'" in said
    assert "teacher's page 21 in 'en': the text of the novels has no word 'dog'" in said
    assert "no word" not in check("elinor")
