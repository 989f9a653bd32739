"""Claims 1, 2, 3 and 14 on numbers on both sides of each threshold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lamplighter.claims.evidence import Evidence
from lamplighter.claims.intervals import Spread
from tests.support.evidences import CONDITIONAL, FAILING, HOLDS, UNMEASURED, find, judge, said
from tests.unit.claims.town import STEP, matrix, newest, order, readings, relation, told, town, untold

PLANTED = {"past": relation(), "plural": relation()}


def started(purity: float, step: int = 0) -> Evidence:
    return town(first=matrix(step, order(purity)))


def test_a_start_is_random_within_three_deviations_of_chance() -> None:
    assert judge(1, *map(started, (0.0109, 0.0051, 0.0111, 0.0049))) == [HOLDS, HOLDS, FAILING, FAILING]
    assert said(find(1, started(0.0109)))["deviations_from_chance"]["deviations"] == pytest.approx(
        2.9, abs=0.05
    )


def test_an_order_that_appeared_later_says_nothing_about_the_start() -> None:
    late = find(1, started(0.9, 5))
    assert (late.state, late.waits_for) == (UNMEASURED, "matrix_of_step_0")
    assert judge(1, started(0.0109, 5), town(first=None)) == [HOLDS, UNMEASURED]


def test_without_classes_the_starts_nearest_cosine_is_that_of_random_directions() -> None:
    def unclassed(cosine: float) -> Evidence:
        first = matrix(0, None, nearest_cosine=cosine)
        return town(first=first, chance_cosine=Spread(0.42, 0.01, 20))

    known = [unclassed(cosine) for cosine in (0.449, 0.391, 0.451, 0.389)]
    assert judge(1, *known, replace(known[0], chance_cosine=None)) == [
        HOLDS,
        HOLDS,
        FAILING,
        FAILING,
        UNMEASURED,
    ]


@pytest.mark.parametrize("purity", [0.008, 0.085, 0.102, 0.2, 0.22])
def test_the_order_from_topics_alone_is_not_coming_together(purity: float) -> None:
    assert judge(2, newest(order(purity))) == [FAILING]


def test_words_have_come_together_from_half_of_the_possible_gain() -> None:
    # The lower end of the interval counts: 0.006 below the mean.
    assert judge(2, *(newest(order(purity)) for purity in (0.5125, 0.508, 0.265, 0.26))) == [
        HOLDS,
        CONDITIONAL,
        CONDITIONAL,
        FAILING,
    ]
    assert judge(2, newest(order(0.5125, 0.01)), newest(order(0.265, 0.01))) == [CONDITIONAL, FAILING]


def test_the_control_must_be_significantly_less_pure() -> None:
    def beside(control: float, own: float = 0.9, error: float = 0.01) -> Evidence:
        return replace(newest(order(own, error)), control=newest(order(control, error)))

    # Intervals of 0.0196 to each side: together 0.0392.
    assert judge(2, beside(0.22), beside(0.86), beside(0.862), beside(0.9)) == [
        HOLDS,
        HOLDS,
        FAILING,
        FAILING,
    ]
    # A control without a matrix does not count, nor one that has hardly begun.
    assert judge(2, replace(town(), control=town(newest=None))) == [HOLDS]
    begun = [replace(town(), control=town(newest=matrix(step, order(0.98)))) for step in (2_499, 2_500)]
    assert judge(2, *begun) == [HOLDS, FAILING]


def test_words_that_came_together_may_separate_again() -> None:
    def after(best: float) -> Evidence:
        return replace(newest(order(0.9)), measures={2_500: {"purity_10nn": best}})

    assert judge(2, after(0.949), after(0.951)) == [HOLDS, CONDITIONAL]
    assert said(find(2, after(0.951)))["told_apart"] == {"share": 0.951, "step": 2_500}


def test_during_training_more_than_chance_is_a_beginning() -> None:
    def learning(purity: float) -> Evidence:
        return replace(newest(order(purity)), training=True)

    assert judge(2, learning(0.0109), learning(0.0111)) == [FAILING, CONDITIONAL]
    assert "training_is_not_over" in said(find(2, learning(0.0111)))


def test_without_classes_or_a_matrix_the_claim_is_unmeasured() -> None:
    unclassed = town(newest=matrix(STEP, None), classes=False)
    assert judge(2, town(newest=None), unclassed) == [UNMEASURED, UNMEASURED]
    assert find(2, unclassed).waits_for == "planted_kinds"


def substituted(**numbers: Any) -> Evidence:
    return told("substitution", {name.replace("__", "."): value for name, value in numbers.items()})


def test_a_near_word_does_at_most_half_the_harm_of_a_random_one() -> None:
    assert judge(3, substituted(near__rise=4.9), substituted(near__rise=5.1)) == [HOLDS, CONDITIONAL]


def test_a_near_word_does_significantly_less_harm() -> None:
    surely, hardly = (substituted(chance_less_near__mean=mean) for mean in (0.91, 0.89))
    assert judge(3, surely, hardly) == [HOLDS, CONDITIONAL]


def test_most_relations_are_directions() -> None:
    answered, not_answered = relation(), relation(0.2)
    two_of_three = town(relations={"a": answered, "b": answered, "c": not_answered})
    one_of_two = town(relations={"a": answered, "b": not_answered})
    assert judge(3, two_of_three, one_of_two) == [HOLDS, CONDITIONAL]


def test_length_must_follow_frequency_now() -> None:
    assert judge(3, newest(length_follows=0.71), newest(length_follows=0.69)) == [HOLDS, CONDITIONAL]
    once = {100: {"length_log_count_spearman": 0.9}}
    later = replace(newest(length_follows=0.5), measures=once)
    assert judge(3, later, town(newest=None, measures=once)) == [CONDITIONAL, HOLDS]
    assert said(find(3, later))["length_followed"] == {"correlation": 0.9, "step": 100}


def test_lengths_of_few_words_follow_frequency_by_chance() -> None:
    # Three deviations of a correlation of 20 words are 0.69, and of 19 words 0.71.
    enough, few = (replace(newest(length_follows=0.705), rows=rows) for rows in (20, 19))
    assert judge(3, enough, few) == [HOLDS, CONDITIONAL]


def test_unknown_readings_do_not_count_as_holding() -> None:
    # A text without planted relations has at most two of three.
    assert (
        judge(3, town(relations={}), untold("substitution"), newest(length_follows=None)) == [CONDITIONAL] * 3
    )
    for missing in (
        "near",
        "chance",
        "chance_less_near",
        "chance_less_near__mean",
        "chance_less_near__error",
    ):
        found = find(3, substituted(**{missing: None}))
        assert (found.state, "near_is_not_measured" in said(found)) == (CONDITIONAL, True), missing


def test_none_of_three_readings_holds() -> None:
    none = told("substitution", {"near.rise": 9.0}, newest(length_follows=0.1))
    none = replace(none, relations={"past": relation(0.1)})
    assert judge(3, none, replace(none, training=True)) == [FAILING, CONDITIONAL]
    without = untold("substitution", newest=none.newest, relations=none.relations)
    assert (find(3, without).state, bool(find(3, without).waits_for)) == (UNMEASURED, True)
    assert judge(3, untold("substitution", newest=None, relations={}, measures={})) == [UNMEASURED]


def test_a_relation_needs_half_of_its_questions_answered() -> None:
    half, less = ({**PLANTED, "past": relation(score, 1_000)} for score in (0.51, 0.49))
    assert judge(14, town(relations=half), town(relations=less)) == [HOLDS, CONDITIONAL]


@pytest.mark.parametrize("other", ["right_class", "nearest_of_c"])
def test_a_relation_is_answered_significantly_better_than_without_a_sum(other: str) -> None:
    # Wilson's interval of 0.8 of 100, three deviations to each side, begins at 0.658.
    better, alike = ({**PLANTED, "past": replace(relation(), **{other: share})} for share in (0.655, 0.66))
    assert judge(14, town(relations=better), town(relations=alike)) == [HOLDS, CONDITIONAL]
    assert judge(3, town(relations=better), town(relations=alike)) == [HOLDS, CONDITIONAL]


def test_relations_are_not_draws_of_one_null() -> None:
    null = find(14, town(relations={"a": relation(nearest=0.6), "b": relation(nearest=0.1)})).null
    assert null is not None
    assert (null.value, null.low, null.high, null.draws) == (0.35, 0.1, 0.6, 0)


def test_few_pairs_show_little_in_any_number_of_questions() -> None:
    enough, few = (relation(0.83, pairs, nearest=0.62) for pairs in (50, 46))
    assert judge(14, town(relations={"opposites": enough}), town(relations={"opposites": few})) == [
        HOLDS,
        CONDITIONAL,
    ]


def test_a_word_separates_more_than_before_the_layers_and_in_the_untrained_model() -> None:
    def apart(first: float, last: float, untrained: float | None) -> Evidence:
        return told("probe", {"readings": readings((first, last), untrained)})

    assert judge(14, apart(0.705, 0.6, 0.9), apart(0.695, 0.6, 0.9)) == [HOLDS, CONDITIONAL]
    assert judge(14, apart(0.9, 0.6, 0.705), apart(0.9, 0.6, 0.695)) == [HOLDS, CONDITIONAL]
    assert judge(14, apart(0.705, 0.6, None), apart(0.695, 0.6, None)) == [HOLDS, CONDITIONAL]
    # The board's own question has two sentences. With the same sentence twice nothing separates.
    assert judge(14, apart(1.0, 1.0, 1.0)) == [CONDITIONAL]
    assert said(find(14, apart(0.705, 0.6, 0.9)))["word_in_two_sentences"]["after"] == 0.6


def test_of_several_words_the_one_that_separates_most_counts() -> None:
    found = readings((0.99, 0.9), 0.95)
    found[0]["words"].append({"cosines": [0.99, 0.9, 0.5]})
    found[1]["words"].append({"cosines": [0.99, 0.95]})
    assert judge(14, told("probe", {"readings": found})) == [HOLDS]
    assert judge(14, told("probe", {"readings": readings((0.99, 0.9), 0.95)})) == [CONDITIONAL]


def test_meaning_in_part_and_no_meaning() -> None:
    nothing_apart = {"readings": readings((1.0, 1.0), 1.0)}
    unplanted = town(relations={})
    assert judge(14, unplanted, told("probe", nothing_apart, unplanted)) == [CONDITIONAL, FAILING]
    assert judge(14, replace(told("probe", nothing_apart, unplanted), training=True)) == [CONDITIONAL]
    # At least better than guessing the class: the interval of 0.2 of 100 begins at 0.107.
    known, guessed = (town(relations={"past": relation(0.2, right_class=share)}) for share in (0.105, 0.11))
    assert judge(14, told("probe", nothing_apart, known), told("probe", nothing_apart, guessed)) == [
        CONDITIONAL,
        FAILING,
    ]
    assert judge(14, untold("probe"), untold("probe", relations={})) == [CONDITIONAL, UNMEASURED]
