"""The course in several languages: the choice of the text, and translations that show and measure
the same.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from lamplighter.lessons.check import find_difference, find_page_difference, list_problems
from lamplighter.lessons.library import LessonLibrary, find_lessons, list_languages, read_folder
from lamplighter.lessons.part_parser import parse_part

TEXT = (
    "title: A part\nminutes: 5\nwords: dog\n\n"
    "# prediction: How many?\npredict: How many?\nnumber: purity_10nn@0|percent\nchoice: 0 = none\nchoice: 50 = half\n\n"
    "Guess. [Look](?at=0)\n\n"
    "# look: There\nview: ?at=7\nexamine: kind=what_if&sentence=the dog&steps=2\n\n{run.rows|count} words\n"
)


def write(folder: Path, name: str, title: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(TEXT.replace("A part", title))


def titles(library: LessonLibrary, language: str) -> dict[int, tuple[str, str]]:
    return {number: (part.title, part.language) for number, part in library.parts(language).items()}


def test_the_course_is_whole_in_german_and_shows_and_measures_what_the_english_one_does() -> None:
    english, german = (read_folder(find_lessons(), language) for language in ("en", "de"))
    assert list_languages(find_lessons()) == ["en", "de"]
    assert (list(german.parts), list(german.pages)) == (list(english.parts), list(english.pages))
    for number, part in english.parts.items():
        translated = german.parts[number]
        assert find_difference(part, translated) is None
        assert (translated.minutes, translated.title != part.title) == (part.minutes, True)
    for number, page in english.pages.items():
        assert find_page_difference(page, german.pages[number]) is None


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ("words: dog", "words: cat", "its words are cat; those of the other text are dog"),
        ("view: ?at=7", "view: ?at=8", "stage 2"),
        ("# look: There", "# number: There", "stage 2"),
        ("steps=2", "steps=3", "stage 2"),
        ("{run.rows|count}", "{run.rows|decimal}", "stage 2"),
        ("{run.rows|count}", "some", "stage 2"),
        ("(?at=0)", "(?at=1)", "stage 1"),
        ("50 = half", "60 = half", "stage 1"),
        ("purity_10nn@0|percent", "purity_10nn@1|percent", "stage 1"),
        ("Guess.", "Guess.\n\n# look: More\n\nMore.", "3 stages; the other text has 2"),
    ],
)
def test_a_difference_is_found(one: str, other: str, said: str) -> None:
    original = parse_part("01-a.md", 1, TEXT)
    assert find_difference(original, parse_part("01-a.md", 1, TEXT.replace("A part", "Ein Teil"))) is None
    assert said in str(find_difference(original, parse_part("01-a.md", 1, TEXT.replace(one, other))))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("[?lesson=1.2] Guess", "Guess"),
        ("[?lesson=1.2]", "[?lesson=1.1]"),
        ("{run.rows|count}", "{run.rows|decimal}"),
        ("1. [", "- ["),
        ("2. Why?", "Why?"),
        ("\n## Sheet", "\nMore.\n\n## Sheet"),
        ("\n## Sheet\n", ""),
    ],
)
def test_a_difference_of_a_teachers_page_is_found(tmp_path: Path, one: str, other: str) -> None:
    page = "# 1 A part\n\nIt has {run.rows|count}.\n\n## Sheet\n\n1. [?lesson=1.2] Guess\n2. Why?\n"
    write(tmp_path, "01-a.md", "One")
    write(tmp_path, "de/01-a.md", "Eins")
    for folder, text in (("teacher", page), ("de/teacher", page.replace("It has", "Das sind"))):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "01-a.md").write_text(text)
    assert list_problems(tmp_path) == []
    (tmp_path / "de/teacher/01-a.md").write_text(page.replace(one, other))
    (problem,) = list_problems(tmp_path)
    assert problem.startswith("teacher's page 1 in 'de': section ")
    assert "than that of the other text" in problem


def test_a_part_falls_back_to_english(tmp_path: Path) -> None:
    own, overlay = tmp_path / "own", tmp_path / "overlay"
    write(own, "en/01-a.md", "One")
    write(own, "de/01-a.md", "Eins")
    write(own, "en/02-b.md", "Two")
    library = LessonLibrary((own, overlay))
    assert titles(library, "de") == {1: ("Eins", "de"), 2: ("Two", "en")}
    assert titles(library, "en") == titles(library, "xx") == {1: ("One", "en"), 2: ("Two", "en")}
    # An added translation is used; a replaced part drops the original's translation.
    write(overlay, "de/02-b.md", "Zwei")
    assert titles(library, "de") == {1: ("Eins", "de"), 2: ("Zwei", "de")}
    assert titles(library, "en")[2] == ("Two", "en")
    write(overlay, "01-a.md", "Another")
    assert titles(library, "de")[1] == ("Another", "en")
    write(overlay, "de/01-a.md", "Ein anderer")
    write(overlay, "fr/09-i.md", "Neuf")
    assert titles(library, "de")[1] == ("Ein anderer", "de")
    assert titles(library, "en")[9] == ("Neuf", "fr")


def test_language_folders_are_untrusted(tmp_path: Path) -> None:
    write(tmp_path, "01-a.md", "One")
    write(tmp_path / "elsewhere", "01-a.md", "Secret")
    (tmp_path / "de").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "fr").write_text("no folder")
    assert list_languages(tmp_path) == ["en"]
    assert titles(LessonLibrary((tmp_path,)), "de") == {1: ("One", "en")}
    write(tmp_path, "it/01-a.md", "Uno")
    (tmp_path / "it/02-b.md").write_text(TEXT.replace("{run.rows|count}", "<b>"))
    (tmp_path / "it/01-a.md").write_text(TEXT.replace("?at=7", "?at=8"))
    broken, different = list_problems(tmp_path)
    assert broken.startswith("it/02-b.md:17: ")
    assert different.startswith("part 1 in 'it': stage 2 has another")
