"""Claims 1, 2, 3 and 14: words used alike come together, and directions acquire meaning."""

from __future__ import annotations

from collections.abc import Mapping

from lamplighter.claims.claim import (
    Claim,
    ClaimRole,
    ClaimState,
    Figure,
    Finding,
    Link,
    Reading,
    Sentence,
    Values,
    choose_state,
    spread_figure,
    tell,
    view,
    waiting,
    waiting_for_answer,
    word_card,
)
from lamplighter.claims.evidence import Evidence, OrderFigures, RelationFigures
from lamplighter.claims.intervals import CLEAR, Spread, share_interval
from lamplighter.contract.answers import ProbeAnswer, SubstitutionAnswer

GROUPED, PARTLY = 0.5, 0.25
"""Minimum rescaled purity at which words of a class have come together, and have begun to. Topics alone give
a shuffled text a tenth.
"""
TOLD_APART = 0.05
"""Drop of purity from its maximum beyond which the classes are separating again."""
FOLLOWS = 0.7
"""Minimum rank correlation at which length follows frequency."""
REPLACEABLE = 0.5
"""Maximum harm of the nearest word, relative to that of a random word."""
ANSWERED = 0.5
"""Minimum share of a relation's analogies for it to count as answered."""
MAX_DEVIATIONS = 1_000
"""Distances of more standard deviations than this are not given as a number."""
SEPARATED = 0.1
"""Minimum fall of a cosine, relative to the untrained model, at which a word has separated in two
sentences.
"""


def find_random_start(evidence: Evidence) -> Finding:
    """Return whether the first matrix has no more order than chance."""
    first = evidence.first
    if first is None:
        return waiting("first_matrix")
    nearest = Figure("cosine_of_a_row_with_its_nearest", first.nearest_cosine, step=first.step)
    if first.order is not None:
        purity, dealt = first.order.purity.mean, first.order.purity_dealt
        figures = (Figure("purity_of_the_ten_nearest", purity, "share", first.step), nearest)
        null = spread_figure("labels_dealt_at_random", dealt, "share")
        far = dealt.score(purity)
        measured = tell("own_kind_at_step", step=first.step, share=purity)
    elif evidence.chance_cosine is not None:
        figures = (nearest,)
        null = spread_figure("random_directions", evidence.chance_cosine)
        far = evidence.chance_cosine.score(first.nearest_cosine)
        measured = tell("nearest_cosine_at_step", step=first.step, cosine=first.nearest_cosine)
    else:
        return waiting("first_matrix", nearest)
    # If chance does not vary, the distance in deviations is infinite.
    distance = (
        tell("deviations_from_chance", deviations=far)
        if abs(far) < MAX_DEVIATIONS
        else tell("far_from_chance")
    )
    reason = (measured, distance)
    if abs(far) <= CLEAR:
        return Finding(ClaimState.HOLDS, reason, figures, null)
    if first.step:
        return Finding(ClaimState.UNMEASURED, reason, figures, null, "matrix_of_step_0")
    return Finding(ClaimState.FAILING, (*reason, tell("not_begun_at_random")), figures, null)


def find_pulled_together(evidence: Evidence) -> Finding:
    """Return whether words of one class have come together, and stayed together."""
    newest = evidence.newest
    order = None if newest is None else newest.order
    if newest is None or order is None:
        return waiting("kept_matrix" if evidence.classes else "planted_kinds")
    series = {**evidence.series("purity_10nn"), newest.step: order.purity.mean}
    best_step = max(series, key=lambda step: series[step])
    now, best = order.purity.mean, series[best_step]
    figures = [
        spread_figure("purity_of_the_ten_nearest", order.purity, "share", newest.step),
        Figure("the_most_so_far", best, "share", best_step),
        Figure("of_what_there_is_to_gain", order.grouped, "share", newest.step),
        spread_figure("chance", order.purity_dealt, "share"),
    ]
    null = spread_figure("labels_dealt_at_random", order.purity_dealt, "share")
    reason = [tell("own_kind", share=now, dealt=order.purity_dealt.mean)]
    control = _control_order(evidence, newest.step)
    beyond = control is None or order.purity.low > control.purity.high
    if control is not None:
        null = spread_figure("shuffled_words", control.purity, "share")
        reason.append(tell("own_kind_on_shuffled_words", share=control.purity.mean))
    grouped = order.surely_grouped >= GROUPED and beyond
    fallen = best - now > TOLD_APART
    if fallen:
        reason.insert(0, tell("told_apart", share=best, step=best_step))
    begun = order.surely_grouped >= PARTLY and beyond
    learning = evidence.training and order.purity_dealt.score(now) > CLEAR
    if evidence.training and not grouped:
        reason.append(tell("training_is_not_over"))
    state = choose_state(grouped and not fallen, begun or learning)
    return Finding(state, tuple(reason), tuple(figures), null)


