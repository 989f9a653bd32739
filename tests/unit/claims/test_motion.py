"""Claims 11, 12, 15, 19 and 23 on numbers on both sides of each threshold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lamplighter.claims.evidence import Evidence
from lamplighter.claims.gathering import _walk_at_random  # pyright: ignore[reportPrivateUsage]
from lamplighter.claims.intervals import Spread
from tests.support.evidences import CONDITIONAL, FAILING, HOLDS, UNMEASURED, find, judge, said
from tests.unit.claims.town import LENGTH, PACE, STEP, WIDTH, matrix, pulses, told, town, untold

LED = Spread(0.3 * LENGTH, 0.001 * LENGTH, 0)
"""How far steps in random directions lead."""
TOWN = town()


def flowing(**norms: Any) -> Evidence:
    return town(pulses=pulses(**norms))


def often(times: int, value: float, otherwise: float) -> np.ndarray:
    """Return one value for a given number of the last steps, and another for the rest."""
    values = np.full(STEP, otherwise)
    values[STEP - times :] = value
    return values


def test_a_gradient_vanishes_below_a_hundredth_of_the_strongest() -> None:
    assert judge(11, flowing(least_norm=0.0101), flowing(least_norm=0.0099)) == [HOLDS, FAILING]
    assert judge(11, flowing(least_norm=0.0, most_norm=0.0)) == [FAILING]


def dry(times: int) -> Evidence:
    """Return evidence of a layer whose gradient vanishes in `times` of 5,000 steps."""
    return flowing(least_norm=often(times, 0.001, 0.1))


def flooded(times: int, by: float = 11.0) -> Evidence:
    """Return evidence in which all layers' gradients explode in `times` of 5,000 steps, `by` times their
    usual norm.
    """
    return flowing(most_norm=often(times, by, 1.0), least_norm=often(times, by / 10, 0.1))


def test_vanishing_and_exploding_gradients_are_rare() -> None:
    for steps in (dry, flooded):
        assert judge(11, *map(steps, (5, 6, 499, 500))) == [HOLDS, CONDITIONAL, CONDITIONAL, FAILING]


def test_a_gradient_explodes_above_ten_times_its_median() -> None:
    assert judge(11, flooded(400, 9.9), flooded(400, 10.1)) == [HOLDS, CONDITIONAL]


def test_exploding_every_two_hundredth_step_fails() -> None:
    exploding = np.where(np.arange(1, STEP + 1) % 200 == 0, 1e6, 1.0)
    assert judge(11, flowing(most_norm=exploding, least_norm=exploding / 10)) == [CONDITIONAL]


def test_the_weakest_layer_at_two_thousandths_has_vanished() -> None:
    assert judge(11, flowing(least_norm=0.002)) == [FAILING]


def test_a_single_layer_is_not_judged() -> None:
    found = find(11, flowing(least_norm=np.nan))
    assert (found.state, found.waits_for) == (UNMEASURED, "gradients_of_two_layers")
    null = find(11, flowing(least_norm=np.linspace(0.05, 0.55, STEP))).null
    assert (null and null.draws) == 20


def turned(now: float | None = 0.3, early: float | None = 4.0) -> Evidence:
    return town(newest=matrix(STEP, None, turn=now), first_turn=early)


def test_a_slight_turn_is_five_degrees_also_at_step_1() -> None:
    assert judge(12, turned(now=4.9), turned(now=5.1)) == [HOLDS, FAILING]
    assert judge(12, turned(early=4.9), turned(early=5.1), turned(early=None)) == [
        HOLDS,
        CONDITIONAL,
        CONDITIONAL,
    ]
    assert judge(12, turned(now=None), town(newest=None)) == [UNMEASURED, UNMEASURED]


def test_attention_has_shifted_by_a_twentieth() -> None:
    def shifted(*heads: float | None) -> Evidence:
        return told("probe", {"change": [[head] for head in heads]})

    assert judge(12, shifted(0.0, 0.102), shifted(0.0, 0.098)) == [HOLDS, CONDITIONAL]
    assert judge(12, shifted(None), untold("probe")) == [CONDITIONAL, CONDITIONAL]


def moving(between: float = np.nan, **steps: float) -> Evidence:
    """Return evidence in which the movement of batch rows differs around some steps, given as `at_`
    arguments.
    """
    pace = PACE | {int(name[3:]): share for name, share in steps.items()}
    return town(pulses=pulses(pace, between=between))


@pytest.mark.parametrize("step", PACE)
def test_a_small_shift_is_a_twentieth_of_a_rows_length_at_every_step(step: int) -> None:
    otherwise = FAILING if step == STEP else CONDITIONAL
    found = judge(15, *(moving(**{f"at_{step}": share}) for share in (0.0499, 0.0501)))
    assert found == [HOLDS, otherwise]


def journey(distance: float | None, walk: Spread | None = LED, **changes: Any) -> Evidence:
    """Return evidence of rows that are a distance away from their start, where a random walk would have led `walk`."""
    return town(shifted=distance, pulses=pulses(walk=walk, **changes))


def test_small_steps_lead_away_from_the_start() -> None:
    """Farther than half a row's length, and clearly farther than steps in random directions."""
    far = Spread(1.5 * LENGTH, 0.01 * LENGTH, 0)
    assert judge(15, journey(0.501 * LENGTH), journey(0.499 * LENGTH)) == [HOLDS, FAILING]
    assert judge(15, journey(1.531 * LENGTH, far), journey(1.529 * LENGTH, far)) == [HOLDS, FAILING]
    unknown = [journey(None), journey(2.0, None), town(pulses=replace(pulses(), walk=None))]
    assert judge(15, *unknown) == [CONDITIONAL] * 3
    assert judge(23, journey(0.499 * LENGTH), journey(1.529 * LENGTH, far), *unknown) == [CONDITIONAL] * 5
    found = find(15, journey(2.4))
    assert found.figures[0].value == pytest.approx(1.2)
    assert (found.null and (found.null.code, found.null.value)) == (
        "steps_in_random_directions",
        pytest.approx(0.3),
    )


