"""Claims 13, 16, 18 and 20: the text a model lives on, what it costs, the machines it runs on, and the map it is seen by."""

from __future__ import annotations

import math

from lamplighter.claims.claim import (
    Claim,
    ClaimRole,
    Figure,
    Finding,
    Link,
    choose_state,
    list_at,
    number_at,
    percent,
    spread_figure,
    waiting,
)
from lamplighter.claims.evidence import Evidence, StoredAnswer
from lamplighter.claims.intervals import CLEAR, Spread
from lamplighter.claims.rules.meaning import GROUPED, PARTLY
from lamplighter.claims.views import ask, view, word_card

FORGOTTEN = 0.1
"""Part of what was known at first that counts as forgotten: beyond what guessing or chance would give."""
_METHODS = {
    "processor": "estimated from processor time",
    "rapl": "counted by the processor",
    "nvml": "counted by the graphics card",
}
_KNOWN = 0.05
"""Least nats below guessing at which something is known."""
FAITHFUL, FAULTLESS = 0.95, 0.99
"""Recall from which on a map shows nearly every neighbour, and all but every hundredth."""
EXACT_GRADIENTS = 1e-3
"""Largest difference between gradients of one process and of two, of the largest gradient, that is rounding."""
ROUNDED_GRADIENTS = 1e-2
"""Largest such difference that low precision may explain."""
SECOND_HALF = 0.25
"""Share of the order in the second half of the energy below which the price has risen."""


def find_environment(evidence: Evidence) -> Finding:
    """Return whether the model forgets one town in another, and what forgets first."""
    answer = evidence.answers.get("environment")
    curve = [] if answer is None else list_at(answer.fields, "curve")[:200]
    turned = None if answer is None else number_at(answer.fields, "turned_back_at")
    away = [one for one in curve if turned is None or (number_at(one, "step") or 0) <= turned]
    if answer is None or len(away) < 2:
        return waiting(evidence.missing_answer("some hundred steps in another town"))
    first, last = (number_at(one, "loss_first") for one in (away[0], away[-1]))
    if first is None or last is None:
        return waiting("finite losses in both towns")
    before, after = (number_at(one, "purity_in_first") for one in (away[0], away[-1]))
    steps = number_at(away[-1], "step") or 0
    figures = [
        Figure(f"loss on the first town after {steps:,.0f} steps elsewhere", last, "nats", answer.step),
        Figure("loss before it moved", first, "nats", answer.step),
        Figure("purity of the map before", before, "share", answer.step),
        Figure("purity of the map after", after, "share"),
    ]
    guessing, chance = math.log(evidence.rows), number_at(answer.fields, "chance")
    home, null, stay = _change_at_home(answer, "loss"), None, _steps_at_home(answer)
    if home is not None:
        stayed = Spread(first + home.mean, home.deviation, home.draws)
        null = spread_figure(f"staying at home for {stay:,} steps", stayed, "nats")
    told = f"{steps:,.0f} steps in another town raise the loss on the first from {first:.2f} to {last:.2f} nats, where guessing has {guessing:.2f}"
    if guessing - first <= _KNOWN:
        state = choose_state(False, evidence.training)
        return Finding(state, f"This model knows nothing of its first town. {told}.", tuple(figures), null)
    beyond = home is not None and home.score(last - first) > CLEAR
    forgotten = beyond and (last - first) / (guessing - first) >= FORGOTTEN
    map_forgot = False
    if before is not None and after is not None and chance is not None and chance < 1:
        if (before - chance) / (1 - chance) < PARTLY:
            told += f"; the map, at {percent(before)} purity, had nothing to forget"
        else:
            stayed = _change_at_home(answer, "purity_in")
            beyond = stayed is not None and stayed.score(after - before) < -CLEAR
            map_forgot = beyond and (before - after) / (before - chance) >= FORGOTTEN
            kept = "has forgotten it too" if map_forgot else "still remembers it"
            told += f"; the map, at {percent(after)} purity after {percent(before)}, {kept}"
    if home is None:
        waits_for = evidence.missing_answer("the same measured again, with steps at home")
        state = choose_state(False, (last - first) / (guessing - first) >= FORGOTTEN)
        return Finding(state, f"{told}.", tuple(figures), null, waits_for, answer.imported)
    state = choose_state(forgotten and map_forgot, forgotten)
    return Finding(state, f"{told}.", tuple(figures), null, imported=answer.imported)


