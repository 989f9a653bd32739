"""The log of a channel: each entry once and in order, and a reader who missed some is told so."""

from __future__ import annotations

from lamplighter.serving.live.channel_log import MAX_BYTES, MAX_KEPT, START, ChannelLog, Sequence


def filled(steps: int) -> ChannelLog:
    log = ChannelLog()
    for step in range(1, steps + 1):
        assert log.append(Sequence(1, step, 1), b"%d" % step)
    return log


def steps_after(log: ChannelLog, seq: Sequence) -> list[int] | None:
    found = log.entries_after(seq)
    return None if found is None else [entry.seq.step for entry in found]


def test_a_reader_gets_each_entry_once_and_in_order() -> None:
    log = filled(7)
    assert steps_after(log, START) == [1, 2, 3, 4, 5, 6, 7]
    assert steps_after(log, Sequence(1, 5, 1)) == [6, 7]
    assert steps_after(log, Sequence(1, 7, 1)) == []
    assert steps_after(log, Sequence(1, 8, 1)) is None


def test_only_what_is_after_the_newest_is_taken() -> None:
    log = filled(3)
    for seq in (Sequence(1, 3, 1), Sequence(1, 2, 9), START):
        assert not log.append(seq, b"again")
    assert log.append(Sequence(2, 1, 1), b"another attempt")
    assert log.newest == Sequence(2, 1, 1)


def test_a_slow_reader_is_told_of_the_gap() -> None:
    log = filled(MAX_KEPT + 11)
    assert steps_after(log, Sequence(1, 1, 1)) is None
    assert steps_after(log, Sequence(1, MAX_KEPT + 9, 1)) == [MAX_KEPT + 10, MAX_KEPT + 11]


def test_large_entries_leave_the_log_earlier_but_for_the_newest() -> None:
    log = filled(2)
    log.append(Sequence(1, 3, 1), bytes(MAX_BYTES + 1))
    assert steps_after(log, Sequence(1, 1, 1)) is None
    assert steps_after(log, Sequence(1, 2, 1)) == [3]


def test_a_log_that_starts_again_has_lost_its_readers() -> None:
    log = filled(3)
    log.start_again(Sequence(1, 9, 1))
    assert steps_after(log, Sequence(1, 3, 1)) is None
    assert steps_after(log, Sequence(1, 9, 1)) == []
