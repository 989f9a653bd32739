"""Texts of files: one's own, novels, the documents of Python, and their survey."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lamplighter.contract.recipe import CorpusRecipe, ModelRecipe, Recipe
from lamplighter.corpora import python_docs, textfile
from lamplighter.corpora.build import build_corpus
from lamplighter.corpora.corpus import CorpusError
from lamplighter.corpora.novels import TITLES, read_novels
from lamplighter.corpora.python_docs import extract_prose, read_python_docs
from lamplighter.corpora.text_survey import (
    FEW_WORDS,
    SURVEYED_CHARACTERS,
    count_enough_tokens,
    survey_text,
)
from lamplighter.corpora.textfile import CLEAR_WORDS, decode_text, read_text, split_paragraphs
from lamplighter.model.batches import require_enough_text


def test_reads_utf_8(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes("\ufeffGrüße, 世界 🎉\r\nzwei\rdrei\n".encode())
    assert read_text(file) == "Grüße, 世界 🎉\nzwei\ndrei\n"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b" \n\t \n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"abc\0def", "isn't plain text (byte 3 is 0x00)"),
        (b"\x89PNG\r\n\x1a\n\0\0", "isn't plain text (byte 8 is 0x00)"),
        (b"abc \xff def", "byte 4 is 0xff"),
        (b"\xef\xbb\xbfabc \xe9t\xe9", "byte 7 is 0xe9"),
        (b"caf\xc3", "byte 3 is 0xc3"),
        ("hello".encode("utf-16"), "UTF-16"),
    ],
)
def test_errors_are_one_line(data: bytes, said: str) -> None:
    with pytest.raises(CorpusError) as caught:
        decode_text(data, "letter.txt")
    message = str(caught.value)
    assert said in message
    assert message.startswith("letter.txt ")
    assert "\n" not in message


def test_counts_the_reported_byte_from_the_start() -> None:
    with pytest.raises(CorpusError, match="byte 1000 "):
        decode_text(b"x" * 1_000 + b"\xfe", "t")


def test_rejects_a_text_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(textfile, "MAX_BYTES", 2**20)
    file = tmp_path / "large.txt"
    file.write_bytes(b"a" * (2**20 + 1))
    with pytest.raises(CorpusError, match="too large: at most 1 MB"):
        read_text(file)
    file.write_bytes(b"a" * 2**20)
    assert len(read_text(file)) == 2**20


def test_rejects_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no such file"):
        read_text(tmp_path / "nothing.txt")
    with pytest.raises(CorpusError, match="is a folder"):
        read_text(tmp_path)
    with pytest.raises(CorpusError, match="cannot be read"):
        read_text(tmp_path / ("x" * 5_000))
    with pytest.raises(CorpusError):
        read_text(tmp_path / "nul\0name")


def test_blank_lines_separate_paragraphs() -> None:
    assert split_paragraphs("one\ntwo\n\n  \n three  four \n\t\n\nfive") == ["one two", "three four", "five"]


def test_the_novels_are_complete() -> None:
    text = read_novels()
    assert 1_300_000 < len(text) < 1_400_000
    second = text.index(TITLES[1].upper())
    assert text.startswith(TITLES[0].upper())
    # The first and the last sentence of each.
    first = text[:second].split("\n\n")
    assert first[3].startswith("It is a truth universally acknowledged")
    assert text[:second].rstrip().endswith("had been the means of uniting them.")
    assert "The family of Dashwood had long been settled in Sussex." in text[second : second + 300]
    assert text.endswith("coolness between their husbands.\n")
    # Marks of emphasis would become tokens, and the text must not contain a trademarked name.
    assert not set("_*[]") & set(text)
    assert "gutenberg" not in text.lower()


def test_nothing_is_planted_in_the_novels() -> None:
    corpus = build_corpus(CorpusRecipe(kind="novels"), 0)
    vocabulary = corpus.vocabulary
    assert len(vocabulary) == 4_000
    assert {"elizabeth", "elinor", "mother", "sister"} < set(vocabulary.tokens)
    assert (vocabulary.classes, vocabulary.relations, vocabulary.families) == ({}, (), {})
    # Part of it is held out.
    assert corpus.held_out is not None
    assert 10_000 < len(corpus.held_out) < len(corpus.token_ids) / 5


DOCSTRING = """
    Return the mean of the values along the given axis.

    The :func:`~numpy.mean` is computed with ``float64`` sums [1]_, see `the guide <https://x.org/a>`_
    for what *that* means in practice.

    Parameters
    ----------
    values : array_like, optional
        The numbers whose mean is wanted by the caller.
    axis : int

    See Also
    --------
    median : The one in the middle of all the values there are.

    Examples
    --------
    >>> mean([1, 2, 3])
    2.0

    .. math::

        \\\\sum_i x_i

    Values can be given as follows::

        code = that(should, go)

    - The first point is a whole sentence of its own.

    ===== ======
    A     B
    ===== ======
