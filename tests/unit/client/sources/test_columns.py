"""Columns of tables about tokens, as colours of the map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

import lamplighter
from lamplighter.client.sources.columns import colour_by_column
from lamplighter.client.sources.vocabulary_files import make_vocabulary

VOCABULARY = make_vocabulary(["dog", " cat", "of", "dog", ","], classes={"old": [0]})


def test_kinds_become_classes(tmp_path: Path) -> None:
    for name, content in (
        ("a.csv", 'word,kind,n\ndog,animal,1\ncat,animal,2\n",",mark,3\nof,,4\nwhale,animal,5\n'),
        ("a.tsv", "n\tToken\tkind\n1\tdog\tanimal\n2\tcat\tanimal\n3\t,\tmark\n4\tof\t\n5\twhale\tanimal\n"),
        ("a.csv", "id,kind\n0,animal\n1,animal\n4,mark\n2,\n99,animal\n"),
    ):
        (tmp_path / name).write_text(content)
        found = colour_by_column(VOCABULARY, tmp_path / name, "kind")
        assert found.vocabulary.classes == {"animal": (0, 1), "mark": (4,)}
        assert found.vocabulary.tokens == VOCABULARY.tokens
        assert f"'kind' of {name}: 4 of 5 tokens; 1 rows name no token" in found.description


def test_parquet_and_its_missing_values(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    table = pyarrow.table({"id": [0, 1, 2, 3], "cluster": [10, 9, None, 9]})
    pyarrow.parquet.write_table(table, path)
    assert colour_by_column(VOCABULARY, path).vocabulary.classes == {"9": (1, 3), "10": (0,)}
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(lamplighter.InputError, match="not a parquet file"):
        colour_by_column(VOCABULARY, path)


def test_a_quantity_becomes_bands_of_equal_size(tmp_path: Path) -> None:
    tokens = [f"w{at}" for at in range(60)]
    path = tmp_path / "t.csv"
    values = np.arange(60) ** 2 / 4
    path.write_text("token,rank\n" + "".join(f"{t},{v}\n" for t, v in zip(tokens, values, strict=True)))
    classes = colour_by_column(make_vocabulary(tokens), path).vocabulary.classes
    assert [len(members) for members in classes.values()] == [10] * 6
    assert next(iter(classes)) == "0 to 20.25"
    assert classes["0 to 20.25"] == tuple(range(10))
    assert sorted(at for members in classes.values() for at in members) == list(range(60))


@pytest.mark.parametrize(
    ("content", "column", "what"),
    [
        ("", None, "the first line must name"),
        ("a,a\n1,2\n", None, "each once"),
        ("token\ndog\n", None, "no column 'None' beside 'token'; there are none"),
        ("token,kind\ndog,x\n", "pos", "no column 'pos' beside 'token'; there are kind"),
        ("token,kind\ndog\n", None, "row 1 has 1 cells, the header 2"),
        ("token,kind\nwhale,x\n", None, "names none of the tokens"),
        ("token,kind\ndog," + "x" * 200_000, None, "not a table of cells"),
        ("id,kind\n-1,x\n1e9,y\n" + "9" * 30 + ",z\n", None, "names none of the tokens"),
    ],
)
def test_a_table_that_does_not_fit(content: str, column: str | None, what: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(content)
    with pytest.raises(lamplighter.InputError, match=what):
        colour_by_column(VOCABULARY, path, column)


def test_a_run_has_the_colours(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("token,kind\na,x\nc,y\n")
    run = lamplighter.still(
        tmp_path / "run", np.eye(3), list("abc"), columns=tmp_path / "t.csv", colour="kind"
    )
    assert run.vocabulary.classes == {"x": (0,), "y": (2,)}
    assert "coloured by 'kind' of t.csv: 2 of 3 tokens" in run.status.message
