"""Runs that arrive in fragments, and whether they equal their source."""

from __future__ import annotations

from pathlib import Path

import apsw

from lamplighter.runfolder.fragments.fragment import decode_fragment, make_opening
from lamplighter.runfolder.fragments.fragment_source import FragmentSource
from lamplighter.runfolder.fragments.received_run import ReceivedRun, create_received_run
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder

ALIKE = (
    "SELECT attempt, first_step, opened FROM attempts ORDER BY 1",
    "SELECT id, digest, record FROM pulses ORDER BY 1",
    "SELECT id, loss FROM held_out ORDER BY 1",
    "SELECT id, said FROM lines ORDER BY 1",
    "SELECT id, numbers FROM scalars ORDER BY 1",
    "SELECT id, spent FROM energy ORDER BY 1",
    "SELECT time, attempt, step, kind, message FROM events WHERE kind <> 'gap' ORDER BY id",
    "SELECT value FROM facts WHERE name IN ('phase', 'message', 'steps', 'layers') ORDER BY name",
)


def open_received(run: RunFolder, folder: Path) -> ReceivedRun:
    """Begin to receive a run into a folder."""
    return ReceivedRun(create_received_run(folder / run.id, decode_fragment(make_opening(run).data), "here"))


def deliver(source: FragmentSource, received: ReceivedRun) -> int:
    """Deliver all fragments, each twice. Return how many there were."""
    count = 0
    while (fragment := source.make_next()) is not None:
        assert received.take_over(decode_fragment(fragment.data))
        assert not received.take_over(fragment)
        source.advance()
        count += 1
    return count


def require_equal_records(one: RunFolder, other: RunFolder) -> None:
    """Require that two runs have the same record: every row, and every matrix bit for bit."""
    connections = [
        apsw.Connection(str(run.steps_path), flags=apsw.SQLITE_OPEN_READONLY) for run in (one, other)
    ]
    try:
        for query in ALIKE:
            left, right = (list(connection.execute(query)) for connection in connections)
            assert left == right, query
    finally:
        for connection in connections:
            connection.close()
    with MatrixHistory(one) as mine, MatrixHistory(other) as theirs:
        assert mine.exact_steps().tolist() == theirs.exact_steps().tolist()
        for step in mine.exact_steps().tolist():
            assert mine.snapshot(step).vectors.tobytes() == theirs.snapshot(step).vectors.tobytes(), step
