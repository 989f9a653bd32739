"""The parts of several processes become the step of one, and what is not known of all is not guessed."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lamplighter.client.errors import InputError
from lamplighter.client.sharding.own_time import OwnSeconds, OwnTime, own_seconds
from lamplighter.client.sharding.owned_part import OwnedPart, check_parts, owned_part
from lamplighter.client.sharding.step_exchange import KeptExchanges
from lamplighter.client.sharding.step_part import (
    Header,
    RowSquares,
    State,
    StepPart,
    join_losses,
    join_rows,
    join_top_losses,
    part_bytes,
)
from lamplighter.client.sharding.watch_group import Traffic
from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.tables.exchanges import MAX_PROCESSES, ExchangesReader
from lamplighter.wire.top_losses import TopLosses


def ids(*numbers: int) -> Any:
    return np.array(numbers, np.uint32)


def squares(rows: Any, *norms: float) -> RowSquares:
    return RowSquares.of_norms(rows, np.array(norms, np.float32))


def part(**known: Any) -> StepPart:
    header = Header(
        ids=len(known.get("ids", ())),
        gradients=len(known["gradient"].ids) if "gradient" in known else 0,
        moved=len(known["moved"].ids) if "moved" in known else 0,
    )
    return StepPart(header, **known)


def test_ids_are_added_and_the_squares_of_columns_are_summed_before_the_root():
    first = part(ids=ids(1, 3), counts=ids(2, 1), gradient=squares(ids(1, 2), 3, 1), moved=squares(ids(1), 6))
    second = part(
        ids=ids(3, 4), counts=ids(4, 1), gradient=squares(ids(1, 4), 4, 2), moved=squares(ids(1, 4), 8, 1)
    )
    joined = join_rows([first, second], [0, 1], 6)
    assert joined.batch.token_ids.tolist() == [1, 3, 4]
    assert joined.batch.counts.tolist() == [2, 5, 1]
    assert joined.gradient is not None
    assert joined.gradient.token_ids.tolist() == [1, 2, 4]
    assert joined.gradient.norms.tolist() == [5, 1, 2]
    assert joined.moved_ids.tolist() == [1, 4]
    assert joined.moved_distances.tolist() == [10, 1]


def test_a_norm_of_one_owner_comes_back_to_the_last_bit():
    norms = np.array([1e-30, 1e-23, 0.1, 3e38, np.inf, np.nan], np.float32)
    parts = [part(gradient=RowSquares.of_norms(np.arange(6, dtype=np.uint32), norms)), part()]
    gradient = join_rows(parts, [0, 1], 6).gradient
    assert gradient is not None
    np.testing.assert_array_equal(gradient.norms, norms)


def test_what_one_process_does_not_know_is_not_known():
    unreadable = StepPart(Header(unreadable=True, gradients=-1))
    joined = join_rows([part(ids=ids(1), counts=ids(1)), unreadable], [0, 1], 6)
    assert len(joined.batch.token_ids) == 0
    assert joined.gradient is None
    # A process that owns nothing need not know a gradient.
    assert join_rows([part(), unreadable], [0], 6).gradient is not None


@pytest.mark.parametrize(
    ("headers", "loss"),
    [
        ([Header(loss=1, tokens=10), Header(loss=4, tokens=20)], 3),
        ([Header(loss=1, tokens=0), Header(loss=4, tokens=0)], None),
        ([Header(loss=4, tokens=0), Header(loss=4, tokens=0)], 4),
        ([Header(loss=math.nan, tokens=0), Header(loss=4, tokens=20)], 4),
        ([Header(loss=1, tokens=10, unreadable=True), Header(loss=4, tokens=20)], None),
        ([Header(loss=1, unreadable=True, reported=True), Header(loss=4, unreadable=True)], 1),
        ([Header(loss=1, tokens=10, reported=True), Header(unknown_loss=True)], 1),
        # Divided by the tokens of all, of which each process has a part: the sum.
        ([Header(loss=1, tokens=10, divisor=18), Header(loss=4, tokens=10, divisor=18)], 5),
        # Each divided by its own tokens.
        ([Header(loss=1, tokens=10, divisor=5), Header(loss=4, tokens=10, divisor=10)], 3),
        # Divided by a number that can be either.
        ([Header(loss=1, tokens=10, divisor=8), Header(loss=4, tokens=10, divisor=8)], None),
        ([Header(loss=1, tokens=10, divisor=0), Header(loss=4, tokens=10, divisor=0)], None),
        ([Header(loss=1, tokens=10), Header(unknown_loss=True, message="none")], None),
        ([Header(loss=1, tokens=10, divisor=8)], 1),
    ],
)
def test_a_loss_is_that_of_all_tokens_or_unknown(headers: list[Header], loss: float | None):
    found, why = join_losses(headers)
    assert found == loss
    assert (why is None) == (loss is not None)


@pytest.mark.parametrize(
    ("split", "compiled", "times", "wanted"),
    [
        (False, False, [0, 10, 12, 16], (14, 0)),
        (True, False, [0, 10, 50], (10, 40)),
        (False, True, [0, 10, 50], (10, 40)),
    ],
)
def test_only_what_is_surely_its_own_counts_as_computing(
    monkeypatch: pytest.MonkeyPatch, split: bool, compiled: bool, times: list[float], wanted: Any
):
    clock = iter(times)
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    watch = OwnTime(split=split)
    watch.go_on()
    for _ in range(2):
        watch.call_module(torch.nn.Identity(), ())
    if not compiled:
        watch.read_table()
    watch.reach_table()
    watch.end_step()
    assert watch.take_seconds() == wanted


def test_of_what_waiting_may_be_in_all_count_what_the_fastest_needed():
    assert own_seconds([OwnSeconds(1, 5), OwnSeconds(3, 4)]) == [5, 7]


def test_what_many_processes_send_is_kept_if_a_reader_takes_it(tmp_path: Path):
    for count in (MAX_PROCESSES, MAX_PROCESSES + 1):
        kept = KeptExchanges([OwnedPart(9_999_999, 999_999, 10_000, 10_000)] * count)
        kept.note_rows([4 * 10_001 * 9_999_999] * count)
        headers = [Header(ids=9_999_999, own=OwnSeconds(n + 1000.123457)) for n in range(count)]
        kept.add_step(tmp_path / f"{count}.sqlite", 1, 1, headers, 0, Traffic())
        kept.close()
    (path,) = tmp_path.iterdir()
    lineage = Lineage.of_attempts([(1, 0)])
    with ExchangesReader(path) as reader:
        split = reader.split_at(lineage, 1)
        ((_, exchange),) = reader.exchanges(lineage)
    assert split is not None
    assert len(split.owners) == len(exchange.worked) == MAX_PROCESSES


def test_the_largest_losses_are_those_of_all_and_their_places_count_on():
    def largest(*pairs: tuple[int, float]) -> TopLosses:
        places, losses = zip(*pairs, strict=True)
        return TopLosses(ids(*places), np.array(losses, np.float32), np.zeros((len(pairs), 2), np.uint32))

    first = StepPart(Header(losses=100), top_losses=largest((7, 9.0), (3, 5.0)))
    joined = join_top_losses([first, StepPart(Header(losses=50), top_losses=largest((7, 6.0)))])
    assert joined is not None
    assert joined.places.tolist() == [7, 107, 3]
    assert join_top_losses([StepPart(Header())]) is None


def test_a_part_comes_back_from_its_bytes():
    largest = TopLosses(ids(5), np.array([2.5], np.float32), np.ones((1, 3), np.uint32))
    header = Header(
        State.STEP,
        7,
        2,
        1,
        2,
        2,
        30,
        -1,
        len(largest.encode()),
        30,
        5,
        lost=True,
        loss=1.5,
        own=OwnSeconds(0.25, 3),
        message="é",
    )
    given = StepPart(header, ids(9), ids(3), squares(ids(1, 9), 1, 2), squares(ids(2, 9), 3, 4), largest)
    vectors = np.arange(8, dtype=np.float32).reshape(2, 4)
    content = given.encode(vectors)
    assert len(content) == part_bytes(header, 4)
    packed = header.encode()
    assert Header.decode(packed.tobytes()) == header
    back, rows = StepPart.decode(header, content, 4, 20)
    assert back.encode(rows).tolist() == content.tolist()


def test_parts_must_make_up_the_table():
    check_parts([OwnedPart(0, 3, 0, 4), OwnedPart(0, 0, 0, 0), OwnedPart(3, 2, 0, 4)], 5, 4)
    check_parts([OwnedPart(0, 5, 0, 2), OwnedPart(0, 5, 2, 2)], 5, 4)
    assert owned_part(torch.zeros(5, 4), 0, 2) == OwnedPart(0, 5, 0, 4)
    assert owned_part(torch.zeros(5, 4), 1, 2).is_empty
    for wrong in (
        [OwnedPart(0, 3, 0, 4), OwnedPart(2, 3, 0, 4)],
        [OwnedPart(0, 3, 0, 4)],
        [OwnedPart(0, 5, 0, 4), OwnedPart(0, 5, 0, 4)],
        [OwnedPart(-1, 5, 0, 4)],
    ):
        with pytest.raises(InputError, match="do not make up"):
            check_parts(wrong, 5, 4)
