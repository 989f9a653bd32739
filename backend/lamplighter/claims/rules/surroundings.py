"""Claims 13, 16, 18 and 20: the text a model lives on, its cost, its machines, and the map."""

from __future__ import annotations

import math

from lamplighter.claims.claim import (
    Claim,
    ClaimRole,
    Figure,
    Finding,
    Link,
    Values,
    ask,
    choose_state,
    spread_figure,
    tell,
    view,
    waiting,
    waiting_for_answer,
    word_card,
)
from lamplighter.claims.evidence import Evidence, ExchangeFigures
from lamplighter.claims.intervals import CLEAR, Spread
from lamplighter.claims.rules.meaning import GROUPED, PARTLY
from lamplighter.contract.answers import DevicesAnswer, EnvironmentAnswer
from lamplighter.contract.answers.training import EnvironmentHome, HomeChange

FORGOTTEN = 0.1
"""Share of the initial knowledge, beyond guessing or chance, whose loss counts as forgetting."""
_METHODS = {
    "processor": ("energy_by_processor_time", "estimated_from_processor_time"),
    "rapl": ("energy_counted_by_the_processor", "counted_by_the_processor"),
    "nvml": ("energy_counted_by_the_graphics_card", "counted_by_the_graphics_card"),
}
"""By method, the codes of the energy figure and of the sentence about its source."""
_KNOWN = 0.05
"""Minimum distance below the guessing loss, in nats, at which something is known."""
FAITHFUL, FAULTLESS = 0.95, 0.99
"""Recall above which a map shows nearly every neighbour, and at least 99 in 100."""
EXACT_GRADIENTS = 1e-3
"""Maximum difference between the gradients of one and two processes, relative to the largest gradient, that
rounding explains.
"""
ROUNDED_GRADIENTS = 1e-2
"""Maximum difference, as above, at low precision."""
SECOND_HALF = 0.25
"""Share of the order bought by the second half of the energy below which the price has risen."""


def find_environment(evidence: Evidence) -> Finding:
    """Return whether the model forgets one town in another, and what it forgets first."""
    answer = evidence.answer(EnvironmentAnswer)
    curve = [] if answer is None else answer.curve[:200]
    turned = None if answer is None else answer.turned_back_at
    away = [one for one in curve if turned is None or one.step <= turned]
    if answer is None or len(away) < 2:
        return waiting_for_answer(evidence, "steps_in_another_town")
    first, last = away[0].loss_first, away[-1].loss_first
    if first is None or last is None:
        return waiting("losses_in_both_towns")
    before, after, steps = away[0].purity_in_first, away[-1].purity_in_first, away[-1].step
    figures = [
        Figure("loss_after_steps_elsewhere", last, "nats", answer.step, values={"steps": steps}),
        Figure("loss_before_it_moved", first, "nats", answer.step),
        Figure("purity_of_the_map_before", before, "share", answer.step),
        Figure("purity_of_the_map_after", after, "share"),
    ]
    guessing, chance = math.log(evidence.rows), answer.chance
    home, null, stay = _change_at_home(answer.home, answer.home.loss), None, _steps_at_home(answer.home)
    if home is not None:
        stayed = Spread(first + home.mean, home.deviation, home.draws)
        null = spread_figure("staying_at_home", stayed, "nats", steps=stay)
    reason = [tell("steps_elsewhere", steps=steps, before=first, after=last, guessing=guessing)]
    if guessing - first <= _KNOWN:
        reason.insert(0, tell("knows_nothing_of_the_first_town"))
        state = choose_state(False, evidence.training)
        return Finding(state, tuple(reason), tuple(figures), null)
    beyond = home is not None and home.score(last - first) > CLEAR
    forgotten = beyond and (last - first) / (guessing - first) >= FORGOTTEN
    map_forgot = False
    if before is not None and after is not None and chance is not None and chance < 1:
        if (before - chance) / (1 - chance) < PARTLY:
            reason.append(tell("map_had_nothing_to_forget", purity=before))
        else:
            stayed = _change_at_home(answer.home, answer.home.purity_in)
            beyond = stayed is not None and stayed.score(after - before) < -CLEAR
            map_forgot = beyond and (before - after) / (before - chance) >= FORGOTTEN
            kept = "map_has_forgotten" if map_forgot else "map_still_remembers"
            reason.append(tell(kept, before=before, after=after))
    if home is None:
        state = choose_state(False, (last - first) / (guessing - first) >= FORGOTTEN)
        return Finding(state, tuple(reason), tuple(figures), null, "steps_at_home", answer.imported)
    state = choose_state(forgotten and map_forgot, forgotten)
    return Finding(state, tuple(reason), tuple(figures), null, imported=answer.imported)


