"""Claims 1, 2, 3 and 14: from a random start, words that are used alike come together, and directions come to mean something."""

from __future__ import annotations

from collections.abc import Mapping

from lamplighter.claims.claim import (
    Claim,
    ClaimState,
    Figure,
    Finding,
    Link,
    as_number,
    choose_state,
    list_at,
    number_at,
    percent,
    waiting,
)
from lamplighter.claims.evidence import Evidence
from lamplighter.claims.views import view, word_card

_UNFINISHED = "; the training is not over"
RANDOM_PURITY = 2.0
"""Most times the purity of chance that a random start has."""
RANDOM_COSINE = 0.05
"""Most by which the nearest cosine of a random start differs from that of random directions."""
GROUPED_PURITY = 10.0
"""Least times the purity of chance that grouped words have; more than 1 is not possible, so half of what is left counts too."""
TOLD_APART = 0.05
"""Loss of purity since its best value from which words count as told apart again."""
FOLLOWS, FADED = 0.7, 0.3
"""Rank correlation of length and frequency that counts as following it, and as not following it."""
BEYOND = 2.0
"""Least times that a relation is answered more often than by the nearest of the third word, without any sum."""
ANSWERED, GUESSED = 0.5, 0.1
"""Share of a relation's questions that counts as answered, and as no better than a good guess of the right kind of word."""


def find_random_start(evidence: Evidence) -> Finding:
    """Return whether the first matrix has no more order than chance gives."""
    first = evidence.first
    if first is None:
        return waiting("a kept matrix of the first step")
    nearest = Figure("mean cosine of a row with its nearest", first.nearest_cosine, step=first.step)
    if first.purity is not None:
        chance = _chance_purity(evidence)
        figure = Figure("purity of the ten nearest", first.purity, "share", first.step)
        if chance is None:
            return waiting("the measures of a first step", figure, nearest)
        random = first.purity <= RANDOM_PURITY * chance
        where = f"At step {first.step:,}, {percent(first.purity)} of a word's ten nearest are of its own kind; chance gives {percent(chance)}."
        null = Figure("chance", chance, "share")
        return _found_start(first.step, random, where, (figure, nearest), null)
    if evidence.chance_cosine is None:
        return waiting("a kept matrix of the first step", nearest)
    random = abs(first.nearest_cosine - evidence.chance_cosine) <= RANDOM_COSINE
    where = f"At step {first.step:,} a row and its nearest have a cosine of {first.nearest_cosine:.2f}; random directions have {evidence.chance_cosine:.2f}."
    return _found_start(
        first.step, random, where, (nearest,), Figure("random directions", evidence.chance_cosine)
    )


def _found_start(step: int, random: bool, where: str, figures: tuple[Figure, ...], null: Figure) -> Finding:
    if random:
        return Finding(ClaimState.HOLDS, where, figures, null)
    began = "This run did not begin at random." if step == 0 else "The start itself was not kept."
    state = ClaimState.FAILING if step == 0 else ClaimState.UNMEASURED
    waits_for = None if step == 0 else "the matrix of step 0, which was not kept"
    return Finding(state, f"{where} {began}", figures, null, waits_for)


def find_pulled_together(evidence: Evidence) -> Finding:
    """Return whether words of one kind have come together, and stayed so."""
    series = evidence.series("purity_10nn")
    newest = evidence.newest
    if newest is not None and newest.purity is not None:
        series = {**series, newest.step: newest.purity}
    if not series:
        return waiting(
            "a measure of the planted kinds of words"
            if evidence.classes
            else "planted kinds of words: this text has none"
        )
    chance = _chance_purity(evidence)
    if chance is None:
        return waiting("the purity that chance gives")
    last = max(series)
    best_step = max(series, key=lambda step: series[step])
    now, best = series[last], series[best_step]
    grouped = min(GROUPED_PURITY * chance, (1 + chance) / 2)
    figures = (
        Figure("purity of the ten nearest", now, "share", last),
        Figure("the most so far", best, "share", best_step),
    )
    null = Figure("chance", chance, "share")
    told = f"{percent(now)} of a word's ten nearest are of its own kind; chance gives {percent(chance)}."
    if now < grouped:
        if evidence.training:
            told = told.removesuffix(".") + f"{_UNFINISHED}."
        return Finding(
            choose_state(False, evidence.training and now > RANDOM_PURITY * chance), told, figures, null
        )
    if best - now > TOLD_APART:
        told = f"Together, then told apart: {percent(best)} at step {best_step:,}, {percent(now)} now; chance gives {percent(chance)}."
        return Finding(ClaimState.CONDITIONAL, told, figures, null)
    return Finding(ClaimState.HOLDS, told, figures, null)


