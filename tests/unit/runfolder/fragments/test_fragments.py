"""A run that travels in fragments arrives as it was recorded, once; whatever else arrives is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from lamplighter.analysis.analyst import TileBuilder
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.fragments import fragment_source, received_run
from lamplighter.runfolder.fragments.fragment import (
    Fragment,
    Position,
    decode_fragment,
    keep_identity,
    make_fragment,
    make_opening,
)
from lamplighter.runfolder.fragments.fragment_source import FragmentSource
from lamplighter.runfolder.fragments.received_run import (
    GapError,
    OtherContentError,
    create_received_run,
    read_arrival,
)
from lamplighter.runfolder.importing import checked_steps
from lamplighter.runfolder.importing.imported_run import is_imported
from lamplighter.runfolder.role_lock import RoleState, role_state
from lamplighter.runfolder.tables import steps
from lamplighter.runfolder.tables.scalars import encode_scalars
from lamplighter.runfolder.writing.finalise import compact_run
from tests.support.synthetic_runs.growing_run import GrowingRun
from tests.support.synthetic_runs.received import deliver, open_received, require_equal_records


@pytest.fixture(autouse=True)
def small_fragments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragment_source, "MAX_BODY", 20_000)


def test_a_finished_run_arrives_as_it_was_recorded(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path / "there")
    run.held_out_loss = lambda step: 5 - step / 100
    run.grow(60)
    run.writer.add_event(60, "finished", "done", {"phase": "finished", "message": "done"})
    run.end()
    with_received = open_received(run.folder, tmp_path / "here")
    assert deliver(FragmentSource(run.folder), with_received) > 5
    assert with_received.has_ended
    assert role_state(with_received.run.path, "trainer") is RoleState.HELD
    with_received.close()
    require_equal_records(run.folder, with_received.run)
    assert with_received.run.recipe.corpus.kind == "recorded"
    assert with_received.run.vocabulary.tokens == run.folder.vocabulary.tokens
    assert is_imported(with_received.run)
    arrival, kept = read_arrival(with_received.run.path), keep_identity(run.folder)
    assert arrival
    assert kept
    assert (arrival.origin, arrival.identity) == ("here", kept.identity)
    assert kept.key not in str(arrival)
    assert role_state(with_received.run.path, "trainer") is RoleState.FREE


def test_rows_that_are_only_in_tiles_arrive_bit_for_bit(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path / "there", size=40, dim=4, keyframe_every=50)
    run.grow(260, rows=8)
    run.end()
    builder = TileBuilder(run.folder, 1.0)
    assert builder.build_rest(lambda: False)
    builder.close(sealed=True)
    assert compact_run(run.folder)
    received = open_received(run.folder, tmp_path / "here")
    deliver(FragmentSource(run.folder), received)
    received.close()
    require_equal_records(run.folder, received.run)


def test_a_growing_run_with_attempts_and_late_values(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path / "there")
    received = open_received(run.folder, tmp_path / "here")
    source = FragmentSource(run.folder)
    deliver(source, received)
    assert (received.position.attempt, received.position.step) == (1, 0)
    run.grow(15)
    deliver(source, received)
    run.writer.add_scalars(15, encode_scalars({"eval_loss": 1.0}) or "")
    run.writer.add_held_out_loss(15, 3.0)
    assert deliver(source, received) == 1
    run.grow(10)
    run.resume_from(18)
    run.grow(9)
    run.writer.add_event(27, "attempt", "another one")
    deliver(source, received)
    run.resume_from(20)
    # A source that lost its memory goes on from what its reader has.
    deliver(FragmentSource(run.folder, received.position), received)
    run.grow(1)
    deliver(source, received)
    run.end()
    deliver(source, received)
    assert source.make_next() is None
    assert source.make_next(sign_of_life=True) is not None
    assert (received.position.attempt, received.position.step) == (3, 21)
    received.close()
    require_equal_records(run.folder, received.run)


def test_a_gap_and_other_content_change_nothing(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path / "there")
    received = open_received(run.folder, tmp_path / "here")
    source = FragmentSource(run.folder)
    run.grow(3)
    deliver(source, received)
    before = received.position
    run.grow(2)
    assert source.make_next() is not None
    source.advance()
    run.grow(2)
    later = source.make_next()
    assert later is not None
    with pytest.raises(GapError) as gap:
        received.take_over(later)
    assert gap.value.position == before == received.position
    other = GrowingRun(tmp_path / "elsewhere", seed=1)
    other.grow(3)
    fragment = FragmentSource(other.folder).make_next()
    assert fragment is not None
    stranger = retold(fragment, run=run.folder.id)
    with pytest.raises(OtherContentError):
        received.take_over(stranger)
    assert received.position == before
    received.close()
    run.end()
    other.end()


def retold(
    fragment: Fragment, run: str, change: Callable[[apsw.Connection], object] = lambda _: None
) -> Fragment:
    """Return the fragment as one of another run, with its body changed."""
    database = apsw.Connection(":memory:")
    database.deserialize("main", fragment.unpack())
    change(database)
    header = fragment.header
    return make_fragment(
        run,
        "steps",
        database.serialize("main"),
        (header.attempt, header.first, header.last),
        header.after,
        header.to,
    )


HOSTILE: dict[str, str] = {
    "another table": "CREATE TABLE more(id INTEGER)",
    "a trigger": "CREATE TRIGGER evil AFTER INSERT ON facts BEGIN DELETE FROM pulses; END",
    "a view": "CREATE VIEW more AS SELECT * FROM facts",
    "a record of another kind": "UPDATE pulses SET record=(SELECT record FROM keyframes LIMIT 1)",
    "a step of an unknown attempt": "DELETE FROM attempts",
    "a text as a number": "INSERT INTO held_out VALUES((1<<32)|1, 'nan')",
    "a step far away": "INSERT INTO held_out VALUES((1<<32)|900000, 1.0)",
    "an unknown phase": "UPDATE facts SET value='\"exploded\"' WHERE name='phase'",
    "facts that are not JSON": "UPDATE facts SET value='{' WHERE name='phase'",
    "too many layers": f"INSERT OR REPLACE INTO facts VALUES('layers', '{json.dumps(['x'] * 300)}')",
    "an event that is no text": "INSERT INTO events VALUES(9, 1.0, 1, 1, x'00', 'x')",
    "a newer format": "PRAGMA user_version=99",
}


@pytest.mark.parametrize("statement", HOSTILE.values(), ids=HOSTILE)
def test_hostile_bodies_are_refused(statement: str, tmp_path: Path) -> None:
    run = GrowingRun(tmp_path / "there")
    run.grow(2)
    received = open_received(run.folder, tmp_path / "here")
    fragment = FragmentSource(run.folder).make_next()
    assert fragment is not None
    with pytest.raises(FormatError):
        received.take_over(retold(fragment, run.folder.id, lambda database: database.execute(statement)))
    assert received.position == Position()
    assert received.take_over(fragment)
    received.close()
    run.end()


def test_rows_of_other_steps_are_refused_before_they_are_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = GrowingRun(tmp_path / "there")
    run.grow(2)
    received = open_received(run.folder, tmp_path / "here")
    fragment = FragmentSource(run.folder).make_next()
    assert fragment is not None
    numbers = iter(range(3, 100))
    many = retold(
        fragment,
        run.folder.id,
        lambda file: file.executemany(
            "INSERT INTO scalars VALUES(?, '{}')", ((1 << 32 | step,) for step in numbers)
        ),
    )
    with monkeypatch.context() as unread:
        unread.setattr(checked_steps, "decode_scalars", lambda _: pytest.fail("a row was decoded"))
        with pytest.raises(FormatError, match="not among its steps"):
            received.take_over(many)
    with monkeypatch.context() as few:
        few.setattr(received_run, "MAX_STEPS", 1)
        with pytest.raises(FormatError, match="more than 1 steps"):
            received.take_over(fragment)
    with pytest.raises(FormatError, match="more bytes than its database"):
        received.take_over(make_fragment(run.folder.id, "steps", fragment.unpack() + bytes(1 << 20)))
    assert received.position == Position()
    assert received.take_over(fragment)
    # The same one again is not even unpacked.
    monkeypatch.setattr(Fragment, "unpack", lambda _: pytest.fail("it was unpacked"))
    assert not received.take_over(decode_fragment(fragment.data))
    received.close()
    run.end()


def test_damaged_files_and_foreign_headers_are_refused(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path / "there")
    run.grow(2)
    received = open_received(run.folder, tmp_path / "here")
    fragment = FragmentSource(run.folder).make_next()
    assert fragment is not None
    data = fragment.data
    for broken in (b"", data[:5], data[:40], data[: len(data) // 2], b"X" + data[1:], data[:-1] + b"\x00"):
        with pytest.raises(FormatError):
            received.take_over(decode_fragment(broken))
    for word, other in (
        (b'"format":1', b'"format":2'),
        (b'"kind":"steps"', b'"kind":"other"'),
        (b'"run":"', b'"run":"../'),
    ):
        changed = data.replace(
            word, other.ljust(len(word))[: len(word)] if len(other) <= len(word) else other, 1
        )
        with pytest.raises(FormatError):
            received.take_over(decode_fragment(changed))
    # A bomb: the header must state the size, and no more is unpacked.
    small, large = f'"bytes":{fragment.header.bytes}', f'"bytes":{fragment.header.bytes + 1}'
    if len(small) == len(large):
        with pytest.raises(FormatError, match="not as large"):
            received.take_over(decode_fragment(data.replace(small.encode(), large.encode(), 1)))
    with pytest.raises(FormatError, match="another run"):
        received.take_over(retold(fragment, "another"))
    with pytest.raises(FormatError, match="not a database"):
        received.take_over(make_fragment(run.folder.id, "steps", b"no database"))
    assert received.position == Position()
    received.close()
    run.end()


def test_openings_are_checked(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path / "there")
    run.end()
    good = json.loads(make_opening(run.folder).unpack())
    trained = good | {"recipe": good["recipe"] | {"corpus": {"kind": "lamptown"}}}
    wide = good | {"recipe": good["recipe"] | {"model": {"dim": 10**9}}}
    twice = good | {"vocabulary": good["vocabulary"] | {"classes": {"a": [0], "b": [0]}}}
    for body in (trained, wide, twice, good | {"recipe": None}, {"recipe": good["recipe"]}, [], "x"):
        opening = make_fragment("mine", "opening", json.dumps(body).encode())
        with pytest.raises(FormatError):
            create_received_run(tmp_path / "here" / "mine", opening, "test")
    with pytest.raises(FormatError, match="another run"):
        create_received_run(tmp_path / "here" / "other", make_opening(run.folder), "test")
    assert not list((tmp_path / "here").glob("*"))


def test_tables_of_a_fragment_are_those_of_a_record(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path / "there")
    run.grow(1)
    fragment = FragmentSource(run.folder).make_next()
    assert fragment is not None
    database = apsw.Connection(":memory:")
    database.deserialize("main", fragment.unpack())
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type='table'")}
    assert {"pulses", "rows", "keyframes", "events", "facts", "attempts"} <= tables
    assert all(f"CREATE TABLE {name}" in steps.SCHEMA for name in tables - {"sqlite_sequence"})
    assert fragment.header.counts["pulses"] == 1
    run.end()