def _steps_at_home(home: EnvironmentHome) -> int:
    return home.curve[-1].step if home.curve else 0


def _change_at_home(home: EnvironmentHome, change: HomeChange | None) -> Spread | None:
    """Return the change of a value in the copy that stays at home, with its spread, if measured."""
    if change is None or change.mean is None or change.spread is None:
        return None
    return Spread(change.mean, change.spread, max(1, len(home.curve) - 1))


def find_price_of_order(evidence: Evidence) -> Finding:
    """Return how much order each half of the energy bought."""
    order = evidence.series("neighbour_information")
    figures: list[Figure] = []
    null = None
    if order:
        last = max(order)
        figures.append(Figure("bits_of_kind", order[last], "bits", last))
        most = evidence.series("neighbour_information_most")
        figures.append(Figure("order_at_the_start", order[min(order)], "bits", min(order)))
        if most:
            figures.append(Figure("the_most_there_can_be", most[max(most)], "bits"))
    found = None if evidence.newest is None else evidence.newest.order
    if found is not None:
        figures.append(Figure("of_the_order_there_is_to_gain", found.ordered, "share", evidence.step))
        null = spread_figure("labels_dealt_at_random", found.information_dealt, "bits")
    energy = evidence.energy
    if energy is None or not energy.joules:
        missing = "energy_while_it_trains" if evidence.training else "energy_of_another_run"
        return waiting(missing, *figures, null=null)
    code, known_by = _METHODS.get(energy.method, ("energy_so_far", "known_by_a_method"))
    total = energy.joules[max(energy.joules)]
    named: Values = {"method": energy.method}
    figures.append(Figure(code, total, "J", max(energy.joules), values=named))
    # Only steps where both are known: the energy may have been read only from the middle of the run.
    known = [step for step in order if step in energy.joules and step >= energy.since]
    if len(known) < 3 or energy.joules[known[-1]] <= 0 or found is None:
        return waiting("order_and_energy", *figures, null=null)
    half = energy.joules[known[-1]] / 2
    middle = next(step for step in known if energy.joules[step] >= half)
    total = energy.joules[known[-1]]
    gained = order[known[-1]] - order[known[0]]
    later = order[known[-1]] - order[middle]
    reason = (
        tell("order_bought", gained=gained, joules=total, share=max(0.0, found.ordered), later=later),
        tell(known_by, **named),
    )
    beyond = gained > 0 and found.information_dealt.score(order[known[-1]]) > CLEAR
    much = beyond and found.ordered >= GROUPED
    state = choose_state(much and later >= SECOND_HALF * gained, beyond and found.ordered >= PARTLY)
    return Finding(state, reason, tuple(figures), null)


