"""Claims 11, 12, 15, 19 and 23: how gradients flow and rows move, step by step."""

from __future__ import annotations

import numpy as np

from lamplighter.claims.claim import (
    Claim,
    Figure,
    Finding,
    Link,
    as_number,
    choose_state,
    list_at,
    percent,
    waiting,
)
from lamplighter.claims.evidence import Evidence
from lamplighter.claims.views import view, word_card

VANISHED = 1e-3
"""Share of the largest layer's gradient below which another's counts as vanished."""
RARELY = 0.01
"""Largest share of the steps in which that may happen."""
SLIGHT = 5.0
"""Most degrees by which a slight rotation turns a row in one step."""
SMALL = 0.05
"""Largest part of its own length that a row goes in a small shift."""
ARRIVED = 0.01
"""Share of its early pace below which a row has arrived."""
FLASHES = 3.0
"""Most beats a second that the page shows, so that nothing flashes (decision 0008)."""


def find_river(evidence: Evidence) -> Finding:
    """Return whether every layer gets a gradient of a size like the others'."""
    pulses = evidence.pulses
    known = None if pulses is None else np.isfinite(pulses.least_norm) & np.isfinite(pulses.most_norm)
    if pulses is None or known is None or not known.any():
        return waiting("a step with the gradients of at least two layers")
    least, most = pulses.least_norm[known], pulses.most_norm[known]
    ratios = np.divide(least, most, out=np.zeros_like(least), where=most > 0)
    dry = float((ratios < VANISHED).mean())
    step = int(pulses.steps[known][-1])
    figures = (
        Figure("weakest layer, of the strongest", float(ratios[-1]), "share", step),
        Figure("steps in which a layer ran dry", dry, "share"),
        Figure("strongest layer's gradient", float(most[-1]), step=step),
    )
    told = f"At step {step:,} the weakest layer's gradient is {percent(float(ratios[-1]))} of the strongest; below {percent(VANISHED)} it would have run dry, as in {percent(dry)} of the steps."
    return Finding(
        choose_state(dry <= RARELY, dry < 0.5), told, figures, Figure("run dry below", VANISHED, "share")
    )


def find_turn(evidence: Evidence) -> Finding:
    """Return by how many degrees a step turns the rows that it moves."""
    newest = evidence.newest
    now, early = (None if newest is None else newest.turn), evidence.first_turn
    change = _attention_change(evidence)
    answer = evidence.answers.get("probe")
    figures = [
        Figure("turn of a row now, median", now, "degrees", None if newest is None else newest.step),
        Figure("turn of a row in step 1, median", early, "degrees", 1),
    ]
    if change is not None and answer is not None:
        figures.append(
            Figure("attention that goes elsewhere than at the start", change, "share", answer.step)
        )
    null = Figure("two random directions", 90.0, "degrees")
    if now is None or newest is None:
        return waiting("two matrices, one step apart", *figures, null=null)
    told = f"Step {newest.step:,} turned a row by {now:.2g}°"
    told += "" if early is None else f", step 1 by {early:.3g}°"
    told += (
        "" if change is None else f"; since the start {percent(change)} of the attention has gone elsewhere"
    )
    # Step 1 is where rows turn most: without it the claim is not shown whole.
    holds = early is not None and max(now, early) <= SLIGHT
    return Finding(
        choose_state(holds, now <= SLIGHT),
        f"{told}.",
        tuple(figures),
        null,
        imported=bool(answer and answer.imported),
    )


def find_shift(evidence: Evidence) -> Finding:
    """Return how far a row of the batch goes in a step, beside its own length."""
    early, late = _pace(evidence)
    if late is None or evidence.newest is None or evidence.newest.row_length <= 0:
        return waiting("a step whose moved rows are recorded")
    step, far = late
    length = evidence.newest.row_length
    figures = [
        Figure("way of a lit row in a step, median", far, step=step),
        Figure("the same, of the row's length", far / length, "share", step),
    ]
    told = f"A lit row goes {far:.3g} in a step, {percent(far / length)} of its length"
    if early is not None and early[0] < step:
        figures.append(Figure("way in an early step", early[1], step=early[0]))
        told += f"; at step {early[0]:,} it was {early[1]:.3g}"
    return Finding(
        choose_state(far / length <= SMALL, far < length),
        f"{told}.",
        tuple(figures),
        Figure("its whole length", length),
    )


def find_heartbeat(evidence: Evidence) -> Finding:
    """Return how many steps a second there were, and whether each is recorded."""
    pulses = evidence.pulses
    known = None if pulses is None else pulses.seconds[np.isfinite(pulses.seconds)]
    if pulses is None or known is None or not len(known):
        return waiting("a step whose time is recorded")
    pace = 1 / float(np.median(known))
    reached = int(pulses.steps[-1])
    complete = pulses.recorded >= reached
    figures = (
        Figure("steps that are recorded", float(pulses.recorded)),
        Figure("steps a second, by the median step alone", pace),
        Figure("beats shown a second, at most", FLASHES),
    )
    told = f"{pulses.recorded:,} of {reached:,} steps are recorded. A median step takes {1e3 / pace:,.3g} ms"
    told += f"; at most {FLASHES:.0f} beats a second are shown, so that nothing flashes."
    return Finding(choose_state(complete, True), told, figures, Figure("steps there were", float(reached)))