def walked(seed: int, drift: float = 0.0) -> Evidence:
    """Return evidence of rows that make steps of a constant length, in directions drawn at random, with a component
    `drift` of one that stays.
    """
    draw = np.random.default_rng(seed)
    way, squares = np.zeros((80, WIDTH)), np.zeros(80)
    towards = draw.normal(size=way.shape)
    for _ in range(800):
        lit = draw.choice(80, size=20, replace=False)
        step = draw.normal(size=(20, WIDTH)) + drift * towards[lit]
        step *= 0.049 * LENGTH / np.linalg.norm(step, axis=1, keepdims=True)
        way[lit] += step
        squares += np.bincount(lit, minlength=80) * (0.049 * LENGTH) ** 2
    return journey(
        float(np.sqrt(np.square(way).sum(axis=1).mean())),
        _walk_at_random(squares, WIDTH),
        lit_distance=0.049 * LENGTH,
    )


def test_a_random_walk_shakes_no_landscape_and_settles_no_less_than_learning() -> None:
    walks = [walked(seed) for seed in range(8)]
    # They are well away from their start, and no farther than chance leads.
    assert all((find(15, walk).figures[0].value or 0) > 0.6 for walk in walks)
    assert judge(15, *walks) == [FAILING] * 8
    # Steps of a constant length never settle, whatever is learned: with this condition only.
    assert judge(23, *walks) == [CONDITIONAL] * 8
    assert judge(15, walked(0, drift=0.1)) == [HOLDS]
    assert judge(23, walked(0, drift=0.1)) == [HOLDS]


def test_rows_that_hardly_move_shift_no_ground() -> None:
    """A rate of 1e-9: all steps point the same way, and lead nowhere."""
    still = replace(
        journey(1e-5, Spread(1e-7, 1e-9, 0)),
        pulses=pulses(dict.fromkeys(PACE, 1e-9), walk=Spread(1e-7, 1e-9, 0)),
    )
    assert judge(15, still) == [FAILING]
    assert judge(23, still) == [CONDITIONAL]


def test_large_shifts_at_the_start_count() -> None:
    # Like the default run: small only at the end.
    real = town(pulses=pulses({1: 0.746, 10: 0.347, 100: 0.274, 1_000: 0.018, 2_500: 0.0085, 5_000: 0.006}))
    found = find(15, real)
    assert (found.state, said(found)["lit_row_moved"]["step"]) == (CONDITIONAL, 1)
    assert said(found)["lit_row_moved"]["share"] == pytest.approx(0.746)
    unkept = replace(real, row_lengths={STEP: LENGTH})
    assert judge(15, unkept, town(row_lengths={}), town(pulses=None)) == [CONDITIONAL, UNMEASURED, UNMEASURED]
    assert judge(15, replace(town(), row_lengths={**town().row_lengths, STEP: LENGTH / 6})) == [FAILING]


