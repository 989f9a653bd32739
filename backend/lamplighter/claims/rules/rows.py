"""Claims 6, 7, 8, 9 and 26: a batch touches few rows, and the conditions for that."""

from __future__ import annotations

import math

import numpy as np

from lamplighter.claims.claim import (
    Claim,
    ClaimRole,
    ClaimState,
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
)
from lamplighter.claims.codes import LinkCode
from lamplighter.claims.evidence import Evidence, PulseFigures
from lamplighter.claims.intervals import CLEAR, Spread
from lamplighter.contract.answers import BatchSizesAnswer, BenchAnswer, MicroscopeAnswer
from lamplighter.model.flops import count_update_bytes, count_update_flops

PROPORTIONAL, UNRELATED = 0.9, 0.5
"""Rank correlation of touches and counts above which updates follow frequency, and below which
they do not.
"""
STIRRED = 1.1
"""Multiple of the read rows above which other rows move too: a single extra row does not count."""
FEW = 0.5
"""Maximum share of the rows that counts as few."""
SAVES, SPARES = 0.1, 0.01
"""Minimum share of a step's operations that sparse updates must save: to make the step affordable, and to
count at all.
"""
ALL_LIT = 0.9
"""Share of the rows above which the embedding is not mostly idle."""
AWAKE = 0.9
"""Minimum share of the other parameters that must move for the rest of the model to count as active."""
GROWS = 3.0
"""Minimum ratio of rows read by the largest batch for the batch size to explain the idle rows."""


def find_sleepers(evidence: Evidence) -> Finding:
    """Return whether only rows of the batch moved in the sampled steps."""
    pulses = evidence.pulses
    if pulses is None or not np.isfinite(pulses.batch_rows).any():
        return waiting("batch_of_a_step")
    lit = float(np.nanmedian(pulses.batch_rows))
    compared = np.isfinite(pulses.moved_sleepers)
    verified = compared & pulses.verified
    moved = int(np.nansum(pulses.moved_sleepers[compared]))
    looked = len(pulses.steps)
    low, high = (
        value / evidence.rows for value in np.nanquantile(pulses.batch_rows, (0.025, 0.975)).tolist()
    )
    figures = [
        Figure("share_of_the_city", lit / evidence.rows, "share", None, low, high, looked),
        Figure("rows_in_a_batch_median", lit),
        Figure("sleepers_that_moved", float(moved) if compared.any() else None),
        Figure("steps_whose_whole_matrix_was_compared", float(verified.sum())),
    ]
    null = _drawn_evenly(evidence)
    share = lit / evidence.rows
    reason = [tell("rows_lit", lit=lit, rows=evidence.rows, share=share, steps=looked)]
    if null is not None and null.value is not None:
        reason.append(tell("drawn_evenly_would_light", share=null.value))
    if not compared.any():
        return waiting("moved_rows", *figures, null=null)
    if moved:
        stirred = float((pulses.moved_sleepers[compared] > 0).mean())
        reason.append(tell("rows_moved_unread", share=stirred))
        return Finding(ClaimState.FAILING, tuple(reason), tuple(figures), null)
    reason.append(tell("no_sleeper_moved", steps=int(verified.sum())))
    state = choose_state(bool(verified.any()) and share <= FEW, share < ALL_LIT)
    return Finding(state, tuple(reason), tuple(figures), null)


def _drawn_evenly(evidence: Evidence) -> Figure | None:
    """Return the share of rows that a batch of uniformly drawn words would read, if its size is known."""
    words, rows = evidence.batch_tokens, evidence.rows
    if not words:
        return None
    # Each row is absent with probability q; two given rows with r. The variance follows from both.
    q, r = (1 - 1 / rows) ** words, (1 - 2 / rows) ** words if rows > 1 else 0.0
    variance = rows * q * (1 - q) + rows * (rows - 1) * (r - q * q)
    spread = Spread(1 - q, math.sqrt(max(0.0, variance)) / rows, words)
    return spread_figure("words_drawn_evenly", spread, "share")


