"""What several processes hand over in a step, read back from the record, and which of them lags."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lamplighter.claims.claim import ClaimState
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.shared_steps import count_slowest, find_lagging, read_shared_step, read_split
from lamplighter.runfolder.tables.exchanges import Exchange, ExchangesWriter, Split, WatchedSplit
from lamplighter.runfolder.tables.steps_reader import StepsReader
from tests.support.evidences import find, gather
from tests.support.folders import finished_run

SPLIT = Split(owners=((0, 20), (20, 20), (40, 19)), sequences=4, context=8, dim=16, block_parameters=3_000)


def exchange(worked: tuple[float, ...]) -> Exchange:
    one = Exchange({}, (9, 9, 8), (3, 4, 5), (6, 6), worked, (0.1, 0.2, 0.3))
    return Exchange({**SPLIT.expected_bytes(one), "transfer": 12}, *(list(vars(one).values())[1:]))


def lagging_in(seconds: np.ndarray) -> int | None:
    return find_lagging(seconds.tolist(), count_slowest(seconds.tolist(), seconds.shape[1]))


def test_equal_processes_do_not_lag_whatever_chance_gives() -> None:
    found = [lagging_in(np.random.default_rng(seed).normal(1, 0.2, (50, 3))) for seed in range(200)]
    assert found == [None] * 200


@pytest.mark.parametrize("processes", [8, 64, 256])
def test_of_many_equal_processes_none_lags_however_their_times_are_spread(processes: int) -> None:
    draw = np.random.default_rng(processes)
    for seconds in (
        draw.pareto(1.5, (100, 50, processes)) + 0.01,
        draw.lognormal(0, 1, (100, 50, processes)),
    ):
        assert [lagging_in(one) for one in seconds] == [None] * 100
    lags = draw.lognormal(0, 0.1, (50, processes))
    lags[:, 3] *= 1.5
    assert lagging_in(lags) == 3


def test_a_process_that_is_slower_lags_and_one_slow_step_makes_none() -> None:
    seconds = np.random.default_rng(0).normal(1, 0.1, (50, 3))
    once = seconds.copy()
    once[7, 1] = 40
    assert lagging_in(once) is None
    seconds[:, 1] *= 1.5
    assert lagging_in(seconds) == 1
    assert lagging_in(seconds[:9]) is None
    # Surely the slowest, but by less than what matters.
    assert lagging_in(np.tile([1.0, 1.02, 1.0], (50, 1))) is None


def test_a_step_is_read_with_those_before_it(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    with StepsReader(run.steps_path) as reader:
        lineage, newest = reader.lineage(), reader.newest_step()[1]
    assert read_split(run, lineage, newest) is None
    assert read_shared_step(run, lineage, newest) is None
    writer = ExchangesWriter(run.exchanges_path)
    writer.begin_split(1, 1, SPLIT)
    for step in range(1, newest + 1):
        writer.add_exchange(1, step, exchange((1.0, 1.0, 2.0)))
    writer.close()
    found = read_shared_step(run, lineage, newest)
    assert found is not None
    assert (found.split, found.steps) == (SPLIT, min(50, newest))
    assert found.slowest == (0, 0, found.steps)
    assert found.exchange == exchange((1.0, 1.0, 2.0))
    # One process went on from here.
    assert read_split(run, lineage, newest + 1) is None
    assert read_shared_step(run, lineage, newest + 1) is None


@pytest.mark.parametrize(
    ("table", "changed"),
    [
        ("split", {"owners": [[0, "20"]]}),
        ("split", {"dim": -1}),
        ("split", {"owners": []}),
        ("split", {"more": 1}),
        ("exchange", {"sent": [1, 2]}),
        ("exchange", {"read": None}),
        ("exchange", {"worked": [1.0, 2.0]}),
        ("exchange", {"waited": [0.1, float("nan"), 0.1]}),
        ("exchange", {"bytes": {"gold": 1}}),
        ("exchange", {"bytes": {"rows": 1 << 64}}),
        ("exchange", {"read": [1, 1], "asked": [1, 1], "worked": [1, 1], "waited": [1, 1]}),
    ],
    ids=repr,
)
def test_what_no_trainer_writes_is_refused(tmp_path: Path, table: str, changed: dict[str, object]) -> None:
    run = finished_run(tmp_path)
    with StepsReader(run.steps_path) as reader:
        lineage = reader.lineage()
    writer = ExchangesWriter(run.exchanges_path)
    writer.begin_split(1, 1, SPLIT)
    writer.add_exchange(1, 1, exchange((1.0, 1.0, 2.0)))
    writer.close()
    with closing(sqlite3.connect(run.exchanges_path)) as file, file:
        ((text,),) = file.execute(f"SELECT {table} FROM {table}s")
        file.execute(f"UPDATE {table}s SET {table}=?", (json.dumps(json.loads(text) | changed),))
    with pytest.raises(FormatError, match=r"exchanges\.sqlite"):
        read_shared_step(run, lineage, 1)


@pytest.mark.parametrize(
    ("parts", "owners"),
    [
        (((0, 31, 0, 8), (31, 30, 0, 8)), ((0, 31), (31, 30))),
        # A process without rows comes after the last one, wherever it says it is.
        (((0, 2, 0, 8), (2, 1, 0, 8), (0, 0, 0, 8)), ((0, 2), (2, 1), (3, 0))),
        # Each has the whole table; each has columns of all rows; two have copies.
        (((0, 61, 0, 8), (0, 61, 0, 8)), None),
        (((0, 61, 0, 4), (0, 61, 4, 4)), None),
        (((0, 31, 0, 8), (0, 31, 0, 8), (31, 30, 0, 8), (31, 30, 0, 8)), None),
    ],
)
def test_a_row_of_a_watched_table_has_an_owner_only_if_it_lies_in_one_process(
    parts: Any, owners: Any
) -> None:
    split = WatchedSplit(parts)
    assert split.row_owners == owners
    assert split.columns == tuple(part[2:] if part[3] < 8 else None for part in parts)


def test_parts_of_a_watched_table_that_no_watcher_writes_are_refused(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    with StepsReader(run.steps_path) as reader:
        lineage = reader.lineage()
    writer = ExchangesWriter(run.exchanges_path)
    writer.begin_split(1, 1, WatchedSplit(((0, 1, 0),) * 3))  # pyright: ignore[reportArgumentType]
    writer.add_exchange(1, 1, exchange((1.0, 1.0, 2.0)))
    writer.close()
    with pytest.raises(FormatError, match=r"exchanges\.sqlite"):
        read_split(run, lineage, 1)


def test_the_claim_of_many_devices_takes_its_bytes_from_the_record(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    writer = ExchangesWriter(run.exchanges_path)
    writer.begin_split(1, 1, SPLIT)
    step = gather(run).step
    right = exchange((1.0, 1.0, 2.0))
    for one in range(1, step + 1):
        writer.add_exchange(1, one, right)
    evidence = gather(run)
    assert evidence.shared is not None
    assert evidence.shared.counted == evidence.shared.expected == sum(SPLIT.expected_bytes(right).values())
    assert find(18, evidence).state == ClaimState.HOLDS
    writer.add_exchange(1, step, replace(right, bytes={**right.bytes, "rows": 1}))
    writer.close()
    assert find(18, gather(run)).state == ClaimState.FAILING
