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
from lamplighter.claims.savings import ALL_LIT, FEW, find_affordable, find_batch_size, median
from lamplighter.claims.views import ask, view

PROPORTIONAL, UNRELATED = 0.9, 0.5
"""Rank correlations of touches and counts that count as frequent words being renovated most, and as not."""
STIRRED = 1.1
"""Times the rows that were read from which on others stir: one more row in one step is not what is meant."""


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
        Figure("of them in the text", float(touches.missed), step=touches.step),
        Figure("touches of a median word", touches.median, step=touches.step),
        Figure("touches of the word with the most", float(touches.most), step=touches.step),
    ]
    dealt = touches.correlation_dealt
    null = None if dealt is None else spread_figure("counts dealt at random", dealt)
    told = f"In {touches.step:,} steps {touches.never:,} of {evidence.rows:,} words {'was' if touches.never == 1 else 'were'} never touched, {touches.missed:,} of them in the text"
    if touches.correlation is None:
        return waiting("the counts of the words in the text", *figures, null=null)
    figures.insert(
        0, Figure("rank correlation of touches and counts", touches.correlation, step=touches.step)
    )
    told += f"; touches follow the counts by {touches.correlation:.2f} (0 would mean no relation)."
    beyond = dealt is not None and dealt.score(touches.correlation) > CLEAR
    follows = touches.correlation >= PROPORTIONAL and beyond
    return Finding(
        choose_state(follows and touches.missed == 0, touches.correlation >= UNRELATED and beyond),
        told,
        tuple(figures),
        null,
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


def _own_sets(evidence: Evidence) -> Finding | None:
    """Return what the run's own steps say where its rule is not the lazy one; None where it is, or nothing is known."""
    pulses: PulseFigures | None = evidence.pulses
    if pulses is None or (evidence.optimiser == "lazy" and not evidence.tied) or evidence.recorded_elsewhere:
        return None
    batch, gradient, moved = (
        median(each) for each in (pulses.batch_rows, pulses.gradient_rows, pulses.moved_rows)
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
        "Holds of the words that the text uses. One that it never uses keeps its first, random row for ever.",
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
