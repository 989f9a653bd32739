"""Shared timelines: each entry is stored once, and played once, with its step or as soon as it exists."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from lamplighter.runfolder.reading.playback.playback import Playback
from lamplighter.runfolder.reading.playback.playback_parts import PlaybackKind
from lamplighter.runfolder.reading.shared_timeline import PlayedTo, SharedTimelines, TimelineReader
from lamplighter.runfolder.tables.steps import StepsWriter
from tests.support.folders import finished_run


@dataclass(frozen=True)
class Note:
    id: int
    attempt: int
    step: int


@pytest.mark.parametrize("seed", range(40))
def test_plays_each_entry_once_as_soon_as_possible(seed: int, tmp_path: Path) -> None:
    random = np.random.default_rng(seed)
    file = tmp_path / "list"
    file.touch()
    written: list[Note] = []
    reader = TimelineReader[Note]()
    read_from: list[int] = []

    def read(after: int) -> Iterator[Note]:
        read_from.append(after)
        return iter([note for note in written if note.id > after])

    position, played, seen = PlayedTo(), list[Note](), 0
    for step in range(12):
        written += [
            Note(len(written) + n + 1, 1, int(random.integers(0, 14))) for n in range(random.integers(0, 4))
        ]
        timeline = reader.read_new_entries(file, read)
        assert reader.read_new_entries(file, read) is timeline
        due = timeline.due(position, step)
        assert {note.id for note in due} == {n.id for n in written if n.step <= step} - {n.id for n in played}
        assert [n.step for n in due if n.id <= seen] == sorted(n.step for n in due if n.id <= seen)
        played += due
        position, seen = PlayedTo(step, timeline.newest_id), len(written)
    # Nothing is read twice.
    assert read_from == sorted(read_from)


def test_a_replaced_file_restarts_the_timeline(tmp_path: Path) -> None:
    file, other = tmp_path / "list", tmp_path / "other"
    file.touch()
    other.touch()
    reader = TimelineReader[Note]()
    assert reader.read_new_entries(file, lambda _: iter([Note(9, 1, 3)])).newest_id == 9
    other.replace(file)
    assert reader.read_new_entries(
        file, lambda after: iter([Note(2, 1, 5)] if after < 2 else [])
    ).entries == (Note(2, 1, 5),)


def test_truncates_a_huge_timeline(tmp_path: Path) -> None:
    file = tmp_path / "list"
    file.touch()
    reader = TimelineReader[Note](5)
    endless = (Note(n, 1, n) for n in range(1, 1_000_000))
    assert [note.id for note in reader.read_new_entries(file, lambda _: endless).entries] == [1, 2, 3, 4, 5]


def test_six_players_share_one_copy_of_the_events(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    with StepsWriter(run.steps_path) as writer:
        for number in range(300):
            writer.add_event(35, "note", f"{number}" + "x" * 9_990)
    shared = SharedTimelines()
    players = [
        Playback(run, 0, kinds=[PlaybackKind.PULSE, PlaybackKind.EVENT], shared=shared) for _ in range(6)
    ]
    tracemalloc.start()
    for player in players:
        player.read_next(1)
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert 300 * 9_990 < kept < 2 * 300 * 9_990
    last = [
        [item.event.id for item in iter_items(player) if item.event is not None and item.event.kind == "note"]
        for player in players
    ]
    assert last == [list(range(2, 302))] * 6


def iter_items(player: Playback) -> list:
    items = []
    while player.cursor.step < 35:
        items += player.read_next()
    return items
