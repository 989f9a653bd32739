"""Claims 13, 16, 18 and 20: the text a model lives on, what it costs, the machines it runs on, and the map it is seen by."""

from __future__ import annotations

from lamplighter.claims.claim import (
    Claim,
    Figure,
    Finding,
    Link,
    choose_state,
    list_at,
    number_at,
    percent,
    waiting,
)
from lamplighter.claims.evidence import Evidence
from lamplighter.claims.views import ask, view, word_card

FORGOTTEN = 0.5
"""Least rise of the loss on the first town, in nats, by which it is forgotten."""
KEPT_MAP = 0.5
"""Share of the first purity above which the map still remembers."""
FAITHFUL = 0.95
"""Recall from which on a map shows nearly every neighbour."""
EXACT_GRADIENTS = 1e-3
"""Largest difference between gradients of one process and of two that is rounding."""
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
        Figure("loss on the first town before", first, "nats", answer.step),
        Figure(f"loss on it after {steps:,.0f} steps elsewhere", last, "nats"),
        Figure("purity of the map before", before, "share", answer.step),
        Figure("purity of the map after", after, "share"),
    ]
    chance = number_at(answer.fields, "chance")
    null = (
        Figure("no forgetting", first, "nats")
        if chance is None
        else Figure("purity by chance", chance, "share")
    )
    told = (
        f"{steps:,.0f} steps in another town raise the loss on the first from {first:.2f} to {last:.2f} nats"
    )
    map_forgets = before is not None and after is not None and after <= KEPT_MAP * before
    if before is not None and after is not None:
        told += f"; the map, at {percent(after)} purity after {percent(before)}, " + (
            "has forgotten it too" if map_forgets else "still remembers it"
        )
    forgotten = last >= first + FORGOTTEN
    state = choose_state(forgotten and (map_forgets or before is None), forgotten)
    return Finding(state, f"{told}.", tuple(figures), null, imported=answer.imported)


def find_price_of_order(evidence: Evidence) -> Finding:
    """Return how much order the two halves of the energy bought."""
    order = evidence.series("neighbour_information")
    figures: list[Figure] = []
    null = None
    if order:
        last = max(order)
        figures.append(Figure("order: bits of kind in a word's neighbours", order[last], "bits", last))
        most = evidence.series("neighbour_information_most")
        null = Figure("order at the start", order[min(order)], "bits", min(order))
        if most:
            figures.append(Figure("the most there can be", most[max(most)], "bits"))
    energy = evidence.energy
    if energy is None or not energy.joules:
        missing = (
            "the energy of the run, which is kept while it trains"
            if evidence.training
            else "a run whose energy is known: that of this one was not measured while it trained"
        )
        return waiting(missing, *figures, null=null)
    total = energy.joules[max(energy.joules)]
    figures.append(Figure(f"energy so far ({energy.method})", total, "J", max(energy.joules)))
    if len(order) < 3 or total <= 0:
        return waiting("the order in the neighbours, by step", *figures, null=null)
    half = min(energy.joules, key=lambda step: abs(energy.joules[step] - total / 2))
    middle = min(order, key=lambda step: abs(step - half))
    gained = order[max(order)] - order[min(order)]
    later = order[max(order)] - order[middle]
    told = f"{gained:.2f} bits of order for {total:,.3g} J; the second half of the energy bought {later:.2f} of them."
    state = choose_state(gained > 0 and later >= SECOND_HALF * gained, gained > 0)
    return Finding(state, told, tuple(figures), null)


def find_devices(evidence: Evidence) -> Finding:
    """Return the bytes that two devices exchange in a step, by formula and measured."""
    answer = evidence.answers.get("devices")
    if answer is None:
        return waiting(evidence.missing_answer("one step on two processes, by its button"))
    dense, lazy = (number_at(answer.fields, "formula", f"{name}_bytes") for name in ("dense", "lazy"))
    measured = {name: number_at(answer.fields, "measured", f"{name}_bytes") for name in ("dense", "lazy")}
    off = number_at(answer.fields, "measured", "difference")
    if dense is None or lazy is None or None in measured.values() or off is None:
        return waiting("a measured step on two processes")
    figures = (
        Figure("bytes a step, every number", measured["dense"], "bytes", answer.step),
        Figure("bytes a step, touched rows", measured["lazy"], "bytes", answer.step),
        Figure("difference from one process", off, step=answer.step),
    )
    told = f"Two processes exchange {measured['dense']:,.0f} bytes a step, or {measured['lazy']:,.0f} with touched rows alone; the formula says {dense:,.0f} and {lazy:,.0f}."
    return Finding(
        choose_state(abs(off) <= EXACT_GRADIENTS, True),
        told,
        figures,
        Figure("one device", 0.0, "bytes"),
        imported=answer.imported,
    )


def find_projection(evidence: Evidence) -> Finding:
    """Return how many neighbours the map loses."""
    trust = evidence.trust
    if trust is None or trust.recall is None:
        return waiting("a map whose neighbours were checked")
    by_chance = min(1.0, 10 / max(1, evidence.rows - 1))
    figures = (
        Figure("neighbours in the space that are neighbours on the map", trust.recall, "share", trust.step),
        Figure("trustworthiness of the map", trust.trust, "share", trust.step),
    )
    told = f"The map of step {trust.step:,} shows {percent(trust.recall)} of a word's nearest as its nearest; a random map would show {percent(by_chance)}."
    null = Figure("a random map", by_chance, "share")
    return Finding(choose_state(trust.recall < FAITHFUL, trust.recall < 1), told, figures, null)


GROUP = "The world around it"
CLAIMS = (
    Claim(
        13,
        "What it lives on",
        "A model remembers the text it lives on. Move it to another town and it forgets the first.",
        "The answers forget within a few steps. The map that everybody looks at is the last to know.",
        "The loss on both towns, and the purity under both, while it trains in the other one and back.",
        find_environment,
        lambda evidence: view(panel="ask", ask="environment", at=evidence.examined_step),
        lambda evidence: ask(
            "Stay only ten steps",
            {"kind": "environment", "step": evidence.examined_step, "steps": 10, "back": 10},
            evidence,
            view(panel="ask", ask="environment", at=evidence.examined_step),
        ),
        kinds=("environment",),
    ),
    Claim(
        16,
        "Order has a price",
        "Order among the words is paid for in energy.",
        "Early in training a little energy buys much order. Later the same energy buys hardly any.",
        "Joules by a method that is named, beside the bits of kind in a word's nearest.",
        find_price_of_order,
        lambda _: view(panel="cost"),
        lambda _: Link("See what the second half bought", view(panel="measures")),
    ),
    Claim(
        18,
        "Many devices",
        "Large models share the work among many devices, which must tell each other what changed.",
        "Measured with two processes of this machine. A real network is slower than that.",
        "Bytes that two processes exchange in one step, counted as they are sent.",
        find_devices,
        lambda _: view(panel="cost"),
        lambda evidence: ask(
            "Run one step on two processes",
            {"kind": "devices", "step": evidence.examined_step},
            evidence,
            view(panel="cost"),
        ),
        kinds=("devices",),
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