def _steps_at_home(answer: StoredAnswer) -> int:
    curve = list_at(answer.fields, "home", "curve")
    return int(number_at(curve[-1], "step") or 0) if curve else 0


def _change_at_home(answer: StoredAnswer, name: str) -> Spread | None:
    """Return how a number changes where the model goes on at home, with its spread over those steps; None where that was not
    measured."""
    mean, spread = (number_at(answer.fields, "home", name, part) for part in ("mean", "spread"))
    if mean is None or spread is None:
        return None
    return Spread(mean, spread, max(1, len(list_at(answer.fields, "home", "curve")) - 1))


def find_price_of_order(evidence: Evidence) -> Finding:
    """Return how much order the two halves of the energy bought."""
    order = evidence.series("neighbour_information")
    figures: list[Figure] = []
    null = None
    if order:
        last = max(order)
        figures.append(Figure("order: bits of kind in a word's neighbours", order[last], "bits", last))
        most = evidence.series("neighbour_information_most")
        figures.append(Figure("order at the start", order[min(order)], "bits", min(order)))
        if most:
            figures.append(Figure("the most there can be", most[max(most)], "bits"))
    found = None if evidence.newest is None else evidence.newest.order
    if found is not None:
        figures.append(Figure("of the order there is to gain", found.ordered, "share", evidence.step))
        null = spread_figure("labels dealt at random", found.information_dealt, "bits")
    energy = evidence.energy
    if energy is None or not energy.joules:
        missing = (
            "the energy of the run, which is kept while it trains"
            if evidence.training
            else "a run whose energy is known: that of this one was not measured while it trained"
        )
        return waiting(missing, *figures, null=null)
    method = _METHODS.get(energy.method, energy.method)
    total = energy.joules[max(energy.joules)]
    figures.append(Figure(f"energy so far, {method}", total, "J", max(energy.joules)))
    # Only where both are known: the energy may have been read from the middle of the run on.
    known = [step for step in order if step in energy.joules and step >= energy.since]
    if len(known) < 3 or energy.joules[known[-1]] <= 0 or found is None:
        return waiting("order and energy at three steps", *figures, null=null)
    half = energy.joules[known[-1]] / 2
    middle = next(step for step in known if energy.joules[step] >= half)
    total = energy.joules[known[-1]]
    gained = order[known[-1]] - order[known[0]]
    later = order[known[-1]] - order[middle]
    told = f"{gained:.2f} bits of order for {total:,.0f} J ({method}), {percent(max(0.0, found.ordered))} of what there is to gain; the second half of the energy bought {later:.2f} of them."
    beyond = gained > 0 and found.information_dealt.score(order[known[-1]]) > CLEAR
    much = beyond and found.ordered >= GROUPED
    state = choose_state(much and later >= SECOND_HALF * gained, beyond and found.ordered >= PARTLY)
    return Finding(state, told, tuple(figures), null)


def find_devices(evidence: Evidence) -> Finding:
    """Return the bytes that two devices exchange in a step, by formula and measured."""
    answer = evidence.answers.get("devices")
    if answer is None:
        return waiting(evidence.missing_answer("one step on two processes, by its button"))
    dense, lazy = (number_at(answer.fields, "formula", f"{name}_bytes") for name in ("dense", "lazy"))
    measured = {name: number_at(answer.fields, "measured", f"{name}_bytes") for name in ("dense", "lazy")}
    difference, largest = (number_at(answer.fields, "measured", name) for name in ("difference", "largest"))
    off = None if difference is None or not largest else difference / largest
    if dense is None or lazy is None or None in measured.values() or off is None:
        return waiting("a measured step on two processes")
    figures = (
        Figure("bytes a step, every number", measured["dense"], "bytes", answer.step),
        Figure("bytes a step, touched rows", measured["lazy"], "bytes", answer.step),
        Figure("difference from one process, of the largest gradient", off, "share", answer.step),
    )
    told = f"Two processes exchange {measured['dense']:,.0f} bytes a step, or {measured['lazy']:,.0f} with touched rows alone; the formula says {dense:,.0f} and {lazy:,.0f}."
    counted = measured["dense"] == dense and measured["lazy"] == lazy
    told += "" if counted else " They differ."
    told += f" The gradients differ from those of one process by {abs(off):.1g} of the largest."
    # Rounding in another order is a condition; other numbers, or other bytes than the formula's, are a fault.
    state = choose_state(counted and abs(off) <= EXACT_GRADIENTS, counted and abs(off) <= ROUNDED_GRADIENTS)
    return Finding(state, told, figures, imported=answer.imported)


