"""The course in several languages: the choice of the text, and translations that show and measure
the same.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from lamplighter.lessons.check import find_difference, list_problems
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


def test_the_german_parts_show_and_measure_what_the_english_do() -> None:
    english, german = (read_folder(find_lessons(), language).parts for language in ("en", "de"))
    assert list_languages(find_lessons()) == ["en", "de"]
    assert {1, 3, 10} <= set(german) <= set(english)
    for number, part in german.items():
        assert find_difference(english[number], part) is None
        assert (part.minutes, part.title != english[number].title) == (english[number].minutes, True)


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