def find_what_geometry_says(evidence: Evidence) -> Finding:
    """Return whether relations are directions and length follows frequency."""
    lengths = evidence.series("length_log_count_spearman")
    if not lengths:
        return waiting("a measure of the lengths")
    last = max(lengths)
    best_step = max(lengths, key=lambda step: lengths[step])
    now, best = lengths[last], lengths[best_step]
    relations = _newest_relations(evidence)
    figures = [
        Figure("rank correlation of length and frequency", now, step=last),
        Figure("the most so far", best, step=best_step),
    ]
    if relations:
        figures.append(
            Figure("analogies answered, on average", _mean(relations), "share", _relation_step(evidence))
        )
    directions = not relations or _mean(relations) >= ANSWERED
    told = f"Length follows frequency by {now:.2f} at step {last:,}"
    told += (
        f" (0 would be not at all; it was {best:.2f} at step {best_step:,})"
        if best > now
        else " (0 would be not at all)"
    )
    if relations:
        told += f", and {percent(_mean(relations))} of the analogies are answered"
    state = choose_state(
        now >= FOLLOWS and directions,
        (best >= FADED and directions) or now >= FOLLOWS or best >= FOLLOWS or evidence.training,
    )
    told += _UNFINISHED if evidence.training else ""
    return Finding(state, f"{told}.", tuple(figures), Figure("no relation", 0.0))


def find_geometry_emerges(evidence: Evidence) -> Finding:
    """Return whether relations are answered and one word has two meanings in two sentences."""
    relations = _newest_relations(evidence)
    apart = _separation(evidence)
    figures: list[Figure] = []
    chance = None
    if relations:
        step = _relation_step(evidence)
        figures += [Figure(f"analogies: {name}", score, "share", step) for name, score in relations.items()]
        chance = evidence.measures[step].get("analogy_chance") if step is not None else None
    null = None if chance is None else Figure("chance", chance, "share")
    answer = evidence.answers.get("probe")
    if apart is not None and answer is not None:
        figures.append(Figure("cosine of one word in two sentences, last layer", apart[1], step=answer.step))
        figures.append(Figure("the same before the first layer", apart[0], step=answer.step))
        null = null or Figure("the same row, unread", apart[0])
    imported = answer is not None and answer.imported
    if not relations and apart is None:
        return waiting(evidence.missing_answer("one word in two sentences, read layer by layer"))
    alone = evidence.nearest_alone
    figures += [
        Figure(f"nearest of the third word alone: {name}", score, "share") for name, score in alone.items()
    ]
    answered = [
        name for name, score in relations.items() if score >= max(ANSWERED, BEYOND * alone.get(name, 0.0))
    ]
    told: list[str] = []
    if relations:
        told.append(
            f"{len(answered)} of {len(relations)} relations are answered at least half of the time"
            + (" and twice as often as by the nearest of the third word alone" if alone else "")
            + ("" if chance is None else f"; guessing would answer {percent(chance)}")
        )
    if apart is not None:
        told.append(
            f"one word in two sentences has a cosine of {apart[1]:.2f} after the last layer, {apart[0]:.2f} before"
        )
    some = any(score > max(GUESSED, 10 * (chance or 0)) for score in relations.values())
    separated = apart is None or apart[1] < apart[0] - 0.1
    state = choose_state(
        bool(separated and (len(answered) == len(relations))),
        some or (apart is not None and separated) or evidence.training,
    )
    reason = ", and ".join(told) + (_UNFINISHED if evidence.training else "")
    return Finding(state, f"{reason[0].upper()}{reason[1:]}.", tuple(figures), null, imported=imported)


