"""A set from Python and on the command line: members are pooled that differ in nothing but the seed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import lamplighter
from lamplighter.cli.app import cli
from lamplighter.client.errors import InputError
from lamplighter.runfolder.run_set import GridAxis
from tests.support.swept import recorded_set

RATE = "optimiser.learning_rate"
RATES = GridAxis(field=RATE, values=[0.001, 0.01])


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of three seeds of two settings; the last member has not begun."""
    return recorded_set(tmp_path_factory.mktemp("runs"), 35, RATES).path


def test_a_grid_is_read_by_setting(grid: Path) -> None:
    opened = lamplighter.open_set(grid)
    assert opened.combinations == [{RATE: 0.001}, {RATE: 0.01}]
    for rate, expected in ((0.001, [0, 2, 4]), (0.01, [1, 3, 5])):
        band = opened.curves(["loss"], of={RATE: rate})["loss"]
        assert band.runs == [opened.members[number].id for number in expected]
        # Each member's loss is higher by its number, and the last one of all has none.
        losses = [line[-1] for line in band.lines if np.isfinite(line[-1])]
        assert len(losses) == (3 if rate == 0.001 else 2)
        assert band.median[-1] == pytest.approx(np.median(losses))
        counted = opened.claims(of={RATE: rate})[5]
        assert [one.run for one in counted.members] == band.runs[: len(losses)]
        assert sum(counted.states.values()) == len(losses)


@pytest.mark.parametrize("of", [None, {}, {RATE: 3.0}, {"seed": 0}, {"model.dim": 64}])
def test_members_that_differ_in_more_than_the_seed_are_not_pooled(
    grid: Path, of: dict[str, float] | None
) -> None:
    opened = lamplighter.open_set(grid)
    with pytest.raises(InputError, match=RATE):
        opened.curves(["loss"], of=of)
    with pytest.raises(InputError, match=RATE):
        opened.claims(of=of)


def test_seeds_alone_need_no_name(tmp_path: Path) -> None:
    opened = lamplighter.open_set(recorded_set(tmp_path).path)
    assert opened.combinations == [{}]
    assert opened.curves(["loss"])["loss"].lines.shape[0] == 3
    six = opened.claims()[5]
    assert (six.states["conditional"], six.measured) == (2, 2)
    assert (six.low, six.high) == pytest.approx((0.0, 0.6576), abs=1e-3)


def test_the_command_tells_each_setting_apart(grid: Path) -> None:
    def typed(*words: str) -> str:
        return CliRunner().invoke(cli, ["--runs", str(grid.parent), "claims", grid.name, *words]).stdout

    lines = typed().splitlines()
    assert [line for line in lines if line.endswith(":")] == ["learning_rate 0.001:", "learning_rate 0.01:"]
    counts = [line for line in lines if line.startswith(" 6  ")]
    assert ["of 3 (" in counts[0], "of 2 (" in counts[1]] == [True, True]
    # Not measured is not refuted.
    assert [line for line in lines if line.startswith(" 5  ")] == [
        " 5  not measured yet  Predict, compare, correct"
    ] * 2
    assert lines[-1].endswith("-5: unfinished")
    told = json.loads(typed("--json"))
    assert [one["settings"] for one in told["items"] if one["number"] == 6] == [
        {RATE: 0.001},
        {RATE: 0.01},
    ]
    assert [one["measured"] for one in told["items"] if one["number"] == 6] == [3, 2]
    assert [one["reason"] for one in told["unanswered"]] == ["unfinished"]
