from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lamplighter.corpora import python_docs
from lamplighter.corpora.corpus import CorpusError
from lamplighter.corpora.python_docs import extract_prose, read_python_docs

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