def test_the_pace_at_a_step_averages_the_tenth_of_the_steps_before_it() -> None:
    # Rows jump elsewhere; at the step itself a single one does.
    assert judge(15, moving(between=1.0)) == [HOLDS]
    paced = pulses()
    jumping = paced.lit_distance.copy()
    jumping[999] = 0.5 * LENGTH
    found = find(15, town(pulses=replace(paced, lit_distance=jumping)))
    assert found.state == HOLDS
    draws = {figure.step: figure.draws for figure in found.figures if figure.draws}
    # The last step, which none follows, has as many for its length.
    assert (draws[1_000], draws[5_000]) == (101, 501)


def test_every_step_is_in_the_record() -> None:
    assert judge(19, flowing(recorded=STEP), flowing(recorded=STEP - 1), flowing(recorded=1)) == [
        HOLDS,
        FAILING,
        FAILING,
    ]
    # The missing steps may be the last ones.
    assert judge(19, town(step=STEP + 1), town(step=100)) == [FAILING, HOLDS]
    sparse = replace(flowing(recorded=500), recorded_elsewhere=True)
    assert judge(19, sparse, flowing(seconds=np.nan), town(pulses=None)) == [
        CONDITIONAL,
        UNMEASURED,
        UNMEASURED,
    ]


def test_rows_that_keep_half_of_their_pace_do_not_arrive() -> None:
    ends = (0.0101, 0.0099, 0.00501, 0.00499, 0.0006)
    assert judge(23, *(moving(at_2500=0.02, at_5000=end) for end in ends)) == [
        HOLDS,
        CONDITIONAL,
        CONDITIONAL,
        FAILING,
        FAILING,
    ]


def slowing(power: float, last: int = STEP, noise: float = 0.0, seed: int = 0) -> Evidence:
    """Return evidence of rows that slow down as 1/step^power until `last`, of which up to a thousand steps were read."""
    steps = np.arange(1, STEP + 1)
    way = 0.5 * LENGTH / steps**power * (1 + noise * np.random.default_rng(seed).normal(size=STEP))
    read = np.isin(steps, np.linspace(1, last, min(last, 1_000)).astype(int))
    distance = np.where(read, np.abs(way), np.nan)
    return replace(
        TOWN,
        step=last,
        row_lengths=dict.fromkeys((1, last // 2, last), LENGTH),
        pulses=replace(pulses(), lit_distance=distance),
    )


@pytest.mark.parametrize("last", [600, 1_200, STEP])
def test_rows_that_settle_are_the_null_and_do_not_pass(last: int) -> None:
    kept = [find(23, slowing(power, last)) for power in (1.0, 1.05, 0.8)]
    assert [one.state for one in kept] == [CONDITIONAL, CONDITIONAL, HOLDS]
    assert kept[0].figures[0].value == pytest.approx(0.5, abs=0.002)


@pytest.mark.parametrize("last", [1_200, STEP])
def test_noisy_rows_that_settle_pass_as_seldom_as_stated(last: int) -> None:
    found = judge(23, *(slowing(1.0, last, 0.2, seed) for seed in range(200)))
    # The interval of 95 of 100 lies above the null in 2.5 of 100 draws: five of 200.
    assert found.count(HOLDS) <= 10


def test_a_pace_kept_without_significance_is_kept_in_part() -> None:
    def noisy(side: float) -> Evidence:
        steady = pulses(PACE | {2_500: 0.02, 5_000: 0.011})
        distance = steady.lit_distance.copy()
        distance[4_499::2] *= 1 - side
        distance[4_500::2] *= 1 + side
        return town(pulses=replace(steady, lit_distance=distance))

    # 501 steps: the interval reaches 0.048 of the pace down where the sides are 0.55 of it.
    assert judge(23, noisy(0.0), noisy(0.9), noisy(1.1)) == [HOLDS, HOLDS, CONDITIONAL]


def test_a_short_run_has_no_middle_to_compare_with() -> None:
    short = dict.fromkeys((1, 10, 19, 20, 38, 40), LENGTH)
    paced = pulses(dict.fromkeys(short, 0.01))
    runs = [town(step=step, pulses=paced, row_lengths=short) for step in (38, 40)]
    assert judge(23, *runs, town(row_lengths={STEP: LENGTH}), town(pulses=None)) == [
        UNMEASURED,
        HOLDS,
        UNMEASURED,
        UNMEASURED,
    ]
    assert judge(23, moving(at_2500=0.0)) == [UNMEASURED]
