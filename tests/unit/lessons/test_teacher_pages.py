"""The teacher's pages: what their parser accepts and rejects, which page belongs to which part, and what the
check finds.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from lamplighter.cli.app import cli
from lamplighter.lessons.check import list_missing_aims, list_problems
from lamplighter.lessons.library import MAX_PARTS, LessonLibrary, find_lessons, read_folder
from lamplighter.lessons.markdown import MAX_ROWS
from lamplighter.lessons.part import LessonError, Span
from lamplighter.lessons.part_parser import MAX_AIM, MAX_PART_BYTES, parse_part
from lamplighter.lessons.teacher_page import (
    MAX_SECTION_BLOCKS,
    MAX_SECTIONS,
    TeacherPage,
    parse_teacher_page,
)

PART = "title: A part\naim: Say it.\nminutes: 5\n\n# look: A stage\n\n{run.rows|count} words\n"
PAGE = "# 1 A part\n\n**Aim.** To *see*.\n\n## Sheet\n\n1. [?lesson=1.1] My guess: ____\n"


def parse(text: str) -> TeacherPage:
    return parse_teacher_page("01-a.md", 1, text)


def words(spans: tuple[Span, ...]) -> str:
    return "".join(span.number.text if span.number else span.text for span in spans)


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def test_a_page_is_a_tree_of_sections() -> None:
    page = parse(
        "# 1 A part\n\nOne\ntwo.\n\n## Stages\n\n| at | ask |\n|---|:---|\n| 1.1 | *Why?* |\n| 1.2 | {run.rows|count} |\n\n"
        "- a\n- b\n\n> said\n> on\n>\n> again\n\n## Sheet\n\n1. [?lesson=1.2&word=dog] Guess: ____\n   and say why\n2. [?at=9] End [here](?at=7)\n"
    )
    assert (page.number, page.title, [section.title for section in page.sections]) == (
        1,
        "1 A part",
        ["", "Stages", "Sheet"],
    )
    assert [section.worksheet for section in page.sections] == [False, False, True]
    told = [
        (block.kind, [[words(cell) for cell in row] for row in block.rows])
        for section in page.sections
        for block in section.blocks
    ]
    assert told == [
        ("paragraph", [["One two."]]),
        ("table", [["at", "ask"], ["1.1", "Why?"], ["1.2", "run.rows"]]),
        ("list", [["a"], ["b"]]),
        ("quote", [["said on"]]),
        ("quote", [["again"]]),
        ("numbered", [[" Guess: ____ and say why"], [" End here"]]),
    ]
    assert [(span.text, span.view) for span in page.spans() if span.view] == [
        ("", "?lesson=1.2&word=dog"),
        ("", "?at=9"),
        ("here", "?at=7"),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no title"),
        ("No title\n", "no title"),
        ("# A <b>title</b>\n", "no HTML"),
        ("# A *title*\n", "plain text"),
        (f"# {'a' * 101}\n", "plain text"),
        ("# A\n\n### Deeper\n", "a heading is ##"),
        ("# A\n\n# B\n", "a heading is ##"),
        ("# A\n\n- one\n  - two\n", "an entry of a list is one paragraph"),
        ("# A\n\n> - one\n", "has paragraphs"),
        ("# A\n\n<script>alert(1)</script>\n", "no HTML"),
        ("# A\n\n| a | <img src=x> |\n|---|---|\n| b | c |\n", "no HTML"),
        ("# A\n\n1. <iframe>\n", "no HTML"),
        ("# A\n\n> <b>\n", "no HTML"),
        ("# A\n\n[go](javascript:alert)\n", "begins with ?"),
        ("# A\n\n[go](https://example.org)\n", "begins with ?"),
        ("# A\n\n1. [https://example.org] Guess\n", "stands alone"),
        ("# A\n\n1. [?run=another] Guess\n", "no key 'run'"),
        ("# A\n\n1. [?lesson=../1] Guess\n", "lesson is a part"),
        ("# A\n\n1. [?lesson=1.2&lesson=1.3] Guess\n", "twice"),
        ("# A\n\n1. [?panel=secrets] Guess\n", "panel cannot be"),
        ("# A\n\n{os.environ}\n", "needs a step"),
        ("# A\n\n$$ a = b $$\n", "no formulas"),
        ("# A\n\n| a |\n", "a table is"),
        ("# A\n\n| a | b |\n|---|---|\n| c |\n", "as many cells"),
        ("# A\n\n| a | b |\n|---|---|\nc | d\n", "begins and ends with |"),
        ("# A\n\n" + "| a " * 5 + "|\n" + "|---" * 5 + "|\n" + "| a " * 5 + "|\n", "at most 4"),
        ("# A\n\n| a |\n|---|\n" + "| b |\n" * (MAX_ROWS + 1), "rows"),
        ("# A\n\n" + "1. b\n" * (MAX_ROWS + 1), "rows"),
        ("# A\n\n" + "b\n\n" * (MAX_SECTION_BLOCKS + 1), "sections"),
        ("# A\n\n" + "## B\n\nc\n\n" * (MAX_SECTIONS + 1), "sections"),
        ("# A\n\n" + "b" * 2_001, "2,000 characters"),
        ("# A\n\na \u202e b\n", "cannot be shown"),
    ],
)
def test_an_invalid_page_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(LessonError) as caught:
        parse(text)
    assert re.match(r"01-a\.md:\d+: ", str(caught.value))
    assert said in str(caught.value)


def test_a_stage_has_no_visible_addresses_and_no_places() -> None:
    for text in ("[?at=7]", "[there](?lesson=1.2)"):
        with pytest.raises(LessonError):
            parse_part("01-a.md", 1, PART + text)


def test_a_page_belongs_to_the_text_of_its_part(tmp_path: Path) -> None:
    own, overlay = tmp_path / "own", tmp_path / "overlay"
    for number in ("01", "02"):
        write(own, f"en/{number}-a.md", PART)
        write(own, f"en/teacher/{number}-a.md", PAGE)
    write(own, "en/teacher/00-before.md", "# Before\n\nText\n")
    library = LessonLibrary((own, overlay))
    assert list(library.teacher_pages()) == [0, 1, 2]
    assert library.teacher_pages("de")[1].language == "en"
    # A user's own part is not taught by our page about the part it replaces.
    write(overlay, "02-mine.md", PART)
    assert list(library.teacher_pages()) == [0, 1]
    write(overlay, "teacher/02-mine.md", PAGE.replace("A part", "Mine"))
    write(overlay, "de/teacher/01-a.md", PAGE.replace("A part", "Ein Teil"))
    assert {number: page.title for number, page in library.teacher_pages("de").items()} == {
        0: "Before",
        1: "1 Ein Teil",
        2: "1 Mine",
    }
    assert library.teacher_pages()[1].title == "1 A part"


def test_page_folders_are_untrusted(tmp_path: Path) -> None:
    write(tmp_path, "01-a.md", PART)
    write(tmp_path, "elsewhere/01-secret.md", PAGE)
    (tmp_path / "teacher").symlink_to(tmp_path / "elsewhere")
    assert read_folder(tmp_path).pages == {}
    (tmp_path / "teacher").unlink()
    write(tmp_path, "teacher/01-a.md", PAGE)
    (tmp_path / "teacher/02-link.md").symlink_to(tmp_path / "elsewhere/01-secret.md")
    write(tmp_path, "teacher/03-large.md", "# A\n" + "\n" * MAX_PART_BYTES)
    write(tmp_path, "teacher/name.md", PAGE)
    write(tmp_path, "teacher/01-b.md", PAGE)
    (tmp_path / "teacher/04-latin.md").write_bytes(b"# A\n\n\xff\n")
    found = read_folder(tmp_path)
    assert list(found.pages) == [1]
    said = "\n".join(map(str, found.problems))
    for name in ("02-link", "03-large", "name", "01-b", "04-latin"):
        assert f"teacher/{name}.md:" in said
    for number in range(20, 20 + MAX_PARTS):
        write(tmp_path, f"teacher/{number}-a.md", PAGE)
    assert len(read_folder(tmp_path).pages) < MAX_PARTS


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1. [?lesson=1.2] Guess", "the course has no 1.2, which ?lesson=1.2 opens"),
        ("1. [?lesson=32] Guess", "the course has no 32,"),
        ("[there](?word=griffin)", "Lamptown has no word 'griffin'"),
        ("1. [?panel=ask&say=the+griffin+barked] Guess", "Lamptown has no word 'griffin'"),
        ("{purity_10nn@0}", "purity_10nn@0 is no number that the part itself names"),
    ],
)
def test_the_check_finds_names_on_a_page_that_do_not_exist(tmp_path: Path, text: str, said: str) -> None:
    write(tmp_path, "01-a.md", PART)
    write(tmp_path, "teacher/01-a.md", f"{PAGE}\nThere are {{run.rows|count}}.\n")
    assert list_problems(tmp_path) == []
    write(tmp_path, "teacher/01-a.md", f"{PAGE}\n{text}\n")
    (problem,) = list_problems(tmp_path)
    assert problem.startswith("teacher's page 1 in 'en': ")
    assert said in problem
    checked = CliRunner().invoke(cli, ["lessons", "check", str(tmp_path)])
    assert (checked.exit_code, said in checked.output) == (1, True)


def test_the_check_finds_a_page_without_its_part(tmp_path: Path) -> None:
    write(tmp_path, "01-a.md", PART)
    write(tmp_path, "teacher/02-b.md", "# 2 B\n\nText\n")
    write(tmp_path, "teacher/00-before.md", "# Before\n\n[Begin](?lesson=1)\n")
    (problem,) = list_problems(tmp_path)
    assert "there is no part 2" in problem


def test_a_users_own_page_about_our_part_is_enough(tmp_path: Path) -> None:
    ours = read_folder(find_lessons()).parts
    write(
        tmp_path / "own", "teacher/02-mine.md", "# 2 Mine\n\n1. [?lesson=2.3] Why? ____\n\n{run.rows|count}\n"
    )
    assert list_problems(tmp_path / "own", ours) == []
    # A folder may be a link, but its contents may not lead outside.
    (tmp_path / "link").symlink_to(tmp_path / "own")
    library = LessonLibrary((find_lessons(), tmp_path / "link"))
    assert (library.teacher_pages()[2].title, len(library.teacher_pages())) == ("2 Mine", 13)


def test_a_folder_only_in_german_is_valid(tmp_path: Path) -> None:
    write(tmp_path, "de/12-a.md", PART)
    write(tmp_path, "de/teacher/12-a.md", PAGE.replace("1.1", "12.1") + "\n{run.rows|count} words.\n")
    assert list_problems(tmp_path) == []
    assert LessonLibrary((tmp_path,)).teacher_pages()[12].language == "de"


def test_unreadable_pages_do_not_affect_the_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "01-a.md", PART)
    write(tmp_path, "teacher/01-a.md", PAGE)
    scandir = os.scandir

    def closed(path: Path) -> object:
        if Path(path).name == "teacher":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    library = LessonLibrary((tmp_path,))
    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", closed)
        assert (list(library.parts()), library.teacher_pages()) == ([1], {})
        assert [str(one) for one in read_folder(tmp_path).problems] == [
            "teacher/:1: the folder cannot be read: Permission denied"
        ]
    assert list(library.teacher_pages()) == [1]


def test_a_list_of_actions_is_not_a_worksheet() -> None:
    page = parse(PAGE + "\n## Before\n\n1. Start the server.\n2. [?at=0] Look.\n")
    assert [section.worksheet for section in page.sections] == [False, True, False]


def test_an_aim_is_one_line_and_the_check_reports_a_missing_one(tmp_path: Path) -> None:
    assert parse_part("01-a.md", 1, PART).aim == "Say it."
    with pytest.raises(LessonError, match=f"aim: it has at most {MAX_AIM} characters"):
        parse_part("01-a.md", 1, PART.replace("Say it.", "a" * (MAX_AIM + 1)))
    without = PART.replace("aim: Say it.\n", "")
    # A part without an aim is still shown.
    assert parse_part("01-a.md", 1, without).aim is None
    write(tmp_path, "01-a.md", without)
    assert list_problems(tmp_path) == []
    checked = CliRunner().invoke(cli, ["lessons", "check", str(tmp_path)])
    assert (checked.exit_code, "part 1 in 'en': it has no aim" in checked.output) == (1, True)
    assert list_missing_aims(find_lessons()) == []


def test_each_part_but_the_list_of_claims_has_a_page_with_a_worksheet() -> None:
    pages = read_folder(find_lessons()).pages
    assert list(pages) == [*range(11), 12, 13]
    for page in list(pages.values())[1:]:
        (sheet,) = (section for section in page.sections if section.worksheet)
        (entries,) = (block for block in sheet.blocks if block.kind == "numbered")
        # Each item begins with the address of its subject.
        for (entry,) in entries.rows:
            assert (entry[0].text, entry[0].view is not None) == ("", True), page.number
        (run,) = (section for section in page.sections if section.title == "In this run")
        typed = [span.text for block in run.blocks for ((*spans,),) in block.rows for span in spans]
        # Measured numbers are never typed.
        assert [text for text in typed if re.search(r"\d\.\d|\d\s?%", text)] == []