def find_renovation(evidence: Evidence) -> Finding:
    """Return whether frequent words are touched most, and all words eventually."""
    touches = evidence.touches
    if touches is None:
        return waiting("batch_of_a_step")
    covered = 1 - touches.never / evidence.rows
    figures = [
        Figure("words_ever_touched", covered, "share", touches.step),
        Figure("words_never_touched", float(touches.never), step=touches.step),
        Figure("never_touched_in_the_text", float(touches.missed), step=touches.step),
        Figure("touches_of_a_median_word", touches.median, step=touches.step),
        Figure("touches_of_the_word_with_the_most", float(touches.most), step=touches.step),
    ]
    dealt = touches.correlation_dealt
    null = None if dealt is None else spread_figure("counts_dealt_at_random", dealt)
    if touches.correlation is None:
        return waiting("counts_in_the_text", *figures, null=null)
    figures.insert(
        0,
        Figure("rank_correlation_of_touches_and_counts", touches.correlation, step=touches.step),
    )
    counted: Values = {"steps": touches.step, "never": touches.never, "rows": evidence.rows}
    reason = (
        tell("words_never_touched", **counted, missed=touches.missed),
        tell("touches_follow_counts", correlation=touches.correlation),
    )
    beyond = dealt is not None and dealt.score(touches.correlation) > CLEAR
    follows = touches.correlation >= PROPORTIONAL and beyond
    state = choose_state(follows and touches.missed == 0, touches.correlation >= UNRELATED and beyond)
    return Finding(state, reason, tuple(figures), null)


def find_when_not(evidence: Evidence) -> Finding:
    """Return whether the three sets differ with tied weights and with momentum."""
    answer = evidence.answer(BenchAnswer)
    if answer is None:
        own = _own_sets(evidence)
        return own or waiting_for_answer(evidence, "bench")
    figures: list[Figure] = []
    unequal: list[str] = []
    others = 0
    stirred: dict[str, float] = {}
    for rule in answer.recipes[:8]:
        name, gradient, moved = rule.name, rule.gradient_rows, rule.moved_rows
        named: Values = {"rule": name}
        figures += [
            Figure("rows_with_a_gradient_under", gradient, values=named),
            Figure("rows_that_moved_under", moved, values=named),
        ]
        stirred[name] = max(gradient, moved) - rule.batch_rows
        if name != "lazy":
            others += 1
            if max(gradient, moved) > STIRRED * rule.batch_rows:
                unequal.append(name)
    if not others:
        return waiting("another_rule")
    most = max((name for name in stirred if name != "lazy"), key=lambda name: stirred[name])
    figures.insert(0, Figure("rows_that_stir_unread", stirred[most], values={"rule": most}))
    null = Figure("under_the_lazy_rule", stirred["lazy"]) if "lazy" in stirred else None
    reason = (
        tell("rules_wake_sleepers", rules=", ".join(unequal), waking=len(unequal), others=others)
        if unequal
        else tell("no_rule_wakes_sleepers", others=others)
    )
    state = choose_state(len(unequal) == others, bool(unequal))
    return Finding(state, (reason,), tuple(figures), null, imported=answer.imported)


def _own_sets(evidence: Evidence) -> Finding | None:
    """Return what the run's own steps show if its update rule is not the lazy one; None if nothing is known."""
    pulses: PulseFigures | None = evidence.pulses
    if pulses is None or (evidence.optimiser == "lazy" and not evidence.tied) or evidence.recorded_elsewhere:
        return None
    batch, gradient, moved = (
        _median(each) for each in (pulses.batch_rows, pulses.gradient_rows, pulses.moved_rows)
    )
    if batch is None or gradient is None or moved is None:
        return None
    figures = (
        Figure("rows_with_a_gradient_median", gradient),
        Figure("rows_that_moved_median", moved),
    )
    unequal = max(gradient, moved) > STIRRED * batch
    reason = tell("own_rule", read=batch, gradient=gradient, moved=moved)
    null = Figure("rows_in_the_batch_median", batch)
    return Finding(choose_state(unequal, False), (reason,), figures, null)