def _control_order(evidence: Evidence, step: int) -> OrderFigures | None:
    """Return the order of the control; None if it has trained for less than half of `step`."""
    newest = None if evidence.control is None else evidence.control.newest
    return None if newest is None or 2 * newest.step < step else newest.order


def find_what_geometry_says(evidence: Evidence) -> Finding:
    """Return how many of three readings hold: on near words, on directions, and on lengths."""
    readings = (_read_substitution(evidence), _read_relations(evidence), _read_lengths(evidence))
    figures = tuple(figure for reading in readings for figure in reading.figures)
    null = readings[0].null
    known = [reading for reading in readings if reading.holds is not None]
    if not known:
        return waiting_for_answer(evidence, "substitution", *figures, null=null)
    holding = sum(reading.holds is True for reading in known)
    reason = [tell("readings_hold", holding=holding, readings=len(readings))]
    reason += [sentence for reading in readings for sentence in reading.reason]
    if evidence.training:
        reason.append(tell("training_is_not_over"))
    state = choose_state(holding == len(readings), bool(holding) or evidence.training)
    waits_for = "substitution" if readings[0].holds is None else None
    if state is ClaimState.FAILING and waits_for:
        state = ClaimState.UNMEASURED
    return Finding(state, tuple(reason), figures, null, waits_for)


def _read_substitution(evidence: Evidence) -> Reading:
    """Return the effect of replacing a word by its nearest; random words are the null."""
    answer = evidence.answer(SubstitutionAnswer)
    near, chance = (None, None) if answer is None else (answer.near.rise, answer.chance.rise)
    less = None if answer is None else answer.chance_less_near
    if answer is None or near is None or chance is None or less is None:
        return Reading(None, (tell("near_is_not_measured"),))
    if less.mean is None or less.error is None:
        return Reading(None, (tell("near_is_not_measured"),))
    harm = Spread(near, answer.near.error or 0.0, answer.sentences)
    null = Spread(chance, answer.chance.spread or 0.0, answer.draws)
    return Reading(
        less.mean > CLEAR * less.error and near <= REPLACEABLE * chance,
        (tell("nearest_word_costs", near=near, random=chance),),
        (spread_figure("harm_of_the_nearest_word", harm, "nats", answer.step),),
        spread_figure("word_drawn_at_random", null, "nats"),
    )


def _read_relations(evidence: Evidence) -> Reading:
    """Return how many relations are directions."""
    relations = evidence.relations
    if not relations:
        return Reading(None, (tell("direction_is_not_measured"),))
    answered = sum(map(_is_answered, relations.values()))
    return Reading(
        answered > len(relations) / 2,
        (tell("relations_are_directions", answered=answered, relations=len(relations)),),
        (Figure("analogies_on_average", _mean(relations), "share"),),
    )


def _read_lengths(evidence: Evidence) -> Reading:
    """Return how row length follows word frequency."""
    newest = evidence.newest
    lengths = evidence.series("length_log_count_spearman")
    if newest is not None and newest.length_follows is not None:
        lengths = {**lengths, newest.step: newest.length_follows}
    if not lengths:
        return Reading(None, (tell("length_is_not_measured"),))
    last, best_step = max(lengths), max(lengths, key=lambda step: lengths[step])
    now, best = lengths[last], lengths[best_step]
    # The standard deviation of a rank correlation under random assignment of the counts.
    dealt = Spread(0.0, (max(2, evidence.rows) - 1) ** -0.5, 0)
    reason = [tell("length_follows", correlation=now)]
    if best > now:
        reason.append(tell("length_followed", correlation=best, step=best_step))
    return Reading(
        now >= FOLLOWS and dealt.score(now) > CLEAR,
        tuple(reason),
        (
            Figure("rank_correlation_of_length_and_frequency", now, step=last),
            Figure("the_most_so_far", best, step=best_step),
            spread_figure("length_and_frequency_by_chance", dealt),
        ),
    )