def find_devices(evidence: Evidence) -> Finding:
    """Return the bytes that devices exchange in a step: the run's own if several processes train it."""
    if evidence.shared is not None:
        return _judge_exchanges(evidence.shared)
    answer = evidence.answer(DevicesAnswer)
    if answer is None:
        return waiting_for_answer(evidence, "two_processes")
    formula, measured = answer.formula, answer.measured
    if (
        measured.difference is None
        or not measured.largest
        or formula.lazy_bytes is None
        or measured.lazy_bytes is None
    ):
        return waiting("measured_processes")
    off = measured.difference / measured.largest
    figures = (
        Figure("bytes_a_step_every_number", float(measured.dense_bytes), "bytes", answer.step),
        Figure("bytes_a_step_touched_rows", float(measured.lazy_bytes), "bytes", answer.step),
        Figure("difference_from_one_process", off, "share", answer.step),
    )
    counted = measured.dense_bytes == formula.dense_bytes and measured.lazy_bytes == formula.lazy_bytes
    reason = [
        tell("processes_exchange", dense=measured.dense_bytes, lazy=measured.lazy_bytes),
        tell(
            "formula_says" if counted else "formula_says_otherwise",
            dense=formula.dense_bytes,
            lazy=formula.lazy_bytes,
        ),
        tell("gradients_differ", share=abs(off)),
    ]
    # Rounding in another order is a condition; other gradients, or a byte count that contradicts the formula,
    # are a failure.
    state = choose_state(counted and abs(off) <= EXACT_GRADIENTS, counted and abs(off) <= ROUNDED_GRADIENTS)
    return Finding(state, tuple(reason), figures, imported=answer.imported)


def _judge_exchanges(shared: ExchangeFigures) -> Finding:
    figures = (Figure("bytes_a_step_all_processes", float(shared.counted), "bytes", shared.step),)
    reason = tell(
        "processes_of_the_run_exchange",
        processes=shared.processes,
        bytes=shared.counted,
        equal=shared.equal,
        steps=shared.steps,
    )
    return Finding(choose_state(shared.equal == shared.steps, False), (reason,), figures)


def find_projection(evidence: Evidence) -> Finding:
    """Return how many neighbours the map loses, if it shows clearly more of them than a random map."""
    trust = evidence.trust
    if trust is None or trust.recall is None:
        return waiting("checked_map")
    by_chance = min(1.0, 10 / max(1, evidence.rows - 1))
    # Ten places in the list of each word that was compared.
    words = min(trust.sample or evidence.rows, evidence.rows)
    shown, random = (
        Spread(share, math.sqrt(share * (1 - share) / (10 * words)), words)
        for share in (min(1.0, max(0.0, trust.recall)), by_chance)
    )
    null = spread_figure("a_random_map", random, "share")
    figures = (
        spread_figure("neighbours_in_the_space_that_are_neighbours_on_the_map", shown, "share", trust.step),
        null,
        Figure("trustworthiness_of_the_map", trust.trust, "share", trust.step),
    )
    reason = [tell("map_shows", step=trust.step, share=trust.recall, random=by_chance)]
    if not (shows := random.score(shown.mean) > CLEAR):
        reason.append(tell("map_shows_nothing"))
    state = choose_state(shows and shown.mean < FAITHFUL, shows and shown.mean < FAULTLESS)
    return Finding(state, tuple(reason), figures, null)


GROUP = "surroundings"
CLAIMS = (
    Claim(
        number=13,
        find=find_environment,
        show=lambda evidence: view(
            panel="experiments", ask="environment", section="answer", at=evidence.answered_step("environment")
        ),
        break_by=lambda evidence: ask(
            "stay_ten_steps",
            {"kind": "environment", "step": evidence.examined_step, "steps": 10, "back": 10},
            evidence,
            view(panel="experiments", ask="environment", section="answer", at=evidence.examined_step),
            breaks=True,
        ),
        kinds=("environment",),
    ),
    Claim(
        number=16,
        find=find_price_of_order,
        show=lambda _: view(panel="cost", section="order"),
        break_by=lambda _: Link("what_the_second_half_bought", view(panel="measures")),
    ),
    Claim(
        number=18,
        find=find_devices,
        show=lambda _: view(panel="cost", section="devices"),
        break_by=lambda evidence: ask(
            "step_on_two_processes",
            {"kind": "devices", "step": evidence.examined_step},
            evidence,
            view(panel="cost", section="devices"),
        ),
        kinds=("devices",),
        role=ClaimRole.CHECK,
    ),
    Claim(
        number=20,
        find=find_projection,
        show=lambda evidence: word_card(evidence, doubt=1, links="both"),
        break_by=lambda evidence: Link("plain_shadow", word_card(evidence, beside="view:linear", doubt=1)),
    ),
)
