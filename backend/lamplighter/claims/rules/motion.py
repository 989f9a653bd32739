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
    Reading,
    choose_state,
    spread_figure,
    tell,
    view,
    waiting,
    word_card,
)
from lamplighter.claims.evidence import Evidence
from lamplighter.claims.intervals import CLEAR, Spread, mean_of
from lamplighter.contract.answers import ProbeAnswer

VANISHED = 0.01
"""Share of the strongest layer's gradient below which another's has vanished."""
FLOODED = 10.0
"""Multiple of the median above which the strongest layer's gradient explodes."""
RARELY, OFTEN = 0.001, 0.1
"""Maximum share of steps in which either may happen, and the share above which it is common."""
SLIGHT = 5.0
"""Maximum slight rotation of a row in one step, in degrees."""
ELSEWHERE = 0.05
"""Minimum share of the attention that must move for it to have shifted."""
SMALL = 0.05
"""Maximum movement that counts as a small shift, relative to the row's length."""
AWAY = 0.5
"""Minimum distance of the rows from their start, relative to their length, for the ground to have shifted."""
ARRIVING, HALTED = 0.5, 0.25
"""Speed at the end relative to the speed half-way, for rows that slow down like 1/step and like 1/step²."""
FLASHES = 3.0
"""Maximum beats per second on the page, for photosensitive viewers (decision 0008)."""
_UNTRAINED = 20
"""First steps, in which hardly anything has been learned."""
_NEAR = 0.1
"""Relative window before a step over which its speed is averaged: as wide at the last step, which none follows."""


def find_river(evidence: Evidence) -> Finding:
    """Return whether the gradients of all layers have similar norms, and none explodes."""
    pulses = evidence.pulses
    known = None if pulses is None else np.isfinite(pulses.least_norm) & np.isfinite(pulses.most_norm)
    if pulses is None or known is None or not known.any():
        return waiting("gradients_of_two_layers")
    least, most, steps = pulses.least_norm[known], pulses.most_norm[known], pulses.steps[known]
    ratios = np.divide(least, most, out=np.zeros_like(least), where=most > 0)
    dry = float((ratios < VANISHED).mean())
    flooded = float((most > FLOODED * np.median(most)).mean())
    step = int(steps[-1])
    figures = (
        Figure("weakest_layer_of_the_strongest", float(ratios[-1]), "share", step),
        Figure("steps_in_which_a_layer_ran_dry", dry, "share"),
        Figure("steps_in_which_a_layer_flooded", flooded, "share"),
        Figure("strongest_layers_gradient", float(most[-1]), step=step),
    )
    first = ratios[steps <= _UNTRAINED]
    null = None
    if len(first):
        null = Figure(
            "in_the_first_steps",
            float(np.median(first)),
            "share",
            None,
            float(first.min()),
            float(first.max()),
            len(first),
        )
    reason = (
        tell("weakest_layer", step=step, share=float(ratios[-1])),
        tell("layers_ran_dry_and_flooded", dry=dry, flooded=flooded, below=VANISHED, times=FLOODED),
    )
    worst = max(dry, flooded)
    return Finding(choose_state(worst <= RARELY, worst < OFTEN), reason, figures, null)


def find_turn(evidence: Evidence) -> Finding:
    """Return how many degrees a step turns the rows it moves, and how far attention has shifted."""
    newest = evidence.newest
    now, early = (None if newest is None else newest.turn), evidence.first_turn
    change = _attention_change(evidence)
    answer = evidence.answer(ProbeAnswer)
    figures = [
        Figure("turn_of_a_row_now_median", now, "degrees", None if newest is None else newest.step),
        Figure("turn_of_a_row_in_step_1_median", early, "degrees", 1),
    ]
    if change is not None and answer is not None:
        figures.append(Figure("attention_that_goes_elsewhere", change, "share", answer.step))
    # The cosine of two random directions is 0 with this deviation; near 90 degrees the angle deviates as
    # much.
    side = 2 * math.degrees(evidence.width**-0.5)
    null = Figure("two_random_directions", 90.0, "degrees", low=90 - side, high=90 + side)
    if now is None or newest is None:
        return waiting("two_matrices", *figures, null=null)
    reason = [tell("step_turned_a_row", step=newest.step, degrees=now)]
    if early is not None:
        reason.append(tell("step_1_turned_a_row", degrees=early))
    reason.append(
        tell("attention_is_not_measured") if change is None else tell("attention_shifted", share=change)
    )
    shifted = change is not None and change >= ELSEWHERE
    # Rows turn most in step 1: without it the claim is only partly shown.
    holds = early is not None and max(now, early) <= SLIGHT and shifted
    imported = bool(answer and answer.imported)
    state = choose_state(holds, now <= SLIGHT)
    return Finding(state, tuple(reason), tuple(figures), null, imported=imported)