def find_geometry_emerges(evidence: Evidence) -> Finding:
    """Return whether relations are answered and one word has separated in two sentences."""
    relations, apart = evidence.relations, _separation(evidence)
    answer = evidence.answer(ProbeAnswer)
    figures: list[Figure] = []
    reason: list[Sentence] = []
    null = None
    answered = sum(map(_is_answered, relations.values()))
    if relations:
        less = {name: max(one.nearest_of_c, one.right_class) for name, one in relations.items()}
        # Each relation has its own null, so they are no draws of a common one.
        shares = list(less.values())
        null = Figure(
            "without_a_sum_on_average",
            sum(shares) / len(shares),
            "share",
            low=min(shares),
            high=max(shares),
        )
        figures.append(Figure("analogies_on_average", _mean(relations), "share"))
        for name, one in relations.items():
            low, high = share_interval(one.score, one.pairs, CLEAR)
            named: Values = {"relation": name}
            figures += [
                Figure("analogies", one.score, "share", None, low, high, one.pairs, named),
                Figure("without_a_sum", less[name], "share", values=named),
            ]
        reason.append(tell("relations_answered", answered=answered, relations=len(relations)))
    separated = None
    if apart is not None and answer is not None:
        now, before, untrained = apart
        separated = now < min(before, before if untrained is None else untrained) - SEPARATED
        figures += [
            Figure("cosine_in_two_sentences", now, step=answer.step),
            Figure("cosine_before_the_first_layer", before, step=answer.step),
            Figure("cosine_in_the_untrained_model", untrained, step=0),
        ]
        null = null or Figure("in_the_untrained_model", before if untrained is None else untrained)
        reason.append(tell("word_in_two_sentences", after=now, before=before))
        if untrained is not None:
            reason.append(tell("word_in_the_untrained_model", untrained=untrained))
    if not reason:
        return waiting_for_answer(evidence, "two_sentences")
    some = any(_is_known(one) for one in relations.values())
    state = choose_state(
        bool(relations) and answered == len(relations) and bool(separated),
        some or bool(separated) or evidence.training,
    )
    if evidence.training:
        reason.append(tell("training_is_not_over"))
    imported = answer is not None and answer.imported
    return Finding(state, tuple(reason), tuple(figures), null, imported=imported)


def _is_answered(one: RelationFigures) -> bool:
    """Return whether the sum answers half of the analogies, and significantly more than the other rules. The
    sample size is the number of pairs, because each pair is in many analogies.
    """
    low, _ = share_interval(one.score, one.pairs, CLEAR)
    return one.score >= ANSWERED and low > max(one.nearest_of_c, one.right_class)


def _is_known(one: RelationFigures) -> bool:
    return share_interval(one.score, one.pairs, CLEAR)[0] > one.right_class


def _mean(relations: Mapping[str, RelationFigures]) -> float:
    return sum(one.score for one in relations.values()) / len(relations)


def _separation(evidence: Evidence) -> tuple[float, float, float | None] | None:
    """Return the cosines of the word that two sentences separate most: after the last layer, before the first
    one, and after the last one of the untrained model.
    """
    answer = evidence.answer(ProbeAnswer)
    if answer is None:
        return None
    now, untrained = (_cosines(answer, step) for step in (answer.step, 0))
    if not now:
        return None
    word = min(now, key=lambda name: now[name][1])
    first, last = now[word]
    return last, first, untrained[word][1] if word in untrained else None


def _cosines(answer: ProbeAnswer, step: int) -> dict[int, tuple[float, float]]:
    """Return the cosines of each shared word, before the first layer and after the last, by its index."""
    found: dict[int, tuple[float, float]] = {}
    reading = next((one for one in answer.readings if one.step == step), None)
    for place, word in enumerate([] if reading is None else reading.words):
        if len(word.cosines) > 1:
            first, last = word.cosines[0], word.cosines[-1]
            if first is not None and last is not None:
                found[place] = first, last
    return found


def _break_geometry(evidence: Evidence) -> Link:
    if evidence.opposites is None:
        return Link("relations_that_fail", view(panel="geometry", lab="relations"))
    one, other = evidence.opposites
    return Link(
        "opposites_are_near",
        view(panel="token", word=one, with_=other, at=evidence.step),
        breaks=True,
        values={"one": one, "other": other},
    )


GROUP = "meaning"
CLAIMS = (
    Claim(
        number=1,
        find=find_random_start,
        show=lambda evidence: word_card(evidence, map="linear", at=0),
        break_by=lambda evidence: Link(
            "same_word_at_the_end", word_card(evidence, at=evidence.step, links="space"), breaks=True
        ),
        role=ClaimRole.RECIPE,
    ),
    Claim(
        number=2,
        find=find_pulled_together,
        show=lambda evidence: word_card(evidence, with_=evidence.partner),
        break_by=lambda evidence: Link(
            "no_word_was_near", word_card(evidence, with_=evidence.partner, at=0), breaks=True
        ),
    ),
    Claim(
        number=3,
        find=find_what_geometry_says,
        show=lambda _: view(panel="measures"),
        break_by=_break_geometry,
        kinds=("substitution",),
    ),
    Claim(
        number=14,
        find=find_geometry_emerges,
        show=lambda _: view(panel="geometry", lab="relations"),
        break_by=_break_geometry,
        kinds=("probe",),
    ),
)
