"""The answers of a class, read from a file that anyone may have changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from lamplighter.cli.asking.class_report import class_report_command
from lamplighter.lessons.class_answers import COLUMNS, MAX_BYTES, ClassAnswersError, read_class_answers

HEAD = ",".join(COLUMNS)
GUESSES = "How many?,4,%,20,400,2,3,,,,\nHow many?,8,%,20,400,2,3,,,,\nHow many?,30,%,20,400,2,3,,,,\n"
CHOICES = "Falls?,Lower,,Lower,12,,,2,,,\nFalls?,Lower,,Lower,12,,,2,,,\nFalls?,Higher,,Lower,12,,,2,,,\n"
WRITTEN = "A.,,,,,,,,before,a bug,0\nA.,,,,,,,,before,,0\nA.,,,,,,,,after,'=x,2\nA.,,,,,,,,after,b,2\nA.,,,,,,,,after,c,\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "answers.csv"


def test_guesses_stand_beside_what_was_measured(file: Path) -> None:
    file.write_text(f"{HEAD}\n{GUESSES}{CHOICES}")
    numbers, choices = (one.figures() for one in read_class_answers(file).predicted)
    assert (numbers["answered"], numbers["measured"], numbers["quartiles"]) == (3, 20.0, [6.0, 8.0, 19.0])
    assert (numbers["lower"], numbers["higher"]) == (2, 1)
    assert (choices["guesses"], choices["right"]) == ({"Lower": 2, "Higher": 1}, 2)
    # Two or three of three heads.
    assert choices["by_luck"] == pytest.approx(0.5)


def test_levels_before_stand_beside_those_after(file: Path) -> None:
    file.write_text(f"{HEAD}\n{WRITTEN}")
    found = read_class_answers(file).written[0].figures()
    assert found["before"] == {"answered": 2, "marked": 2, "levels": [2, 0, 0], "mean": 0.0}
    assert found["after"] == {"answered": 3, "marked": 2, "levels": [0, 0, 2], "mean": 2.0}
    # Of the six ways to split two and two, two are as far apart.
    assert (found["difference"], found["by_chance"]) == (2.0, pytest.approx(1 / 3, abs=0.02))


def test_a_spreadsheet_may_have_saved_it(file: Path) -> None:
    rows = f"{HEAD}\n{GUESSES}".replace(",", ";").replace(";8;", ";8,5;")
    file.write_bytes(b"\xef\xbb\xbf" + rows.replace("\n", "\r\n").encode())
    assert read_class_answers(file).predicted[0].guesses == [4.0, 8.5, 30.0]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "lacks the column 'question'"),
        (b"a,b\n1,2\n", "lacks the column"),
        (HEAD.encode(), "no answers"),
        (b"\xff\xfe", "not UTF-8"),
        (b"x" * (MAX_BYTES + 1), "more than 16 MiB"),
        (f"{HEAD}\n{GUESSES}Q,inf,,,,,,,,,\n".encode(), "line 5: prediction is 'inf', not a number"),
        (f"{HEAD}\nQ,,,,,,,,before,a,3\n".encode(), "line 2: level is '3', not 0, 1 or 2"),
        (f"{HEAD}\nQ,,,,,,,,soon,a,\n".encode(), "not before or after"),
        (f"{HEAD}\nQ,1,,,,,,1e9,,,\n".encode(), "line 2: choices"),
        (f"{HEAD}\n{'q' * 5_000},1,,,,,,,,,\n".encode(), "line 2"),
        (f"{HEAD}\n{'q' * 200_000},1,,,,,,,,,\n".encode(), "line"),
        (HEAD.encode() + b"\n" + b"".join(b"%d,1,,,,,,,,,\n" % k for k in range(1_001)), "1,000 questions"),
    ],
)
def test_another_file_is_refused_with_its_reason(file: Path, content: bytes, problem: str) -> None:
    file.write_bytes(content)
    with pytest.raises(ClassAnswersError, match=problem):
        read_class_answers(file)


def test_the_report_says_how_little_few_answers_say(file: Path) -> None:
    file.write_text(f"{HEAD}\n{GUESSES}{CHOICES}{WRITTEN}Later?\x1b[2J,1,,,,,,,,,\n")
    told = CliRunner().invoke(class_report_command, [str(file)])
    assert told.exit_code == 0, told.output
    assert "3 are few" in told.output
    assert "not measured when the file was saved" in told.output
    assert "one class, and no sample" in told.output
    assert "\x1b" not in told.output
    found = json.loads(CliRunner().invoke(class_report_command, ["--json", str(file)]).output)
    assert [len(found[name]) for name in ("predicted", "written", "caveats")] == [3, 1, 2]
    file.write_text("no,answers\n")
    refused = CliRunner().invoke(class_report_command, [str(file)])
    assert refused.exit_code == 1
    assert "answers.csv: its first line lacks" in refused.output