def find_no_rest(evidence: Evidence) -> Finding:
    """Return whether rows still go on as far late in training as a good part of early on."""
    early, late = _pace(evidence)
    if early is None or late is None or early[0] >= late[0] or early[1] <= 0:
        return waiting("steps enough to compare early ones with late ones")
    kept = late[1] / early[1]
    figures = (
        Figure("way of a lit row now, median", late[1], step=late[0]),
        Figure("the same early", early[1], step=early[0]),
        Figure("of the early pace", kept, "share"),
    )
    told = f"A lit row goes {late[1]:.3g} at step {late[0]:,} and went {early[1]:.3g} at step {early[0]:,}: {percent(kept)} of the early pace; at rest it would be 0."
    return Finding(choose_state(kept > 2 * ARRIVED, kept > ARRIVED), told, figures, Figure("at rest", 0.0))


def _pace(evidence: Evidence) -> tuple[tuple[int, float] | None, tuple[int, float] | None]:
    """Return (step, median distance of a lit row) early and late: medians of a tenth of the known steps each, the first of
    them left out, since optimisers have to warm up."""
    pulses = evidence.pulses
    if pulses is None:
        return None, None
    known = np.flatnonzero(np.isfinite(pulses.lit_distance))
    if not len(known):
        return None, None
    part = max(1, len(known) // 10)
    first, last = known[min(part // 2, 20) : min(part // 2, 20) + part], known[-part:]
    return tuple(
        (int(np.median(pulses.steps[some])), float(np.median(pulses.lit_distance[some])))
        for some in (first, last)
    )  # pyright: ignore[reportReturnType]


def _attention_change(evidence: Evidence) -> float | None:
    answer = evidence.answers.get("probe")
    if answer is None:
        return None
    layers = list_at(answer.fields, "change")[:256]
    heads = [as_number(head) for layer in layers if isinstance(layer, list) for head in layer]  # pyright: ignore[reportUnknownVariableType]
    known = [head for head in heads if head is not None]
    return sum(known) / len(known) if known else None


GROUP = "How it moves"
CLAIMS = (
    Claim(
        11,
        "A river upstream",
        "The error flows backwards through all layers, like a river from the last to the first.",
        "Holds while no layer runs dry and none floods.",
        "The length of each layer's gradient, in every step that was looked at.",
        find_river,
        lambda evidence: view(panel="step", section="river", at=evidence.step),
        lambda _: Link("See the river at step 1", view(panel="step", section="river", at=1)),
    ),
    Claim(
        12,
        "A slight turn",
        "An update turns a word's arrow slightly and shifts what the model pays attention to.",
        "Slightly is true late in training. In the first steps rows swing wide.",
        "The median angle between a moved row before and after, and the attention that goes elsewhere.",
        find_turn,
        lambda evidence: word_card(evidence, trails="chosen", over=0),
        lambda _: Link("See step 1, where they swing wide", view(panel="step", colour="moved", at=1, beat=1)),
        kinds=("probe",),
    ),
    Claim(
        15,
        "Small earthquakes",
        "The space is a landscape, and each update shifts its ground a little.",
        "Small late in training and large at its start. The map exaggerates or hides it; the space does not.",
        "How far a row of the batch goes in one step, in the space itself, beside the length of a row.",
        find_shift,
        lambda evidence: view(colour="moved", trails="movers", over=100, at=evidence.step),
        lambda _: Link(
            "See the largest shifts, at the start", view(colour="moved", trails="movers", over=0, at=20)
        ),
    ),
    Claim(
        19,
        "Each step a heartbeat",
        "Training has a pulse: read, guess, correct, again and again.",
        "True of every step. What the page shows is slower than that, on purpose.",
        "Steps a second, and whether every one of them is in the record.",
        find_heartbeat,
        lambda evidence: view(from_=max(1, evidence.step - 50), speed=3),
        lambda evidence: Link("Hold a single beat", view(at=evidence.step, beat=1)),
    ),
    Claim(
        23,
        "It stops, it does not arrive",
        "The city never comes to rest. Training ends because somebody ends it.",
        "Holds at a constant learning rate. Where the rate falls to nothing the rows do come to rest.",
        "How far a row of the batch goes in one step, late in training beside early.",
        find_no_rest,
        lambda evidence: word_card(evidence, over=100, trails="chosen", at=evidence.step),
        lambda _: Link("See how much more it moved at step 100", view(panel="step", colour="moved", at=100)),
    ),
)