def find_affordable(evidence: Evidence) -> Finding:
    """Return what sparse updates save, in bytes and in operations."""
    pulses = evidence.pulses
    touched = None if pulses is None else _median(pulses.moved_rows)
    if pulses is None or touched is None:
        return waiting("moved_rows")
    share = touched / evidence.rows
    numbers, every = round(touched * evidence.width), evidence.rows * evidence.width
    kind = evidence.optimiser
    # Updating every row costs what the dense rule of the same kind costs.
    dense = "adam" if kind == "lazy" else kind
    figures = [
        Figure("rows_updated_of_all", share, "share"),
        Figure("bytes_of_the_update", float(count_update_bytes(kind, numbers)), "bytes"),
    ]
    null = Figure("bytes_of_updating_every_row", float(count_update_bytes(dense, every)), "bytes")
    answer = evidence.answer(MicroscopeAnswer)
    if answer is None:
        return waiting_for_answer(evidence, "microscope_arithmetic", *figures, null=null)
    totals = answer.operations.totals
    whole = totals.forward + totals.backward + totals.update
    saved = count_update_flops(dense, every) - count_update_flops(kind, numbers)
    of_step = saved / (whole + saved) if whole + saved > 0 else 0.0
    few, many = (
        of_step * (1 - rows / evidence.rows) / (1 - share) if share < 1 else 0.0
        for rows in np.nanquantile(pulses.moved_rows, (0.975, 0.025)).tolist()
    )
    saving = Figure(
        "arithmetic_of_the_step_that_is_saved", of_step, "share", answer.step, few, many, len(pulses.steps)
    )
    figures.insert(0, saving)
    figures += [null, *_measured_times(evidence)]
    return Finding(
        choose_state(share <= ALL_LIT and of_step >= SAVES, share <= ALL_LIT and of_step >= SPARES),
        (tell("arithmetic_is_saved", rows=share, saved=of_step),),
        tuple(figures),
        Figure("every_row_updated", 0.0, "share"),
        imported=answer.imported,
    )


def find_batch_size(evidence: Evidence) -> Finding:
    """Return whether most of the model moves while the embedding is idle, and the effect of a larger batch."""
    answer = evidence.answer(MicroscopeAnswer)
    if answer is None:
        return waiting_for_answer(evidence, "microscope_parameters")
    share, moved, rows = answer.whole.share, answer.whole.rows_moved, answer.whole.rows
    if not rows:
        return waiting("counted_rows")
    city = moved / rows
    house = _share_of_the_rest(evidence, share, moved)
    figures = [
        Figure("parameters_outside_the_city_that_a_step_moves", house, "share", answer.step),
        Figure("parameters_that_a_step_moves", share, "share", answer.step),
        Figure("rows_of_the_city_that_it_moves", city, "share", answer.step),
    ]
    null = _share_of_the_city(evidence, city)
    if house is None:
        return waiting("number_of_parameters", *figures, null=null)
    reason = [tell("house_and_city_move", house=house, city=city)]
    if city > ALL_LIT:
        reason.append(tell("city_does_not_sleep"))
        return Finding(ClaimState.FAILING, tuple(reason), tuple(figures), null, imported=answer.imported)
    sizes = _batch_sizes(evidence)
    figures += [Figure("lit_by_a_batch", lit, "share", values={"tokens": tokens}) for tokens, lit in sizes]
    moves = house >= AWAKE and city <= FEW
    if not sizes:
        reason.append(tell("larger_batches_are_not_measured"))
        state = choose_state(False, house > 2 * city)
        return Finding(state, tuple(reason), tuple(figures), null, "larger_batches", answer.imported)
    tokens, lit = max(sizes)
    reason.append(tell("larger_batch_would_light", tokens=tokens, share=lit))
    grows = lit > GROWS * min(sizes)[1] or lit > ALL_LIT
    state = choose_state(moves and grows, house > 2 * city)
    return Finding(state, tuple(reason), tuple(figures), null, imported=answer.imported)