"""


def test_extracts_prose_from_a_docstring() -> None:
    assert extract_prose(DOCSTRING) == [
        "Return the mean of the values along the given axis.",
        "The numpy.mean is computed with float64 sums, see the guide for what that means in practice.",
        "The numbers whose mean is wanted by the caller.",
        "Values can be given as follows:",
        "The first point is a whole sentence of its own.",
    ]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder = tmp_path / "site" / "tinypackage"
    (folder / "tests").mkdir(parents=True)
    (folder / "__init__.py").write_text(
        '"""This package says something about lamps and light."""\n'
        'raise SystemExit("imported")\n'
        "def f():\n"
        '    """Lamps are lit in the evening by a person with a pole."""\n'
        'add_docstr(f, """\nStreets are dark until somebody lights the lamps.\n""")\n',
        encoding="utf-8",
    )
    (folder / "twice.py").write_text('"""This package says something about lamps and light."""\n')
    (folder / "escapes.py").write_text('"""An invalid \\d escape is not worth a warning here."""\n')
    (folder / "broken.py").write_text('def f(:\n    """This one cannot be parsed by any version."""\n')
    (folder / "latin.py").write_bytes('"""Not UTF-8: \xe9 and a few more words here."""\n'.encode("latin-1"))
    (folder / "tests" / "test_it.py").write_text('"""Nobody needs to read the tests in here."""\n')
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return "tinypackage"


def test_reads_a_package_without_importing_it(package: str, tmp_path: Path) -> None:
    text = read_python_docs(packages=[package], cache=tmp_path / "cache")
    assert text.split("\n\n") == [
        "This package says something about lamps and light.",
        "Lamps are lit in the evening by a person with a pole.",
        "Streets are dark until somebody lights the lamps.",
        "An invalid \\d escape is not worth a warning here.",
    ]
    assert package not in sys.modules


def test_the_second_call_uses_the_cache(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    first = read_python_docs(packages=[package], cache=cache)
    assert [file.suffix for file in cache.iterdir()] == [".txt"]

    def parsed_again(*_: object) -> str:
        raise AssertionError("parsed again")

    monkeypatch.setattr(python_docs, "_collect", parsed_again)
    told: list[float] = []
    assert read_python_docs(lambda share, _: told.append(share), [package], cache) == first
    assert told == [1.0]


def test_works_without_a_writable_cache(package: str, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert "lamps" in read_python_docs(packages=[package], cache=blocked / "cache")


def test_skips_missing_packages(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no manuals are found"):
        read_python_docs(packages=["no_such_package_here"], cache=tmp_path)


def test_the_standard_library_is_english(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = python_docs._files  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(python_docs, "_files", lambda package, root: whole(package, root)[:120])
    told: list[float] = []
    text = read_python_docs(lambda share, _: told.append(share), ["python"], tmp_path)
    assert len(text.split()) > 5_000
    assert ">>>" not in text
    assert told == sorted(told)
    assert " the " in text


def prose(words: int) -> str:
    """Return a text of that many words, a few of which occur often."""
    said = [f"word{n * n % 977}" if n % 3 else f"common{n % 50}" for n in range(words)]
    return "\n\n".join(" ".join(said[at : at + 90]) for at in range(0, words, 90))


@pytest.mark.parametrize("words", [1_200, 30_000])
def test_statistics_match_the_trainer(words: int) -> None:
    text = "“Don't!” said É.\n\n" + prose(words)
    survey = survey_text(text)
    recipe = CorpusRecipe(kind="text", vocabulary_size=200_000)
    corpus = build_corpus(recipe, 0, text)
    held_out = 0 if corpus.held_out is None else len(corpus.held_out)
    assert survey.tokens == len(corpus.token_ids) + held_out
    # “ ” ! . are tokens, and no words.
    assert survey.words == survey.tokens - 4 == words + 3
    assert survey.different == len(corpus.vocabulary) - 1 - 4
    assert survey.often == int((corpus.vocabulary.counts[1:] >= 5).sum())
    assert survey.exact
    proposed = build_corpus(recipe.model_copy(update={"vocabulary_size": survey.vocabulary}), 0, text)
    assert len(proposed.vocabulary) == survey.vocabulary


def test_expectation_depends_on_the_length() -> None:
    expected = [
        (0, "too_short"),
        (999, "too_short"),
        (1_000, "by_heart"),
        (FEW_WORDS - 1, "by_heart"),
        (FEW_WORDS, "some"),
    ]
    assert [(words, survey_text(prose(words)).expectation) for words, _ in expected] == expected
    assert survey_text(prose(CLEAR_WORDS)).expectation == "clear"
    steps = [survey_text(prose(words)).steps for words in (0, 1_000, 64_000, 192_000, 1_000_000)]
    assert steps == [500, 500, 1_000, 3_000, Recipe().steps]


def test_extrapolates_a_long_text() -> None:
    once = prose(SURVEYED_CHARACTERS // 9)
    survey = survey_text(once * 4)
    assert not survey.exact
    assert survey.words == pytest.approx(4 * survey_text(once).words, rel=0.02)


@pytest.mark.parametrize(
    "text", ["", " ", "\n\n\n", "a", "\ufeff", "x" * 300_000, "\u202e" * 5_000, "🏮" * 2_000]
)
def test_surveys_any_text(text: str) -> None:
    survey = survey_text(text)
    assert survey.vocabulary >= 3
    assert (survey.expectation == "too_short") == (survey.tokens < 1_000)


def test_detects_a_text_that_is_too_short() -> None:
    recipe = CorpusRecipe(kind="text")
    with pytest.raises(CorpusError, match=r"^This text has 999 words\. 1,000 are needed"):
        count_enough_tokens(recipe, prose(999), 1)
    with pytest.raises(CorpusError, match=r"^This text has 1 word\."):
        count_enough_tokens(recipe, " " * 200_000 + "one" + "\n" * 200_000, 1)
    assert count_enough_tokens(recipe, prose(1_000), 1) == 1_000
    assert count_enough_tokens(recipe, prose(200_000), 5_000) == 5_000, "the rest is not read"


def test_rejects_a_text_shorter_than_a_batch() -> None:
    recipe = Recipe(corpus=CorpusRecipe(kind="text"), model=ModelRecipe(context=600), sequences=8, passages=2)
    require_enough_text(recipe, prose(2_500))
    with pytest.raises(CorpusError, match=r"has 2,300 tokens and a batch reads passages of 2,401"):
        require_enough_text(recipe, prose(2_300))
