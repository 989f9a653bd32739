"""Claims 11, 12, 15, 19 and 23: how gradients flow and rows move, step by step."""

from __future__ import annotations

import math

import numpy as np

from lamplighter.claims.claim import (
    Claim,
    ClaimRole,
    Figure,
    Finding,
    Link,
    as_number,
    choose_state,
    list_at,
    percent,
    spread_figure,
    waiting,
)
from lamplighter.claims.evidence import Evidence
from lamplighter.claims.intervals import Spread, mean_of
from lamplighter.claims.views import view, word_card

VANISHED = 0.01
"""Part of the strongest layer's gradient below which another's has vanished."""
FLOODED = 10.0
"""Times the median from which on the strongest layer's gradient floods."""
RARELY, OFTEN = 0.001, 0.1
"""Largest share of the steps in which either may happen, and the share from which on it is the rule."""
SLIGHT = 5.0
"""Most degrees by which a slight rotation turns a row in one step."""
ELSEWHERE = 0.05
"""Least share of the attention that has gone elsewhere where it has shifted."""
SMALL = 0.05
"""Largest part of its own length that a row moves in a small shift."""
ARRIVING, HALTED = 0.5, 0.25
"""Pace at the end, of the pace half-way, of rows that slow down like 1/step and like 1/step²."""
FLASHES = 3.0
"""Most beats a second that the page shows, so that nothing flashes (decision 0008)."""
_UNTRAINED = 20
"""First steps, in which hardly anything is learned yet."""
_NEAR = 0.1
"""Part of a step number by which the steps that its pace is the median of may differ from it."""


def find_river(evidence: Evidence) -> Finding:
    """Return whether every layer gets a gradient of a size like the others', and none floods."""
    pulses = evidence.pulses
    known = None if pulses is None else np.isfinite(pulses.least_norm) & np.isfinite(pulses.most_norm)
    if pulses is None or known is None or not known.any():
        return waiting("a step with the gradients of at least two layers")
    least, most, steps = pulses.least_norm[known], pulses.most_norm[known], pulses.steps[known]
    ratios = np.divide(least, most, out=np.zeros_like(least), where=most > 0)
    dry = float((ratios < VANISHED).mean())
    flooded = float((most > FLOODED * np.median(most)).mean())
    step = int(steps[-1])
    figures = (
        Figure("weakest layer, of the strongest", float(ratios[-1]), "share", step),
        Figure("steps in which a layer ran dry", dry, "share"),
        Figure("steps in which a layer flooded", flooded, "share"),
        Figure("strongest layer's gradient", float(most[-1]), step=step),
    )
    first = ratios[steps <= _UNTRAINED]
    null = None
    if len(first):
        null = Figure(
            "in the first steps, hardly trained",
            float(np.median(first)),
            "share",
            None,
            float(first.min()),
            float(first.max()),
            len(first),
        )
    told = f"At step {step:,} the weakest layer's gradient is {percent(float(ratios[-1]))} of the strongest. A layer ran dry (below {percent(VANISHED)}) in {percent(dry)} of the steps and flooded (above {FLOODED:.0f} times the median) in {percent(flooded)}."
    worst = max(dry, flooded)
    return Finding(choose_state(worst <= RARELY, worst < OFTEN), told, figures, null)


def find_turn(evidence: Evidence) -> Finding:
    """Return by how many degrees a step turns the rows that it moves, and how far attention has shifted."""
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
    # The cosine of two random directions is 0 with this deviation; near 90 degrees an angle differs by as much.
    side = 2 * math.degrees(evidence.width**-0.5)
    null = Figure("two random directions", 90.0, "degrees", low=90 - side, high=90 + side)
    if now is None or newest is None:
        return waiting("two matrices, one step apart", *figures, null=null)
    told = f"Step {newest.step:,} turned a row by {now:.2g}°"
    told += "" if early is None else f", step 1 by {early:.3g}°"
    told += (
        "; how far attention has shifted is not measured yet"
        if change is None
        else f"; since the start {percent(change)} of the attention has gone elsewhere"
    )
    shifted = change is not None and change >= ELSEWHERE
    # Step 1 is where rows turn most: without it the claim is not shown whole.
    holds = early is not None and max(now, early) <= SLIGHT and shifted
    return Finding(
        choose_state(holds, now <= SLIGHT),
        f"{told}.",
        tuple(figures),
        null,
        imported=bool(answer and answer.imported),
    )


def find_shift(evidence: Evidence) -> Finding:
    """Return how far a row of the batch moves in a step, beside its own length, at chosen steps of the training."""
    shares = {
        step: share for step in evidence.row_lengths if (share := _share_at(evidence, step)) is not None
    }
    if not shares:
        return waiting("a step whose moved rows are recorded")
    last = max(shares)
    now, most_at = shares[last], max(shares, key=lambda step: shares[step].mean)
    figures = [
        spread_figure("way of a lit row in a step, of its length", now, "share", last),
        *(
            spread_figure("the same earlier", share, "share", step)
            for step, share in sorted(shares.items())
            if step != last
        ),
    ]
    apart = None if evidence.newest is None else evidence.newest.apart
    null = None if apart is None else spread_figure("to another word's place", apart, "share")
    told = f"A lit row moves {percent(now.mean)} of its length in step {last:,}"
    if most_at != last:
        told += f"; in step {most_at:,} it moved {percent(shares[most_at].mean)}"
    small = 1 in shares and max(share.mean for share in shares.values()) <= SMALL
    return Finding(choose_state(small, now.mean <= SMALL), f"{told}.", tuple(figures), null)