def _share_of_the_rest(evidence: Evidence, share: float, moved_rows: float) -> float | None:
    """Return the share of the parameters outside the embedding that a step moves."""
    if evidence.parameters is None:
        return None
    others = evidence.parameters - evidence.rows * evidence.width
    moved = share * evidence.parameters - moved_rows * evidence.width
    return min(1.0, max(0.0, moved / others)) if others > 0 else None


def _share_of_the_city(evidence: Evidence, city: float) -> Figure:
    """Return the share of the embedding rows that a step moves, with its 95 % interval over the steps."""
    moved = None if evidence.pulses is None else evidence.pulses.moved_rows
    if moved is None or not np.isfinite(moved).any():
        return Figure("of_the_city", city, "share")
    low, high = (value / evidence.rows for value in np.nanquantile(moved, (0.025, 0.975)).tolist())
    return Figure("of_the_city", city, "share", None, low, high, int(np.isfinite(moved).sum()))


def _batch_sizes(evidence: Evidence) -> list[tuple[int, float]]:
    """Return batch sizes in tokens and the share of the rows each reads, ascending."""
    answer = evidence.answer(BatchSizesAnswer)
    return [] if answer is None else sorted((one.tokens, one.share) for one in answer.sizes[:16])


def _measured_times(evidence: Evidence) -> list[Figure]:
    answer = evidence.answer(BenchAnswer)
    large = None if answer is None else answer.large
    if large is None:
        return []
    return [
        Figure("large_matrix_touched_rows", large.touched_ms, "ms"),
        Figure("large_matrix_every_row", large.whole_ms, "ms"),
    ]


def _median(values: np.ndarray) -> float | None:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else None


def _bench(evidence: Evidence, code: LinkCode, steps: int, *, breaks: bool) -> Link:
    question = {"kind": "bench", "step": evidence.examined_step, "steps": steps}
    shown = view(panel="experiments", ask="bench", section="answer", at=evidence.examined_step)
    return ask(code, question, evidence, shown, breaks=breaks)


def _show_step(evidence: Evidence) -> str:
    return view(panel="step", section="sets", colour="moved", at=evidence.step)


def _find_unlit_word(evidence: Evidence) -> Link:
    token = None if evidence.touches is None else evidence.touches.first_never
    if token is None:
        return Link("the_first_step", view(colour="since", at=1))
    return Link("word_that_never_lit", view(panel="token", token=token, at=evidence.step), breaks=True)


GROUP = "rows"
CLAIMS = (
    Claim(
        number=6,
        find=find_sleepers,
        show=_show_step,
        break_by=lambda evidence: _bench(evidence, "wake_the_sleepers", 40, breaks=True),
        role=ClaimRole.RECIPE,
    ),
    Claim(
        number=7,
        find=find_renovation,
        show=lambda evidence: view(colour="since", at=evidence.step),
        break_by=_find_unlit_word,
        role=ClaimRole.RECIPE,
    ),
    Claim(
        number=8,
        find=find_affordable,
        show=lambda _: view(panel="cost", section="memory"),
        break_by=lambda evidence: _bench(evidence, "measure_with_a_stopwatch", 40, breaks=False),
        kinds=("microscope", "bench"),
    ),
    Claim(
        number=9,
        find=find_when_not,
        show=lambda evidence: view(
            panel="experiments", ask="bench", section="answer", at=evidence.answered_step("bench")
        ),
        break_by=lambda evidence: _bench(evidence, "after_the_first_step", 1, breaks=True),
        kinds=("bench",),
        role=ClaimRole.RECIPE,
    ),
    Claim(
        number=26,
        find=find_batch_size,
        show=_show_step,
        break_by=lambda evidence: ask(
            "larger_batch",
            {"kind": "batch_sizes", "step": evidence.examined_step},
            evidence,
            view(panel="experiments", ask="batch_sizes", section="answer", at=evidence.examined_step),
            breaks=True,
        ),
        kinds=("microscope", "batch_sizes"),
        role=ClaimRole.RECIPE,
    ),
)
