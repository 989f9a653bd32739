"""The rules of the claims: under which condition each holds, and under which it is shown failing."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lamplighter
from lamplighter.claims.claim import ClaimState
from lamplighter.claims.evidence import CityRanks, EnergyFigures, Evidence
from lamplighter.claims.matrix_figures import compare_cities
from lamplighter.examination.kinds.microscope import examine as examine_microscope
from lamplighter.questions import MicroscopeQuestion
from tests.unit.claims.evidences import find, gather, microscope, with_answer
from tests.unit.examination.village import Village, ignore_progress, record_village, village_text

HOLDS, CONDITIONAL, FAILING, UNMEASURED = ClaimState
SHORT = {"steps": 60, "cadence": {"checkpoint_every": 60, "verify_every": 1}}


@pytest.fixture(scope="module")
def lazy(tmp_path_factory: pytest.TempPathFactory) -> Village:
    """Train a village with the lazy rule, on few sequences, so that most of it sleeps."""
    return record_village(tmp_path_factory.mktemp("lazy"), sequences=1, passages=1)


@pytest.fixture(scope="module")
def evidence(lazy: Village) -> Evidence:
    return with_chance(gather(lazy.run))


def with_chance(evidence: Evidence) -> Evidence:
    """Return evidence with the purity of chance, which the analyst measures."""
    return replace(evidence, measures={evidence.step: {"purity_chance": 0.31}})


def trained(folder: Path, text: str | None = None, **fields: object) -> Village:
    return record_village(folder, text, **{**SHORT, "sequences": 1, "passages": 1, **fields})


def answer_of(village: Village) -> dict[str, Any]:
    step = 60
    return examine_microscope(village.examined(step - 1), MicroscopeQuestion(step=step), ignore_progress)


def test_both_cities_are_compared_at_the_last_kept_state(evidence: Evidence) -> None:
    assert evidence.pair_ranks is not None
    assert evidence.pair_ranks.step == evidence.step
    assert find(24, evidence).waits_for is None


def test_a_damaged_state_of_the_model_takes_nothing_else_with_it(tmp_path: Path) -> None:
    village = trained(tmp_path)
    for state in village.run.checkpoints.glob("*.safetensors"):
        state.write_bytes(b"damaged")
    found = with_chance(gather(village.run))
    assert found.pair_ranks is None
    assert found.no_output_matrix
    assert found.newest is not None
    assert find(2, found).waits_for is None


def test_without_step_1_a_slight_turn_is_not_shown_whole(evidence: Evidence) -> None:
    assert evidence.newest is not None
    slight = replace(evidence, newest=replace(evidence.newest, turn=0.5))
    assert find(12, replace(slight, first_turn=2.0)).state == HOLDS
    assert find(12, replace(slight, first_turn=None)).state == CONDITIONAL


def test_words_of_a_text_in_random_order_do_not_come_together(evidence: Evidence, tmp_path: Path) -> None:
    assert evidence.newest is not None
    assert evidence.newest.purity is not None
    assert evidence.newest.purity > 0.6
    assert find(2, evidence).state == HOLDS
    words = village_text().split()
    random.Random(1).shuffle(words)
    shuffled = with_chance(gather(trained(tmp_path, " ".join(words)).run))
    found = find(2, shuffled)
    assert found.state == FAILING, found.reason
    assert found.null is not None
    assert found.null.value == 0.31


def test_words_that_came_together_may_be_told_apart(evidence: Evidence) -> None:
    measures = {100: {"purity_10nn": 1.0, "purity_chance": 0.1}, evidence.step: {"purity_10nn": 0.8}}
    apart = replace(evidence, measures=measures, newest=None)
    assert find(2, apart).state == CONDITIONAL
    assert find(2, replace(evidence, classes=False, newest=None, measures={})).waits_for


def test_a_start_with_order_is_no_random_one(evidence: Evidence) -> None:
    assert find(1, evidence).state == HOLDS
    first = evidence.first
    assert first is not None
    assert find(1, replace(evidence, first=replace(first, purity=0.9))).state == FAILING
    late = find(1, replace(evidence, first=replace(first, purity=0.9, step=5)))
    assert (late.state, "step 0" in str(late.waits_for)) == (UNMEASURED, True)
    # Without classes nearness itself is compared with that of random directions.
    unclassed = replace(evidence, first=replace(first, purity=None))
    assert find(1, unclassed).state == HOLDS
    assert (
        find(1, replace(unclassed, first=replace(first, purity=None, nearest_cosine=0.99))).state == FAILING
    )


def test_length_follows_frequency_and_then_less(evidence: Evidence) -> None:
    name = "length_log_count_spearman"
    for series, state in (
        ((0.1, 0.85), HOLDS),
        ((0.85, 0.4), CONDITIONAL),
        ((0.1, 0.05), FAILING),
        ((), UNMEASURED),
    ):
        measures = {10 * step: {name: value} for step, value in enumerate(series)}
        assert find(3, replace(evidence, measures=measures)).state == state, series


def test_dense_adam_wakes_sleepers(evidence: Evidence, tmp_path: Path) -> None:
    found = find(6, evidence)
    assert found.state == HOLDS, found.reason
    dense = gather(trained(tmp_path, optimiser={"kind": "adam", "learning_rate": 6e-3}).run)
    found = find(6, dense)
    assert found.state == FAILING, found.reason
    assert "nobody had read" in found.reason
    # The run's own rule is the counter-example already.
    assert find(9, dense).state == HOLDS
    assert find(9, evidence).state == UNMEASURED


def test_nothing_drifts_after_a_single_step(evidence: Evidence) -> None:
    def bench(*recipes: tuple[str, int, int]) -> Evidence:
        rows = [
            {"name": name, "batch_rows": 5, "gradient_rows": gradient, "moved_rows": moved}
            for name, gradient, moved in recipes
        ]
        return with_answer(evidence, "bench", recipes=rows)

    assert find(9, bench(("lazy", 5, 5), ("adam", 5, 40), ("tied", 50, 50))).state == HOLDS
    assert find(9, bench(("lazy", 5, 5), ("adam", 5, 5), ("tied", 50, 50))).state == CONDITIONAL
    assert find(9, bench(("lazy", 5, 5), ("adam", 5, 5))).state == FAILING
    assert find(9, bench(("lazy", 5, 5))).state == UNMEASURED


def test_updates_of_few_rows_save_little_where_the_rest_costs_more(evidence: Evidence) -> None:
    def saving(arithmetic: float) -> ClaimState:
        totals = {"forward": arithmetic, "backward": 0.0, "update": 0.0}
        return find(8, with_answer(evidence, "microscope", operations={"totals": totals})).state

    assert [saving(1e3), saving(1e5), saving(1e9)] == [HOLDS, CONDITIONAL, FAILING]


def test_geometry_is_answered_or_not(evidence: Evidence) -> None:
    def measured(**scores: float) -> Evidence:
        values = {f"analogy {name}": score for name, score in scores.items()} | {"analogy_chance": 0.01}
        return replace(evidence, measures={evidence.step: values})

    assert find(14, measured(plural=0.8, past=0.6)).state == HOLDS
    alone = replace(measured(plural=0.8, past=0.6), nearest_alone={"plural": 0.1, "past": 0.5})
    assert find(14, alone).state == CONDITIONAL
    assert find(14, measured(plural=0.8, past=0.0)).state == CONDITIONAL
    assert find(14, measured(plural=0.05, past=0.0)).state == FAILING
    # What is not learned yet does not fail yet.
    learning = find(14, replace(measured(plural=0.05, past=0.0), training=True))
    assert learning.state == CONDITIONAL
    assert learning.reason.endswith("the training is not over.")
    words = {"id": 1, "positions": [0, 0], "cosines": [1.0, 0.4]}
    readings = [{"step": evidence.step, "words": [words]}, {"step": 0, "words": []}]
    apart = with_answer(measured(plural=0.8), "probe", readings=readings, change=[[0.5]])
    found = find(14, apart)
    assert (found.state, found.figures[1].value) == (HOLDS, 0.4)
    words["cosines"] = [1.0, 1.0]
    assert find(14, apart).state == CONDITIONAL


def test_right_guesses_have_a_share_once_there_are_some(evidence: Evidence, lazy: Village) -> None:
    real = examine_microscope(
        lazy.examined(evidence.step - 1), MicroscopeQuestion(step=evidence.step), ignore_progress
    )
    assert find(21, with_answer(evidence, **real | {"kind": "microscope"})).state in (HOLDS, CONDITIONAL)
    none = {"positions": 0, "of": 96, "gradient_share": 0.0}
    assert find(21, with_answer(evidence, "microscope", **microscope(right_guesses=none))).state == FAILING
    few = {"positions": 1, "of": 96, "gradient_share": 0.01}
    assert find(21, with_answer(evidence, "microscope", **microscope(right_guesses=few))).state == CONDITIONAL


def test_in_the_first_steps_better_here_is_better_there(evidence: Evidence) -> None:
    def better(same: float, other: float) -> ClaimState:
        return find(22, with_answer(evidence, "better", shares={"same": same, "other": other})).state

    assert better(1.0, 0.55) == HOLDS
    assert better(1.0, 0.85) == CONDITIONAL
    assert better(1.0, 1.0) == FAILING
    one = find(22, with_answer(evidence, "microscope", **microscope()))
    assert (one.state, one.waits_for is not None) == (ClaimState.UNMEASURED, True)
    assert len(one.figures) == 2


def test_with_a_dense_rule_the_city_does_not_sleep(evidence: Evidence, tmp_path: Path) -> None:
    small = with_answer(evidence, "microscope", **microscope())
    assert find(26, small).state == HOLDS
    assert find(26, small).waits_for is not None
    sizes = [{"tokens": 512, "share": 0.05}, {"tokens": 131_072, "share": 0.99}]
    measured = find(26, with_answer(small, "batch_sizes", sizes=sizes))
    assert (measured.state, measured.waits_for) == (HOLDS, None)
    assert "99 %" in measured.reason
    flat = [{"tokens": 512, "share": 0.05}, {"tokens": 131_072, "share": 0.06}]
    assert find(26, with_answer(small, "batch_sizes", sizes=flat)).state == CONDITIONAL
    dense = trained(tmp_path, optimiser={"kind": "adam", "learning_rate": 6e-3})
    real = answer_of(dense) | {"kind": "microscope"}
    assert find(26, with_answer(gather(dense.run), **real)).state == FAILING


def test_plain_descent_goes_straight_down(evidence: Evidence, tmp_path: Path) -> None:
    sgd = trained(tmp_path, optimiser={"kind": "sgd", "learning_rate": 0.05, "embedding_factor": 1.0})
    found = find(27, with_answer(gather(sgd.run), **answer_of(sgd) | {"kind": "microscope"}))
    assert found.state == FAILING, found.reason
    assert find(27, with_answer(evidence, "microscope", **microscope())).state == HOLDS
    assert find(27, with_answer(evidence, "microscope", **microscope(cosine=0.95))).state == CONDITIONAL


def test_the_map_is_the_last_to_know(evidence: Evidence) -> None:
    def environment(loss: float, purity: float) -> ClaimState:
        curve = [
            {"step": 0, "loss_first": 1.0, "purity_in_first": 0.9},
            {"step": 300, "loss_first": loss, "purity_in_first": purity},
            {"step": 350, "loss_first": 1.1, "purity_in_first": 0.9},
        ]
        answered = with_answer(evidence, "environment", curve=curve, turned_back_at=300, chance=0.01)
        return find(13, answered).state

    assert [environment(3.0, 0.2), environment(3.0, 0.85), environment(1.1, 0.9)] == [
        HOLDS,
        CONDITIONAL,
        FAILING,
    ]


def test_two_matrices_the_price_of_order_and_two_devices(evidence: Evidence) -> None:
    assert find(24, replace(evidence, tied=True)).state == FAILING
    large = replace(evidence, rows=2_382)
    ranks = CityRanks(250, ("dog", "cat"), (15, 13), (1, 1), 0.46)
    assert find(24, replace(large, pair_ranks=ranks)).state == HOLDS
    # Two that are the same, and two in which nothing is learned yet.
    assert find(24, replace(large, pair_ranks=replace(ranks, shared=0.9))).state == CONDITIONAL
    draw = np.random.default_rng(0)
    first, second = draw.standard_normal((2, 2_382, 24)).astype(np.float32)
    random = replace(ranks, shared=compare_cities(first, second))
    assert find(24, replace(large, pair_ranks=random)).state == CONDITIONAL
    assert compare_cities(first, first) == 1
    unkept = replace(evidence, pair_ranks=None, no_output_matrix="no state is kept")
    assert "no state is kept" in find(24, unkept).reason

    order = {step: {"neighbour_information": bits} for step, bits in ((0, 0.5), (100, 6.0), (200, 6.1))}
    energy = EnergyFigures(("processor",), {0: 0.0, 100: 50.0, 200: 100.0})
    priced = replace(evidence, measures=order, energy=energy)
    assert find(16, priced).state == CONDITIONAL
    unpriced = replace(priced, energy=None)
    assert "was not measured while it trained" in find(16, unpriced).reason
    assert "kept while it trains" in find(16, replace(unpriced, training=True)).reason
    order[100]["neighbour_information"] = 2.0
    assert find(16, priced).state == HOLDS
    # Energy that was read from step 100 on says nothing of what came before.
    assert find(16, replace(priced, energy=replace(energy, since=100))).waits_for is not None

    measured = {"dense_bytes": 10.0, "lazy_bytes": 5.0, "difference": 1e-7, "largest": 0.1}
    devices = {"formula": {"dense_bytes": 10.0, "lazy_bytes": 5.0}, "measured": measured}
    assert find(18, with_answer(evidence, "devices", **devices)).state == HOLDS
    measured["difference"] = 1e-3
    assert find(18, with_answer(evidence, "devices", **devices)).state == CONDITIONAL


def test_older_rows_are_strange_and_nothing_rests(evidence: Evidence) -> None:
    def transplant(after: float) -> ClaimState:
        losses = {"before": 1.0, "after": after}
        return find(28, with_answer(evidence, "transplant", loss=losses, chance=3.0, source_step=25)).state

    assert [transplant(3.0), transplant(1.05), transplant(1.0)] == [HOLDS, CONDITIONAL, FAILING]
    assert find(23, evidence).state == HOLDS
    pulses = evidence.pulses
    assert pulses is not None
    resting = pulses.lit_distance.copy()
    resting[len(resting) // 2 :] = 0
    assert find(23, replace(evidence, pulses=replace(pulses, lit_distance=resting))).state == FAILING


def test_a_record_of_one_layer_has_no_river(tmp_path: Path) -> None:
    matrix = np.random.default_rng(0).standard_normal((5, 4)).astype(np.float32)
    tokens = [f"word{number}" for number in range(5)]
    with lamplighter.record(tmp_path / "mine", tokens, embedding=matrix) as recorder:
        recorder.step(matrix + 1, [0, 1], 1.0, gradient_norms=np.arange(5.0))
    run = recorder.run
    assert run is not None
    found = find(11, gather(run))
    assert (found.state, found.waits_for) == (
        UNMEASURED,
        "a step with the gradients of at least two layers",
    )
