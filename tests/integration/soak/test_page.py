"""The page's soak counts the gaps that it exists to find."""

from __future__ import annotations

from typing import Any

from tests.soak.page import count_steps


def received(stretches: list[tuple[int, int]], gaps: list[tuple[int, int, bool]]) -> dict[str, Any]:
    return {
        "stretches": [{"first": first, "last": last} for first, last in stretches],
        "gaps": [{"first": first, "last": last, "fetched": fetched} for first, last, fetched in gaps],
    }


def test_steps_are_told_or_read() -> None:
    heard = count_steps(received([(5, 9), (13, 20)], [(1, 4, True), (10, 12, True)]), 20)
    assert (heard.by_beat, heard.from_record, heard.unaccounted) == (13, 7, [])


def test_what_neither_told_is_found() -> None:
    heard = count_steps(received([(5, 9), (14, 18)], [(1, 4, True), (10, 12, False)]), 20)
    assert heard.unaccounted == [10, 11, 12, 13, 19, 20]
