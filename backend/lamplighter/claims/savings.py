"""Figures of claims 8 and 26: what updates of few rows save of a step, and what moves of the model besides them."""

from __future__ import annotations

import numpy as np

from lamplighter.claims.claim import (
    ClaimState,
    Figure,
    Finding,
    choose_state,
    list_at,
    number_at,
    percent,
    waiting,
)
from lamplighter.claims.evidence import Evidence
from lamplighter.model.optimiser_costs import count_update_bytes, count_update_flops

FEW = 0.5
"""Largest share of the rows that counts as few."""
SAVES, SPARES = 0.1, 0.01
"""Least share of a step's arithmetic that sparse updates must save to be what makes it affordable, and to count at all."""
ALL_LIT = 0.9
"""Share of the rows from which on the city does not sleep."""
AWAKE = 0.9
"""Least share of the parameters outside the city that move where the rest of the model does not sleep."""
GROWS = 3.0
"""Times as many rows that the largest batch lights, where it is the batch that lets the city sleep."""


def find_affordable(evidence: Evidence) -> Finding:
    """Return what sparse updates save, in bytes and in arithmetic."""
    pulses = evidence.pulses
    touched = None if pulses is None else median(pulses.moved_rows)
    if pulses is None or touched is None:
        return waiting("a step whose moved rows are recorded")
    share = touched / evidence.rows
    numbers, every = round(touched * evidence.width), evidence.rows * evidence.width
    kind = evidence.optimiser
    # Updating every row is the work of the dense rule of the same kind.
    dense = "adam" if kind == "lazy" else kind
    figures = [
        Figure("rows updated, of all", share, "share"),
        Figure("bytes of the update", float(count_update_bytes(kind, numbers)), "bytes"),
    ]
    null = Figure("bytes of updating every row", float(count_update_bytes(dense, every)), "bytes")
    told = f"A step updates {percent(share)} of the rows"
    answer = evidence.answers.get("microscope")
    totals = ("forward", "backward", "update")
    parts = [
        None if answer is None else number_at(answer.fields, "operations", "totals", name) for name in totals
    ]
    if answer is None or any(part is None for part in parts):
        return waiting(
            evidence.missing_answer("one step under the microscope, for its arithmetic"), *figures, null=null
        )
    whole = sum(part for part in parts if part is not None)
    saved = count_update_flops(dense, every) - count_update_flops(kind, numbers)
    of_step = saved / (whole + saved) if whole + saved > 0 else 0.0
    few, many = (
        of_step * (1 - rows / evidence.rows) / (1 - share) if share < 1 else 0.0
        for rows in np.nanquantile(pulses.moved_rows, (0.975, 0.025)).tolist()
    )
    saving = Figure(
        "arithmetic of the step that is saved", of_step, "share", answer.step, few, many, len(pulses.steps)
    )
    figures.insert(0, saving)
    figures += [null, *_measured_times(evidence)]
    told += f", which saves {percent(of_step)} of the arithmetic that the step would take with all of them. A tenth would make it affordable."
    return Finding(
        choose_state(share <= ALL_LIT and of_step >= SAVES, share <= ALL_LIT and of_step >= SPARES),
        told,
        tuple(figures),
        Figure("every row updated", 0.0, "share"),
        imported=answer.imported,
    )


def find_batch_size(evidence: Evidence) -> Finding:
    """Return whether most of the model moves while most of the embedding sleeps, and how a larger batch wakes it."""
    answer = evidence.answers.get("microscope")
    share = None if answer is None else number_at(answer.fields, "whole", "share")
    if answer is None or share is None:
        return waiting(evidence.missing_answer("one step under the microscope, for all its parameters"))
    moved, rows = number_at(answer.fields, "whole", "rows_moved"), number_at(answer.fields, "whole", "rows")
    if moved is None or not rows:
        return waiting("a step whose moved rows are counted")
    city = moved / rows
    house = _share_of_the_rest(evidence, share, moved)
    figures = [
        Figure("parameters outside the city that a step moves", house, "share", answer.step),
        Figure("parameters that a step moves", share, "share", answer.step),
        Figure("rows of the city that it moves", city, "share", answer.step),
    ]
    null = _share_of_the_city(evidence, city)
    if house is None:
        return waiting("the number of all parameters", *figures, null=null)
    told = f"A step moves {percent(house)} of the parameters outside the city and {percent(city)} of the city's rows"
    if city > ALL_LIT:
        return Finding(
            ClaimState.FAILING,
            f"{told}: here the city does not sleep.",
            tuple(figures),
            null,
            imported=answer.imported,
        )
    sizes = _batch_sizes(evidence)
    figures += [Figure(f"lit by a batch of {tokens:,.0f} tokens", lit, "share") for tokens, lit in sizes]
    moves = house >= AWAKE and city <= FEW
    if not sizes:
        told += "; larger batches are not measured yet."
        waits_for = evidence.missing_answer("larger batches of the same text")
        state = choose_state(False, house > 2 * city)
        return Finding(state, told, tuple(figures), null, waits_for, answer.imported)
    tokens, lit = max(sizes)
    told += f"; a batch of {tokens:,.0f} tokens would light {percent(lit)}."
    grows = lit > GROWS * min(sizes)[1] or lit > ALL_LIT
    return Finding(
        choose_state(moves and grows, house > 2 * city),
        told,
        tuple(figures),
        null,
        imported=answer.imported,
    )


def _share_of_the_rest(evidence: Evidence, share: float, moved_rows: float) -> float | None:
    """Return the share of the parameters outside the embedding that a step moves, from that of all and the embedding's rows."""
    if evidence.parameters is None:
        return None
    others = evidence.parameters - evidence.rows * evidence.width
    moved = share * evidence.parameters - moved_rows * evidence.width
    return min(1.0, max(0.0, moved / others)) if others > 0 else None


def _share_of_the_city(evidence: Evidence, city: float) -> Figure:
    """Return the share of the rows that a step moves, with the interval that 95 of 100 steps fall into."""
    moved = None if evidence.pulses is None else evidence.pulses.moved_rows
    if moved is None or not np.isfinite(moved).any():
        return Figure("of the city", city, "share")
    low, high = (value / evidence.rows for value in np.nanquantile(moved, (0.025, 0.975)).tolist())
    return Figure("of the city", city, "share", None, low, high, int(np.isfinite(moved).sum()))


def _batch_sizes(evidence: Evidence) -> list[tuple[float, float]]:
    """Return tokens of a batch and the share of the rows that it lights, ascending."""
    answer = evidence.answers.get("batch_sizes")
    found: list[tuple[float, float]] = []
    for one in [] if answer is None else list_at(answer.fields, "sizes")[:16]:
        tokens, share = number_at(one, "tokens"), number_at(one, "share")
        if tokens is not None and share is not None:
            found.append((tokens, share))
    return sorted(found)


def _measured_times(evidence: Evidence) -> list[Figure]:
    """Return what the bench measured of a large matrix, if it did."""
    answer = evidence.answers.get("bench")
    if answer is None:
        return []
    times = [number_at(answer.fields, "large", name) for name in ("touched_ms", "whole_ms")]
    names = ("large matrix: touched rows", "large matrix: every row")
    return [Figure(name, time, "ms") for name, time in zip(names, times, strict=True) if time is not None]


def median(values: np.ndarray) -> float | None:
    """Return the median of the known values; None where there is none."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else None
