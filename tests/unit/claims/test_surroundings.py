"""Claims 13, 16, 18 and 20 on numbers on both sides of each threshold."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lamplighter.claims.evidence import EnergyFigures, Evidence, TrustFigures
from lamplighter.geometry.neighbours import count_shared, nearest_rows
from tests.support.evidences import CONDITIONAL, FAILING, HOLDS, UNMEASURED, find, judge, said
from tests.unit.claims.town import ROWS, STEP, WIDTH, curve, matrix, newest, order, told, town, untold

GUESSING = math.log(ROWS)
HOME = GUESSING - 5
"""Loss at home of a model that is 5 nats better than guessing."""


def away(
    loss: float = HOME + 2,
    purity: float | None = 0.5,
    first: float = HOME,
    before: float | None = 0.9,
    **home: float,
) -> Evidence:
    """Return evidence of steps in another town.

    Keyword arguments are spreads at home, with the prefix `home_` for the home copy.
    """
    changes: dict[str, Any] = {
        "curve": curve((0, first, before), (600, loss, purity), (700, first, before)),
        "chance": 0.1,
    }
    changes |= {f"home.{name[5:]}.spread": value for name, value in home.items()}
    return told("environment", changes)


def test_forgetting_is_a_tenth_of_the_initial_knowledge() -> None:
    assert judge(13, away(HOME + 0.51), away(HOME + 0.49), away(HOME - 0.1)) == [HOLDS, FAILING, FAILING]


def test_the_map_forgets_a_tenth_of_its_order_beyond_chance() -> None:
    assert judge(13, away(purity=0.819), away(purity=0.821)) == [HOLDS, CONDITIONAL]
    assert "map_has_forgotten" in said(find(13, away(purity=0.819)))


def test_forgetting_clearly_exceeds_the_change_at_home() -> None:
    assert judge(13, away(HOME + 0.6, home_loss=0.199), away(HOME + 0.6, home_loss=0.201)) == [HOLDS, FAILING]
    assert judge(13, away(purity=0.8, home_purity_in=0.0331), away(purity=0.8, home_purity_in=0.0335)) == [
        HOLDS,
        CONDITIONAL,
    ]
    drifting = told("environment", {"home.loss.mean": 0.58, "home.loss.spread": 0.01}, away(HOME + 0.6))
    assert judge(13, drifting) == [FAILING]


@pytest.mark.parametrize("missing", ["home", "home.loss", "home.loss.spread"])
def test_without_steps_at_home_forgetting_is_shown_in_part(missing: str) -> None:
    found = find(13, told("environment", {missing: None}))
    assert (found.state, bool(found.waits_for)) == (CONDITIONAL, True)
    kept = told("environment", {missing: None}, away(HOME + 0.49))
    assert judge(13, kept, told("environment", {missing: None}, away(HOME + 0.51))) == [FAILING, CONDITIONAL]
    null = find(13, town()).null
    assert (null and (null.code, null.values)) == ("staying_at_home", {"steps": 100})
    assert judge(13, told("environment", {"home.purity_in": None})) == [CONDITIONAL]


def test_a_map_without_classes_has_nothing_to_forget() -> None:
    # A quarter of the range above a chance of 0.1 is 0.325.
    assert judge(13, away(before=0.33, purity=0.2), away(before=0.32, purity=0.2)) == [HOLDS, CONDITIONAL]
    assert "map_had_nothing_to_forget" in said(find(13, away(before=0.32, purity=0.2)))
    assert judge(13, away(purity=None), away(before=None)) == [CONDITIONAL, CONDITIONAL]


def test_an_untrained_model_forgets_nothing() -> None:
    little, nothing = (away(GUESSING + 2, first=GUESSING - known) for known in (0.051, 0.049))
    assert judge(13, little, nothing, replace(nothing, training=True)) == [HOLDS, FAILING, CONDITIONAL]


def test_changes_after_the_turn_back_are_not_forgetting() -> None:
    found = find(13, away(HOME + 2))
    assert [figure.value for figure in found.figures[:2]] == [HOME + 2, HOME]
    unturned = told("environment", {"turned_back_at": None}, away(HOME + 2))
    assert judge(13, unturned) == [FAILING]


def test_without_steps_elsewhere_forgetting_is_unmeasured() -> None:
    short = told("environment", {"curve": curve((0, 1.0, 0.9))})
    endless = told("environment", {"curve": curve((0, 1.0, 0.9), (600, None, 0.9))})
    assert judge(13, untold("environment"), short, endless) == [UNMEASURED] * 3


def ordered(part: float, *, second_half: float = 0.5) -> Evidence:
    """Return evidence of a share of the possible order, and of how much of it the second half of the energy
    bought.
    """
    bits = 0.7 + 6 * part
    middle = bits - second_half * (bits - 0.7)
    measures = {
        step: {"neighbour_information": value} for step, value in ((0, 0.7), (2_000, middle), (STEP, bits))
    }
    return replace(newest(order(0.98, bits=bits)), measures=measures)


def test_half_of_the_order_is_bought_and_a_quarter_of_it_late() -> None:
    assert judge(16, *map(ordered, (0.51, 0.49, 0.26, 0.24))) == [HOLDS, CONDITIONAL, CONDITIONAL, FAILING]
    assert judge(16, ordered(0.9, second_half=0.251), ordered(0.9, second_half=0.249)) == [HOLDS, CONDITIONAL]


def test_order_clearly_exceeds_that_of_shuffled_labels() -> None:
    def measured(last: float) -> Evidence:
        measures = {
            step: {"neighbour_information": bits} for step, bits in ((0, 0.5), (2_000, 0.6), (STEP, last))
        }
        return replace(town(), measures=measures)

    assert judge(16, measured(0.761), measured(0.759)) == [HOLDS, FAILING]
    lost = {step: {"neighbour_information": bits} for step, bits in ((0, 6.8), (2_000, 6.5), (STEP, 6.7))}
    assert judge(16, town(measures=lost)) == [FAILING]


def test_the_half_is_of_the_energy() -> None:
    late = EnergyFigures("processor", {0: 0.0, 2_000: 999.0, STEP: 2_000.0})
    # The first half ends at the last step, so the second one bought nothing.
    assert judge(16, town(), town(energy=late)) == [HOLDS, CONDITIONAL]


def test_without_energy_or_order_the_price_is_unknown() -> None:
    energy = town().energy
    assert energy is not None
    unknown = [
        town(energy=None),
        town(energy=replace(energy, joules={})),
        town(energy=replace(energy, since=1_000)),
        town(energy=replace(energy, joules={0: 0.0, 2_000: 0.0, STEP: 0.0})),
        town(measures={}),
        town(newest=matrix(STEP, None)),
    ]
    assert judge(16, *unknown) == [UNMEASURED] * len(unknown)
    assert find(16, unknown[0]).waits_for == "energy_of_another_run"
    assert find(16, replace(unknown[0], training=True)).waits_for == "energy_while_it_trains"


def test_gradients_of_two_processes_match_those_of_one_up_to_rounding() -> None:
    def differing(by: float) -> Evidence:
        return told("devices", {"measured.difference": by, "measured.largest": 0.1})

    assert judge(18, *map(differing, (0.95e-4, -0.95e-4, 1.05e-4, 0.95e-3, 1.05e-3, -1.05e-3, 0.5))) == [
        HOLDS,
        HOLDS,
        CONDITIONAL,
        CONDITIONAL,
        FAILING,
        FAILING,
        FAILING,
    ]


@pytest.mark.parametrize("name", ["dense_bytes", "lazy_bytes"])
def test_byte_counts_match_the_formula(name: str) -> None:
    off = [told("devices", {f"measured.{name}": measured}) for measured in (1_001, 100_000)]
    assert judge(18, *off) == [FAILING, FAILING]
    assert "formula_says_otherwise" in said(find(18, off[0]))
    assert judge(18, untold("devices"), told("devices", {"measured.lazy_bytes": None})) == [UNMEASURED] * 2


def test_a_map_lies_where_it_loses_neighbours() -> None:
    maps = [town(trust=TrustFigures(STEP, 0.99, recall, 300)) for recall in (0.949, 0.951, 0.989, 0.991, 1.0)]
    assert judge(20, *maps) == [HOLDS, CONDITIONAL, CONDITIONAL, FAILING, FAILING]
    assert judge(20, town(trust=None), town(trust=TrustFigures(STEP, 0.9, None, 300))) == [UNMEASURED] * 2
    # An imported map is untrusted.
    assert judge(
        20, town(trust=TrustFigures(STEP, 0.9, -3.0, 300)), town(trust=TrustFigures(STEP, 0.9, 7.0, 300))
    ) == [
        FAILING,
        FAILING,
    ]


def test_a_random_map_shows_nothing_that_could_be_mistaken() -> None:
    """Ten nearest in space and on a map drawn at random."""
    draw = np.random.default_rng(0)
    space = nearest_rows(draw.normal(size=(ROWS, WIDTH)).astype(np.float32), np.arange(300), 10)[0]
    recalls: list[float] = []
    for _ in range(20):
        drawn = nearest_rows(draw.normal(size=(ROWS, 3)).astype(np.float32), np.arange(300), 10)[0]
        recalls.append(float(count_shared(space, drawn).mean() / 10))
    found = [find(20, town(trust=TrustFigures(STEP, 0.5, recall, 300))) for recall in recalls]
    assert [one.state for one in found] == [FAILING] * 20
    assert all("map_shows_nothing" in said(one) for one in found)
    assert (found[0].null and found[0].null.code) == "a_random_map"