def find_heartbeat(evidence: Evidence) -> Finding:
    """Return how many steps a second there were, and whether each is recorded."""
    pulses = evidence.pulses
    known = None if pulses is None else pulses.seconds[np.isfinite(pulses.seconds)]
    if pulses is None or known is None or not len(known):
        return waiting("a step whose time is recorded")
    pace = 1 / float(np.median(known))
    reached = max(evidence.step, int(pulses.steps[-1]))
    complete = pulses.recorded >= reached
    figures = (
        Figure("steps that are recorded", float(pulses.recorded)),
        Figure("steps there were", float(reached)),
        Figure("steps a second, by the median step alone", pace),
        Figure("beats shown a second, at most", FLASHES),
    )
    told = f"{pulses.recorded:,} of {reached:,} steps are recorded. A median step takes {1e3 / pace:,.3g} ms"
    told += f"; at most {FLASHES:.0f} beats a second are shown, so that nothing flashes."
    # A watched loop may record every tenth step.
    state = choose_state(complete, evidence.recorded_elsewhere)
    return Finding(state, told, figures)


def find_no_rest(evidence: Evidence) -> Finding:
    """Return whether rows slow down so little from the middle of the training to its end that they arrive nowhere."""
    half, last = evidence.step // 2, evidence.step
    before, now = _share_at(evidence, half), _share_at(evidence, last)
    if before is None or now is None or before.mean <= 0 or half < _UNTRAINED:
        return waiting("steps enough to compare the middle of the training with its end")
    kept = now.mean / before.mean
    error = kept * math.hypot(before.deviation / before.mean, now.deviation / now.mean if now.mean > 0 else 0)
    ratio = Spread(kept, error, min(before.draws, now.draws))
    figures = [
        spread_figure("pace now, of the pace half-way", ratio, "share", last),
        spread_figure("way of a lit row now, of its length", now, "share", last),
        spread_figure("the same half-way", before, "share", half),
    ]
    for step, name in ((1, "way of a lit row in step 1"), (last, "way of a lit row now, median")):
        pace = _pace(evidence, step)
        figures.append(Figure(name, None if pace is None else pace.mean, step=step))
    null = Figure("rows that arrive, slowing like 1/step", ARRIVING, "share")
    told = f"A lit row moves {percent(now.mean)} of its length at step {last:,} and moved {percent(before.mean)} half-way, at step {half:,}: {percent(kept)} of that pace. Rows that were arriving would keep {percent(ARRIVING)} or less."
    return Finding(choose_state(ratio.low > ARRIVING, ratio.low > HALTED), told, tuple(figures), null)


def _pace(evidence: Evidence, step: int) -> Spread | None:
    """Return the median distance of a lit row at a step: the mean over the known steps around it, with its standard error."""
    pulses = evidence.pulses
    if pulses is None or step < 1:
        return None
    around = (pulses.steps >= step * (1 - _NEAR)) & (pulses.steps <= step * (1 + _NEAR))
    found = pulses.lit_distance[around & np.isfinite(pulses.lit_distance)]
    return mean_of(found.tolist()) if len(found) else None


def _share_at(evidence: Evidence, step: int) -> Spread | None:
    """Return `_pace` of the length that a row has at the step; None where either is not known."""
    pace, length = _pace(evidence, step), evidence.row_lengths.get(step)
    if pace is None or length is None:
        return None
    return Spread(pace.mean / length, pace.deviation / length, pace.draws)


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
        "Holds while no layer runs dry, below a hundredth of the strongest, and none floods, above ten times its usual size.",
        "The length of each layer's gradient, in every step that was looked at, beside the first twenty steps.",
        find_river,
        lambda evidence: view(panel="step", section="river", at=evidence.step),
        lambda _: Link("See the river at step 1", view(panel="step", section="river", at=1)),
    ),
    Claim(
        12,
        "A slight turn",
        "An update turns a word's arrow slightly, and in time updates shift what the model pays attention to.",
        "Slightly is true late in training. In the first steps rows swing wide.",
        "The median angle between a moved row before and after, and the attention that goes elsewhere.",
        find_turn,
        lambda evidence: word_card(evidence, trails="chosen", over=0),
        lambda _: Link(
            "See step 1, where they swing wide", view(panel="step", colour="moved", at=1, beat=1), breaks=True
        ),
        kinds=("probe",),
    ),
    Claim(
        15,
        "Small earthquakes",
        "The space is a landscape, and each update shifts its ground a little.",
        "Small late in training and large at its start. The map exaggerates or hides it; the space does not.",
        "How far a row of the batch moves in one step, of the length that rows have then: at steps 1, 10, 100, 1,000, half-way "
        "and now. Beside it the distance of two words drawn at random.",
        find_shift,
        lambda evidence: view(colour="moved", trails="movers", over=100, at=evidence.step),
        lambda _: Link(
            "See the largest shifts, at the start",
            view(colour="moved", trails="movers", over=0, at=1),
            breaks=True,
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
        role=ClaimRole.CHECK,
    ),
    Claim(
        23,
        "It stops, it does not arrive",
        "The city does not come to rest by itself. Training ends when someone stops it.",
        "Holds at a constant learning rate. Where the rate falls to nothing the rows do come to rest.",
        "How far a row of the batch moves in one step, of its length, at the end beside half-way. Rows that slow down as 1/step "
        "or faster are arriving.",
        find_no_rest,
        lambda evidence: word_card(evidence, over=100, trails="chosen", at=evidence.step),
        lambda _: Link("See how much more it moved at step 100", view(panel="step", colour="moved", at=100)),
    ),
)