def find_shift(evidence: Evidence) -> Finding:
    """Return how far a row moves in a step, relative to its length, and whether steps lead anywhere."""
    shares = {
        step: share for step in evidence.row_lengths if (share := _share_at(evidence, step)) is not None
    }
    if not shares:
        return waiting("moved_rows")
    last = max(shares)
    now, most_at = shares[last], max(shares, key=lambda step: shares[step].mean)
    figures = [
        spread_figure("way_of_a_lit_row_of_its_length", now, "share", last),
        *(
            spread_figure("the_same_earlier", share, "share", step)
            for step, share in sorted(shares.items())
            if step != last
        ),
    ]
    apart = None if evidence.newest is None else evidence.newest.apart
    if apart is not None:
        figures.append(spread_figure("to_another_words_place", apart, "share"))
    journey = _read_journey(evidence)
    figures = [*journey.figures, *figures]
    reason = [tell("lit_row_moves", share=now.mean, step=last)]
    if most_at != last:
        reason.append(tell("lit_row_moved", share=shares[most_at].mean, step=most_at))
    reason += journey.reason
    small = 1 in shares and max(share.mean for share in shares.values()) <= SMALL
    state = choose_state(small and journey.holds is True, now.mean <= SMALL and journey.holds is not False)
    return Finding(state, tuple(reason), tuple(figures), journey.null)


def _read_journey(evidence: Evidence) -> Reading:
    """Return whether the rows are far from their start, and clearly farther than a random walk leads."""
    distance, length = evidence.shifted, evidence.row_lengths.get(evidence.step)
    walk = None if evidence.pulses is None else evidence.pulses.walk
    if distance is None or length is None or walk is None:
        return Reading(None, (tell("start_is_not_known"),))
    of_length = Spread(walk.mean / length, walk.deviation / length, walk.draws)
    share = distance / length
    return Reading(
        share >= AWAY and of_length.score(share) > CLEAR,
        (tell("rows_are_away_from_their_start", share=share, random=of_length.mean),),
        (Figure("distance_from_the_start", share, "share", evidence.step),),
        spread_figure("steps_in_random_directions", of_length, "share"),
    )


def find_heartbeat(evidence: Evidence) -> Finding:
    """Return the number of steps per second, and whether each is recorded."""
    pulses = evidence.pulses
    known = None if pulses is None else pulses.seconds[np.isfinite(pulses.seconds)]
    if pulses is None or known is None or not len(known):
        return waiting("time_of_a_step")
    pace = 1 / float(np.median(known))
    reached = max(evidence.step, int(pulses.steps[-1]))
    complete = pulses.recorded >= reached
    figures = (
        Figure("steps_that_are_recorded", float(pulses.recorded)),
        Figure("steps_there_were", float(reached)),
        Figure("steps_a_second", pace),
        Figure("beats_shown_a_second", FLASHES),
    )
    reason = (
        tell("steps_are_recorded", recorded=pulses.recorded, steps=reached),
        tell("median_step_takes", milliseconds=1e3 / pace, beats=FLASHES),
    )
    # A client's loop may record only every tenth step.
    state = choose_state(complete, evidence.recorded_elsewhere)
    return Finding(state, reason, figures)