def _chance_purity(evidence: Evidence) -> float | None:
    series = evidence.series("purity_chance")
    return series[max(series)] if series else None


def _relation_step(evidence: Evidence) -> int | None:
    steps = [step for step, values in evidence.measures.items() if _relations_in(values)]
    return max(steps, default=None)


def _newest_relations(evidence: Evidence) -> dict[str, float]:
    step = _relation_step(evidence)
    return {} if step is None else _relations_in(evidence.measures[step])


def _relations_in(values: Mapping[str, float]) -> dict[str, float]:
    start = "analogy "
    return {name.removeprefix(start): score for name, score in values.items() if name.startswith(start)}


def _mean(relations: dict[str, float]) -> float:
    return sum(relations.values()) / len(relations)


def _separation(evidence: Evidence) -> tuple[float, float] | None:
    """Return the cosines, before the first layer and after the last, of the word that two sentences move apart most."""
    answer = evidence.answers.get("probe")
    if answer is None:
        return None
    readings = [one for one in list_at(answer.fields, "readings") if number_at(one, "step") == answer.step]
    found: list[tuple[float, float]] = []
    for word in list_at(readings[0], "words") if readings else []:
        cosines = list_at(word, "cosines")
        if len(cosines) > 1:
            first, last = as_number(cosines[0]), as_number(cosines[-1])
            if first is not None and last is not None:
                found.append((first, last))
    return min(found, key=lambda pair: pair[1], default=None)


def _break_geometry(evidence: Evidence) -> Link:
    if evidence.opposites is None:
        return Link("See which relations fail", view(panel="geometry", lab="relations"))
    one, other = evidence.opposites
    return Link(
        f"Opposites are near, too: see “{one}” and “{other}”",
        view(panel="token", word=one, with_=other, at=evidence.step),
    )


GROUP = "What words come to mean"
CLAIMS = (
    Claim(
        1,
        "Random start",
        "Before the first step every word is a random list of numbers: no word is near another for a reason.",
        "Holds where a run starts from nothing. Chance alone makes some words look alike.",
        "The share of a word's ten nearest that are of its own kind, at step 0, beside what chance gives.",
        find_random_start,
        lambda evidence: word_card(evidence, map="linear", at=0),
        lambda evidence: Link(
            "See the same word at the end", word_card(evidence, at=evidence.step, links="space")
        ),
    ),
    Claim(
        2,
        "Alike, together",
        "Words that are used alike end up close to each other.",
        "Holds where a text uses words in a pattern. In a text in random order they stay apart, and words that came "
        "together can be told apart later.",
        "The share of a word's ten nearest that are of its own kind, by step, beside what chance gives.",
        find_pulled_together,
        lambda evidence: word_card(evidence, with_=evidence.partner),
        lambda evidence: Link(
            "Go back to where no word was near", word_card(evidence, with_=evidence.partner, at=0)
        ),
    ),
    Claim(
        3,
        "Near, direction, length",
        "Near means: could stand in its place. A direction means a relation. And a long row means a frequent word.",
        "Length follows frequency early in training and then less and less.",
        "The rank correlation of a row's length with its word's count, and the share of analogies answered.",
        find_what_geometry_says,
        lambda _: view(panel="geometry", lab="lengths"),
        lambda evidence: _break_geometry(evidence),
    ),
    Claim(
        14,
        "Meaning emerges",
        "Nobody tells the model what a word means. Relations, and the sense of a word in its sentence, appear in the numbers by themselves.",
        "Holds relation by relation: some are learned well, others hardly, and some a word's nearest alone would answer. "
        "Forbidding the three given words as an answer helps the score.",
        "The share of analogies answered, beside guessing and beside a sum of nothing: the nearest of the third word. And how "
        "far one word comes apart in two sentences.",
        find_geometry_emerges,
        lambda _: view(panel="geometry", lab="relations"),
        _break_geometry,
        kinds=("probe",),
    ),
)
