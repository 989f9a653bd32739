"""Figures of claims 8 and 26: what sparse updates save, and how much of the rest of the model moves."""

from __future__ import annotations

import numpy as np

from lamplighter.claims.claim import (
    ClaimState,
    Figure,
    Finding,
    choose_state,
    tell,
    waiting,
    waiting_for_answer,
)
from lamplighter.claims.evidence import Evidence
from lamplighter.contract.answers import BatchSizesAnswer, BenchAnswer, MicroscopeAnswer
from lamplighter.model.optimiser_costs import count_update_bytes, count_update_flops

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


def find_affordable(evidence: Evidence) -> Finding:
    """Return what sparse updates save, in bytes and in operations."""
    pulses = evidence.pulses
    touched = None if pulses is None else median(pulses.moved_rows)
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
    """Return whether most of the model moves while the embedding is mostly idle, and the effect of a larger
    batch.
    """
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
    """Return the bench's timings for a large matrix, if there are any."""
    answer = evidence.answer(BenchAnswer)
    large = None if answer is None else answer.large
    if large is None:
        return []
    return [
        Figure("large_matrix_touched_rows", large.touched_ms, "ms"),
        Figure("large_matrix_every_row", large.whole_ms, "ms"),
    ]


def median(values: np.ndarray) -> float | None:
    """Return the median of the known values; None if there are none."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else None
