"""QR codes: the terminal shows the code with its quiet zone."""

from __future__ import annotations

import pytest

from lamplighter.platform.qr_code import qr_for_terminal, qr_rows

LINK = "http://192.168.178.23:8601/#3fZk0QbVt2xJ8mPd"
FINDER = ["1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111"]


def test_a_code_is_square_with_three_finders_in_a_quiet_zone():
    rows = qr_rows(LINK)
    size = len(rows)
    assert {len(row) for row in rows} == {size}
    assert set("".join(rows)) == {"0", "1"}
    inside = [row[4:-4] for row in rows[4:-4]]
    assert "1" not in "".join(rows[:4] + rows[-4:] + [row[:4] + row[-4:] for row in rows])
    assert [row[:7] for row in inside[:7]] == FINDER
    assert [row[-7:] for row in inside[:7]] == FINDER
    assert [row[:7] for row in inside[-7:]] == FINDER


def test_the_terminal_shows_every_module():
    rows = qr_rows(LINK)
    drawn: list[str] = []
    for line in qr_for_terminal(LINK).split("\n"):
        drawn.append("".join("0" if sign in "█▀" else "1" for sign in line))
        drawn.append("".join("0" if sign in "█▄" else "1" for sign in line))
    assert drawn[: len(rows)] == rows
    assert set("".join(drawn[len(rows) :])) <= {"0"}


def test_rejects_a_text_that_is_too_long():
    with pytest.raises(ValueError):
        qr_rows("x" * 5_000)