def find_no_rest(evidence: Evidence) -> Finding:
    """Return whether the rows slow down too little in the second half to come to rest. Rows that wander, or
    have not moved, do not come to rest either: they show it in part at most.
    """
    half, last = evidence.step // 2, evidence.step
    before, now = _share_at(evidence, half), _share_at(evidence, last)
    if before is None or now is None or before.mean <= 0 or half < _UNTRAINED:
        return waiting("middle_and_end")
    kept = now.mean / before.mean
    error = kept * math.hypot(before.deviation / before.mean, now.deviation / now.mean if now.mean > 0 else 0)
    ratio = Spread(kept, error, min(before.draws, now.draws))
    figures = [
        spread_figure("pace_now_of_the_pace_half_way", ratio, "share", last),
        spread_figure("way_of_a_lit_row_now", now, "share", last),
        spread_figure("way_of_a_lit_row_half_way", before, "share", half),
    ]
    for step, code in ((1, "way_of_a_lit_row_in_step_1"), (last, "way_of_a_lit_row_now_median")):
        pace = _pace(evidence, step)
        figures.append(Figure(code, None if pace is None else pace.mean, step=step))
    null = Figure("rows_that_arrive", ARRIVING, "share")
    journey = _read_journey(evidence)
    reason = (
        tell("lit_row_moves", share=now.mean, step=last),
        tell("half_way_it_moved", share=before.mean, step=half, kept=kept, arriving=ARRIVING),
        *journey.reason,
    )
    figures += journey.figures
    if journey.null is not None:
        figures.append(journey.null)
    state = choose_state(ratio.low > ARRIVING and journey.holds is True, ratio.low > HALTED)
    return Finding(state, reason, tuple(figures), null)


def _pace(evidence: Evidence, step: int) -> Spread | None:
    """Return the median movement of a row of the batch, averaged over the last steps, with its error."""
    pulses = evidence.pulses
    if pulses is None or step < 1:
        return None
    near = (pulses.steps >= step * (1 - _NEAR)) & (pulses.steps <= step)
    found = pulses.lit_distance[near & np.isfinite(pulses.lit_distance)]
    return mean_of(found.tolist()) if len(found) else None


def _share_at(evidence: Evidence, step: int) -> Spread | None:
    pace, length = _pace(evidence, step), evidence.row_lengths.get(step)
    if pace is None or length is None:
        return None
    return Spread(pace.mean / length, pace.deviation / length, pace.draws)


def _attention_change(evidence: Evidence) -> float | None:
    answer = evidence.answer(ProbeAnswer)
    layers = [] if answer is None else answer.change or []
    known = [head for layer in layers[:256] for head in layer if head is not None]
    return sum(known) / len(known) if known else None


GROUP = "motion"
CLAIMS = (
    Claim(
        number=11,
        find=find_river,
        show=lambda evidence: view(panel="step", section="river", at=evidence.step),
        break_by=lambda _: Link("river_at_step_1", view(panel="step", section="river", at=1)),
    ),
    Claim(
        number=12,
        find=find_turn,
        show=lambda evidence: word_card(evidence, trails="chosen", over=0),
        break_by=lambda _: Link(
            "where_rows_swing_wide", view(panel="step", colour="moved", at=1, beat=1), breaks=True
        ),
        kinds=("probe",),
    ),
    Claim(
        number=15,
        find=find_shift,
        show=lambda evidence: view(colour="moved", trails="movers", over=100, at=evidence.step),
        break_by=lambda _: Link(
            "largest_shifts", view(colour="moved", trails="movers", over=0, at=1), breaks=True
        ),
    ),
    Claim(
        number=19,
        find=find_heartbeat,
        show=lambda evidence: view(from_=max(1, evidence.step - 50), speed=3),
        break_by=lambda evidence: Link("single_beat", view(at=evidence.step, beat=1)),
        role=ClaimRole.CHECK,
    ),
    Claim(
        number=23,
        find=find_no_rest,
        show=lambda evidence: word_card(evidence, over=100, trails="chosen", at=evidence.step),
        break_by=lambda _: Link("how_much_more_it_moved", view(panel="step", colour="moved", at=100)),
    ),
)