def find_projection(evidence: Evidence) -> Finding:
    """Return how many neighbours the map loses."""
    trust = evidence.trust
    if trust is None or trust.recall is None:
        return waiting("a map whose neighbours were checked")
    by_chance = min(1.0, 10 / max(1, evidence.rows - 1))
    # Of ten places in each of V lists.
    shown, random = (
        Spread(share, math.sqrt(share * (1 - share) / (10 * evidence.rows)), evidence.rows)
        for share in (min(1.0, max(0.0, trust.recall)), by_chance)
    )
    figures = (
        spread_figure("neighbours in the space that are neighbours on the map", shown, "share", trust.step),
        spread_figure("a random map", random, "share"),
        Figure("trustworthiness of the map", trust.trust, "share", trust.step),
    )
    told = f"The map of step {trust.step:,} shows {percent(trust.recall)} of a word's nearest as its nearest; a random map would show {percent(by_chance)}."
    null = Figure("a map that loses none", 1.0, "share")
    return Finding(choose_state(trust.recall < FAITHFUL, trust.recall < FAULTLESS), told, figures, null)


GROUP = "The world around it"
CLAIMS = (
    Claim(
        13,
        "What it lives on",
        "A model remembers the text it lives on. Move it to another town and it forgets the first.",
        "The answers forget within a few steps. The map that everybody looks at is the last to know.",
        "The loss on both towns, and the purity under both, while it trains in the other one and back, beside a copy that stays "
        "at home. A tenth of what was known is gone: forgotten.",
        find_environment,
        lambda evidence: view(panel="ask", ask="environment", section="answer", at=evidence.examined_step),
        lambda evidence: ask(
            "Stay only ten steps",
            {"kind": "environment", "step": evidence.examined_step, "steps": 10, "back": 10},
            evidence,
            view(panel="ask", ask="environment", section="answer", at=evidence.examined_step),
            breaks=True,
        ),
        kinds=("environment",),
    ),
    Claim(
        16,
        "Order has a price",
        "Order among the words is paid for in energy.",
        "Early in training a little energy buys much order. Later the same energy buys hardly any.",
        "Joules by a method that is named, beside the bits of kind in a word's nearest, and beside labels dealt at random.",
        find_price_of_order,
        lambda _: view(panel="cost", section="order"),
        lambda _: Link("See what the second half bought", view(panel="measures")),
    ),
    Claim(
        18,
        "Many devices",
        "Large models share the work among many devices, which must tell each other what changed.",
        "Measured with two processes of this machine. How fast a network between machines would be is not measured here.",
        "Bytes of the numbers that each of two processes hands to the exchange in one step, counted.",
        find_devices,
        lambda _: view(panel="cost", section="devices"),
        lambda evidence: ask(
            "Run one step on two processes",
            {"kind": "devices", "step": evidence.examined_step},
            evidence,
            view(panel="cost", section="devices"),
        ),
        kinds=("devices",),
        role=ClaimRole.CHECK,
    ),
    Claim(
        20,
        "A map can lie",
        "The map squeezes a space of many directions onto a screen. Some neighbours on it are none.",
        "Holds for every flat map of such a space. How much it lies is written beside it.",
        "The share of a word's nearest in the space that are also its nearest on the map.",
        find_projection,
        lambda evidence: word_card(evidence, doubt=1, links="both"),
        lambda evidence: Link(
            "Put a plain shadow of the space beside it", word_card(evidence, beside="view:linear", doubt=1)
        ),
    ),
)
