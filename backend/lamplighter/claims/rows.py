"""Claims 6, 7, 8, 9 and 26: a batch touches few rows, under the conditions that make it so."""

from __future__ import annotations

import math

import numpy as np

from lamplighter.claims.claim import (
    Claim,
    ClaimState,
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
from lamplighter.claims.evidence import Evidence, PulseFigures
from lamplighter.claims.intervals import CLEAR, Spread
from lamplighter.claims.views import ask, view
from lamplighter.optimiser_costs import count_update_bytes, count_update_flops

FEW = 0.5
"""Largest share of the rows that counts as few."""
SAVES, SPARES = 0.1, 0.01
"""Least share of a step's arithmetic that sparse updates must save to be what makes it affordable, and to count at all."""
PROPORTIONAL, UNRELATED = 0.9, 0.5
"""Rank correlations of touches and counts that count as frequent words being renovated most, and as not."""
ALL_LIT = 0.9
"""Share of the rows from which on the city does not sleep."""
STIRRED = 1.1
"""Times the rows that were read from which on others stir: one more row in one step is not what is meant."""
AWAKE = 0.9
"""Least share of the parameters outside the city that move where the rest of the model does not sleep."""
GROWS = 3.0
"""Times as many rows that the largest batch lights, where it is the batch that lets the city sleep."""


def find_sleepers(evidence: Evidence) -> Finding:
    """Return whether only rows of the batch moved, in the steps that were looked at."""
    pulses = evidence.pulses
    if pulses is None or not np.isfinite(pulses.batch_rows).any():
        return waiting("a step whose batch is recorded")
    lit = float(np.nanmedian(pulses.batch_rows))
    compared = np.isfinite(pulses.moved_sleepers)
    verified = compared & pulses.verified
    moved = int(np.nansum(pulses.moved_sleepers[compared]))
    looked = len(pulses.steps)
    low, high = (
        value / evidence.rows for value in np.nanquantile(pulses.batch_rows, (0.025, 0.975)).tolist()
    )
    figures = [
        Figure("share of the city", lit / evidence.rows, "share", None, low, high, looked),
        Figure("rows in a batch, median", lit),
        Figure("sleepers that moved", float(moved) if compared.any() else None),
        Figure("steps whose whole matrix was compared", float(verified.sum())),
    ]
    null = _drawn_evenly(evidence)
    told = f"{lit:,.0f} of {evidence.rows:,} rows lit ({percent(lit / evidence.rows)}) in a median batch of {looked:,} steps looked at"
    told += (
        ""
        if null is None or null.value is None
        else f"; words drawn evenly would light {percent(null.value)}"
    )
    if not compared.any():
        return waiting("a step whose moved rows are recorded", *figures, null=null)
    if moved:
        share = float((pulses.moved_sleepers[compared] > 0).mean())
        told += f"; in {percent(share)} of them rows moved that were not read."
        return Finding(ClaimState.FAILING, told, tuple(figures), null)
    told += f"; no sleeper moved, and in {int(verified.sum()):,} steps the whole city was checked."
    few = lit / evidence.rows
    return Finding(
        choose_state(bool(verified.any()) and few <= FEW, few < ALL_LIT), told, tuple(figures), null
    )


def _drawn_evenly(evidence: Evidence) -> Figure | None:
    """Return the share of the rows that a batch lights whose words are drawn evenly from the vocabulary, with the interval of
    such draws; None where the size of a batch is not known."""
    words, rows = evidence.batch_tokens, evidence.rows
    if not words:
        return None
    # Each row is left out with probability q; two of them with r. The variance follows from both.
    q, r = (1 - 1 / rows) ** words, (1 - 2 / rows) ** words if rows > 1 else 0.0
    variance = rows * q * (1 - q) + rows * (rows - 1) * (r - q * q)
    spread = Spread(1 - q, math.sqrt(max(0.0, variance)) / rows, words)
    return spread_figure("words drawn evenly", spread, "share")


def find_renovation(evidence: Evidence) -> Finding:
    """Return whether frequent words are touched most, and all in the end."""
    touches = evidence.touches
    if touches is None:
        return waiting("a step whose batch is recorded")
    covered = 1 - touches.never / evidence.rows
    figures = [
        Figure("words ever touched", covered, "share", touches.step),
        Figure("words never touched", float(touches.never), step=touches.step),
        Figure("touches of a median word", touches.median, step=touches.step),
        Figure("touches of the word with the most", float(touches.most), step=touches.step),
    ]
    dealt = touches.correlation_dealt
    null = None if dealt is None else spread_figure("counts dealt at random", dealt)
    told = f"In {touches.step:,} steps {touches.never:,} of {evidence.rows:,} words {'was' if touches.never == 1 else 'were'} never touched"
    if touches.correlation is None:
        return waiting("the counts of the words in the text", *figures, null=null)
    figures.insert(
        0, Figure("rank correlation of touches and counts", touches.correlation, step=touches.step)
    )
    told += f"; touches follow the counts by {touches.correlation:.2f} (0 would mean no relation)."
    beyond = dealt is not None and dealt.score(touches.correlation) > CLEAR
    follows = touches.correlation >= PROPORTIONAL and beyond
    return Finding(
        choose_state(follows and touches.never == 0, touches.correlation >= UNRELATED and beyond),
        told,
        tuple(figures),
        null,
    )


def find_affordable(evidence: Evidence) -> Finding:
    """Return what sparse updates save, in bytes and in arithmetic."""
    pulses = evidence.pulses
    touched = None if pulses is None else _median(pulses.moved_rows)
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


def find_when_not(evidence: Evidence) -> Finding:
    """Return whether the three sets come apart with tied weights and with momentum."""
    answer = evidence.answers.get("bench")
    if answer is None:
        own = _own_sets(evidence)
        return own or waiting(evidence.missing_answer("the bench: the same batches under four rules"))
    figures: list[Figure] = []
    unequal: list[str] = []
    others = 0
    stirred: dict[str, float] = {}
    for recipe in list_at(answer.fields, "recipes")[:8]:
        name = recipe.get("name") if isinstance(recipe, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        read, gradient, moved = (number_at(recipe, f"{part}_rows") for part in ("batch", "gradient", "moved"))
        if not isinstance(name, str) or read is None or gradient is None or moved is None:
            continue
        figures += [
            Figure(f"{name[:40]}: rows with a gradient", gradient),
            Figure(f"{name[:40]}: rows that moved", moved),
        ]
        stirred[name[:40]] = max(gradient, moved) - read
        if name != "lazy":
            others += 1
            if max(gradient, moved) > STIRRED * read:
                unequal.append(name[:40])
    if not others:
        return waiting("a bench with another rule than the lazy one")
    most = max((name for name in stirred if name != "lazy"), key=lambda name: stirred[name])
    figures.insert(0, Figure(f"rows that stir without being read, {most}", stirred[most]))
    null = Figure("under the lazy rule", stirred["lazy"]) if "lazy" in stirred else None
    told = (
        f"With {', '.join(unequal)} rows stir that were not read; {len(unequal)} of {others} rules wake sleepers."
        if unequal
        else f"With none of {others} other rules did a row stir that was not read."
    )
    return Finding(
        choose_state(len(unequal) == others, bool(unequal)),
        told,
        tuple(figures),
        null,
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


def _median(values: np.ndarray) -> float | None:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else None


def _own_sets(evidence: Evidence) -> Finding | None:
    """Return what the run's own steps say where its rule is not the lazy one; None where it is, or nothing is known."""
    pulses: PulseFigures | None = evidence.pulses
    if pulses is None or (evidence.optimiser == "lazy" and not evidence.tied) or evidence.recorded_elsewhere:
        return None
    batch, gradient, moved = (
        _median(each) for each in (pulses.batch_rows, pulses.gradient_rows, pulses.moved_rows)
    )
    if batch is None or gradient is None or moved is None:
        return None
    figures = (
        Figure("rows with a gradient, median", gradient),
        Figure("rows that moved, median", moved),
    )
    unequal = max(gradient, moved) > STIRRED * batch
    told = (
        f"This run's own rule: {batch:,.0f} rows read, {gradient:,.0f} with a gradient, {moved:,.0f} moved."
    )
    return Finding(choose_state(unequal, False), told, figures, Figure("rows in the batch, median", batch))


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


def _bench(evidence: Evidence, label: str, steps: int, *, breaks: bool) -> Link:
    question = {"kind": "bench", "step": evidence.examined_step, "steps": steps}
    shown = view(panel="ask", ask="bench", section="answer", at=evidence.examined_step)
    return ask(label, question, evidence, shown, breaks=breaks)


def _show_step(evidence: Evidence) -> str:
    return view(panel="step", section="sets", colour="moved", at=evidence.step)


GROUP = "Who sleeps, who wakes"
CLAIMS = (
    Claim(
        6,
        "Most of the city sleeps",
        "A batch reads a few hundred words. Only their rows light up and move; the rest of the city sleeps.",
        "Holds with lazy updates and separate tables. Tied weights and plain Adam wake sleepers.",
        "Three sets in every step: rows read, rows with a gradient, rows that moved; the whole matrix is compared. Beside them "
        "the rows that a batch of words drawn evenly would light.",
        find_sleepers,
        _show_step,
        lambda evidence: _bench(evidence, "Wake the sleepers: other rules, same batches", 40, breaks=True),
    ),
    Claim(
        7,
        "Always rebuilding somewhere",
        "Frequent words are rebuilt all the time, rare ones seldom, and in the end all of them were.",
        "The last part fails for a word that the text never uses: it keeps its first, random row for ever.",
        "How often each row was in a batch, beside how often its word is in the text, and beside counts dealt at random twenty "
        "times; and which never was.",
        find_renovation,
        lambda evidence: view(colour="since", at=evidence.step),
        lambda evidence: Link(
            "Go to a word that never lit"
            if evidence.touches and evidence.touches.first_never is not None
            else "See the first step",
            view(panel="token", token=evidence.touches.first_never, at=evidence.step)
            if evidence.touches and evidence.touches.first_never is not None
            else view(colour="since", at=1),
            breaks=bool(evidence.touches and evidence.touches.first_never is not None),
        ),
    ),
    Claim(
        8,
        "Cheap updates",
        "Updating only the rows that were read is what makes a step affordable.",
        "Holds for the update of the table alone. In a whole step the predictions cost far more, so that little is saved.",
        "Bytes and arithmetic of the update, for the touched rows and for all, against the whole step.",
        find_affordable,
        lambda _: view(panel="cost", section="memory"),
        lambda evidence: _bench(evidence, "Measure it with a stopwatch", 40, breaks=False),
        kinds=("microscope", "bench"),
    ),
    Claim(
        9,
        "… and when not",
        "Change the rule and sleepers stir: tied weights give every row a gradient, momentum lets rows drift on.",
        "Holds once momentum has something to carry on. After a single step nothing drifts yet.",
        "The three sets again, for the same batches under the lazy rule and three others.",
        find_when_not,
        lambda evidence: view(panel="ask", ask="bench", section="answer", at=evidence.examined_step),
        lambda evidence: _bench(evidence, "Stop after the first step", 1, breaks=True),
        kinds=("bench",),
    ),
    Claim(
        26,
        "The house does not sleep",
        "While the city sleeps, the rest of the model moves. And the city sleeps only because the batch is small.",
        "Holds for small batches. The larger the batch, the more of the city lights up.",
        "The share of the parameters outside the city that a step moves, beside that of the city's rows; and the rows that larger "
        "batches of the same text would light.",
        find_batch_size,
        _show_step,
        lambda evidence: ask(
            "Take a larger batch",
            {"kind": "batch_sizes", "step": evidence.examined_step},
            evidence,
            view(panel="ask", ask="batch_sizes", section="answer", at=evidence.examined_step),
            breaks=True,
        ),
        kinds=("microscope", "batch_sizes"),
    ),
)
