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
    spread_figure,
    waiting,
)
from lamplighter.claims.evidence import Evidence, OrderFigures, RelationFigures
from lamplighter.claims.intervals import CLEAR, Spread, share_interval
from lamplighter.claims.views import view, word_card

_UNFINISHED = "; the training is not over"
GROUPED, PARTLY = 0.5, 0.25
"""Least part of what purity can gain beyond chance at which words of a kind have come together, and have begun to. Topics
alone give a text in random order a tenth."""
TOLD_APART = 0.05
"""Loss of purity since its best value from which words count as told apart again."""
FOLLOWS = 0.7
"""Least rank correlation of length and frequency that counts as following it."""
REPLACEABLE = 0.5
"""Most part of the harm of a word drawn at random that the nearest word may do in a word's place."""
ANSWERED = 0.5
"""Least share of a relation's questions that counts as answered."""
SEPARATED = 0.1
"""Least fall of a cosine, beyond that of the untrained model, by which one word has come apart in two sentences."""


def find_random_start(evidence: Evidence) -> Finding:
    """Return whether the first matrix has no more order than chance gives."""
    first = evidence.first
    if first is None:
        return waiting("a kept matrix of the first step")
    nearest = Figure("mean cosine of a row with its nearest", first.nearest_cosine, step=first.step)
    if first.order is not None:
        purity, dealt = first.order.purity.mean, first.order.purity_dealt
        figures = (Figure("purity of the ten nearest", purity, "share", first.step), nearest)
        null = spread_figure("labels dealt at random", dealt, "share")
        far = dealt.score(purity)
        told = f"{percent(purity)} of a word's ten nearest are of its own kind"
    elif evidence.chance_cosine is not None:
        figures = (nearest,)
        null = spread_figure("random directions", evidence.chance_cosine)
        far = evidence.chance_cosine.score(first.nearest_cosine)
        told = f"a row and its nearest have a cosine of {first.nearest_cosine:.3f}"
    else:
        return waiting("a kept matrix of the first step", nearest)
    told = f"At step {first.step:,} {told}, {_far(far)} from what chance gives."
    if abs(far) <= CLEAR:
        return Finding(ClaimState.HOLDS, told, figures, null)
    if first.step:
        waits_for = "the matrix of step 0, which was not kept"
        return Finding(
            ClaimState.UNMEASURED, f"{told} The start itself was not kept.", figures, null, waits_for
        )
    return Finding(ClaimState.FAILING, f"{told} This run did not begin at random.", figures, null)


def _far(deviations: float) -> str:
    return (
        f"{deviations:.1f} standard deviations"
        if abs(deviations) < 1_000
        else "very many standard deviations"
    )


def find_pulled_together(evidence: Evidence) -> Finding:
    """Return whether words of one kind have come together, and stayed so."""
    newest = evidence.newest
    order = None if newest is None else newest.order
    if newest is None or order is None:
        return waiting(
            "a kept matrix, to look at" if evidence.classes else "planted kinds of words: this text has none"
        )
    series = {**evidence.series("purity_10nn"), newest.step: order.purity.mean}
    best_step = max(series, key=lambda step: series[step])
    now, best = order.purity.mean, series[best_step]
    figures = [
        spread_figure("purity of the ten nearest", order.purity, "share", newest.step),
        Figure("the most so far", best, "share", best_step),
        Figure("of what there is to gain beyond chance", order.grouped, "share", newest.step),
        spread_figure("chance", order.purity_dealt, "share"),
    ]
    null = spread_figure("labels dealt at random", order.purity_dealt, "share")
    told = f"{percent(now)} of a word's ten nearest are of its own kind; labels dealt at random give {percent(order.purity_dealt.mean)}"
    control = _control_order(evidence, newest.step)
    beyond = control is None or order.purity.low > control.purity.high
    if control is not None:
        null = spread_figure("shuffled words, the control", control.purity, "share")
        told += f", and shuffled words {percent(control.purity.mean)}"
    grouped = order.surely_grouped >= GROUPED and beyond
    fallen = best - now > TOLD_APART
    if fallen:
        told = f"Together, then told apart: {percent(best)} at step {best_step:,}. Now {told}"
    begun = order.surely_grouped >= PARTLY and beyond
    learning = evidence.training and order.purity_dealt.score(now) > CLEAR
    told += _UNFINISHED if evidence.training and not grouped else ""
    return Finding(choose_state(grouped and not fallen, begun or learning), f"{told}.", tuple(figures), null)


def _control_order(evidence: Evidence, step: int) -> OrderFigures | None:
    """Return the order that the control has; None where it has trained for less than half of `step`, and says nothing yet."""
    newest = None if evidence.control is None else evidence.control.newest
    return None if newest is None or 2 * newest.step < step else newest.order


def find_what_geometry_says(evidence: Evidence) -> Finding:
    """Return how many of three readings hold: near words replace each other, directions are relations, length follows
    frequency."""
    parts: dict[str, bool | None] = {}
    told: list[str] = []
    figures: list[Figure] = []
    null = _read_substitution(evidence, parts, told, figures)
    if evidence.relations:
        answered = [name for name, one in evidence.relations.items() if _is_answered(one)]
        parts["direction"] = len(answered) > len(evidence.relations) / 2
        figures.append(Figure("analogies answered, on average", _mean(evidence.relations), "share"))
        told.append(f"{len(answered)} of {len(evidence.relations)} relations are directions")
    else:
        parts["direction"] = None
    _read_lengths(evidence, parts, told, figures)
    substitution = evidence.missing_answer("a word put in the place of another")
    if not told:
        return waiting(substitution, *figures, null=null)
    holding = [name for name, holds in parts.items() if holds]
    missing = [name for name, holds in parts.items() if holds is None]
    reason = f"{len(holding)} of 3 readings hold here: {'; '.join(told)}"
    reason += f"; not measured: {', '.join(missing)}" if missing else ""
    reason += _UNFINISHED if evidence.training else ""
    state = choose_state(len(holding) == len(parts), bool(holding) or evidence.training)
    waits_for = substitution if "near" in missing else None
    if state is ClaimState.FAILING and waits_for:
        state = ClaimState.UNMEASURED
    return Finding(state, f"{reason}.", tuple(figures), null, waits_for)


def _read_substitution(
    evidence: Evidence, parts: dict[str, bool | None], told: list[str], figures: list[Figure]
) -> Figure | None:
    """Add what replacing words shows. Return what words drawn at random do, the null."""
    answer = evidence.answers.get("substitution")
    near, error = _rise(answer, "near"), _rise(answer, "near", "error")
    chance, spread = _rise(answer, "chance"), _rise(answer, "chance", "spread")
    less, unsure = _rise(answer, "chance_less_near", "mean"), _rise(answer, "chance_less_near", "error")
    if answer is None or near is None or chance is None or less is None or unsure is None:
        parts["near"] = None
        return None
    sentences = int(number_at(answer.fields, "sentences") or 0)
    harm = Spread(near, error or 0.0, sentences)
    figures.append(spread_figure("harm of the nearest word in a word's place", harm, "nats", answer.step))
    parts["near"] = less > CLEAR * unsure and near <= REPLACEABLE * chance
    told.append(
        f"the nearest word in a word's place costs a sentence {near:.2g} nats, one drawn at random {chance:.2g}"
    )
    draws = int(number_at(answer.fields, "draws") or 0)
    return spread_figure("a word drawn at random", Spread(chance, spread or 0.0, draws), "nats")


def _rise(answer: object, name: str, what: str = "rise") -> float | None:
    return number_at(getattr(answer, "fields", None), name, what)


def _read_lengths(
    evidence: Evidence, parts: dict[str, bool | None], told: list[str], figures: list[Figure]
) -> None:
    newest = evidence.newest
    lengths = evidence.series("length_log_count_spearman")
    if newest is not None and newest.length_follows is not None:
        lengths = {**lengths, newest.step: newest.length_follows}
    if not lengths:
        parts["length"] = None
        return
    last, best_step = max(lengths), max(lengths, key=lambda step: lengths[step])
    now, best = lengths[last], lengths[best_step]
    figures += [
        Figure("rank correlation of length and frequency", now, step=last),
        Figure("the most so far", best, step=best_step),
    ]
    # Where counts are dealt to the rows at random, a rank correlation has this deviation.
    dealt = Spread(0.0, (max(2, evidence.rows) - 1) ** -0.5, 0)
    figures.append(spread_figure("length and frequency, counts dealt at random", dealt))
    parts["length"] = now >= FOLLOWS and dealt.score(now) > CLEAR
    was = f"; it was {best:.2f} at step {best_step:,}" if best > now else ""
    told.append(f"length follows frequency by {now:.2f} (0 would mean no relation{was})")


def find_geometry_emerges(evidence: Evidence) -> Finding:
    """Return whether relations are answered and one word has two meanings in two sentences."""
    relations, apart = evidence.relations, _separation(evidence)
    answer = evidence.answers.get("probe")
    figures: list[Figure] = []
    told: list[str] = []
    null = None
    answered = [name for name, one in relations.items() if _is_answered(one)]
    if relations:
        less = {name: max(one.nearest_of_c, one.right_class) for name, one in relations.items()}
        # Each relation is judged beside its own: they are no draws of one null.
        shares = list(less.values())
        null = Figure(
            "guessing the kind, or the nearest of the third word, on average over relations",
            sum(shares) / len(shares),
            "share",
            low=min(shares),
            high=max(shares),
        )
        figures.append(Figure("analogies answered, on average", _mean(relations), "share"))
        for name, one in relations.items():
            low, high = share_interval(one.score, one.pairs, CLEAR)
            figures.append(
                Figure(f"analogies: {name}", one.score, "share", low=low, high=high, draws=one.pairs)
            )
            figures.append(Figure(f"without a sum: {name}", less[name], "share"))
        told.append(
            f"{len(answered)} of {len(relations)} relations are answered half of the time, and surely better than by guessing the kind or naming the nearest of the third word"
        )
    separated = None
    if apart is not None and answer is not None:
        now, before, untrained = apart
        separated = now < min(before, before if untrained is None else untrained) - SEPARATED
        figures += [
            Figure("cosine of one word in two sentences, last layer", now, step=answer.step),
            Figure("the same before the first layer", before, step=answer.step),
            Figure("the same in the untrained model", untrained, step=0),
        ]
        null = null or Figure("in the untrained model", before if untrained is None else untrained)
        told.append(
            f"one word in two sentences has a cosine of {now:.2f} after the last layer, {before:.2f} before"
            + ("" if untrained is None else f" and {untrained:.2f} in the untrained model")
        )
    if not told:
        return waiting(evidence.missing_answer("one word in two sentences, read layer by layer"))
    some = any(_is_known(one) for one in relations.values())
    state = choose_state(
        bool(relations) and len(answered) == len(relations) and bool(separated),
        some or bool(separated) or evidence.training,
    )
    reason = ", and ".join(told) + (_UNFINISHED if evidence.training else "")
    imported = answer is not None and answer.imported
    return Finding(state, f"{reason[0].upper()}{reason[1:]}.", tuple(figures), null, imported=imported)


def _is_answered(one: RelationFigures) -> bool:
    """Return whether a sum answers a relation half of the time, and surely better than either of the two things that need no
    sum. Its pairs count, not its questions: each pair is in many of them."""
    low, _ = share_interval(one.score, one.pairs, CLEAR)
    return one.score >= ANSWERED and low > max(one.nearest_of_c, one.right_class)


def _is_known(one: RelationFigures) -> bool:
    """Return whether a sum answers surely more than guessing the right kind of word would."""
    return share_interval(one.score, one.pairs, CLEAR)[0] > one.right_class


def _mean(relations: Mapping[str, RelationFigures]) -> float:
    return sum(one.score for one in relations.values()) / len(relations)


def _separation(evidence: Evidence) -> tuple[float, float, float | None] | None:
    """Return the cosines of the word that two sentences move apart most: after the last layer, before the first one, and after
    the last of the untrained model."""
    answer = evidence.answers.get("probe")
    if answer is None:
        return None
    now, untrained = (_cosines(answer.fields, step) for step in (answer.step, 0))
    if not now:
        return None
    word = min(now, key=lambda name: now[name][1])
    first, last = now[word]
    return last, first, untrained[word][1] if word in untrained else None


def _cosines(answer: object, step: int) -> dict[int, tuple[float, float]]:
    """Return the cosines of each word that two sentences share, before the first layer and after the last, by its place in
    the list."""
    found: dict[int, tuple[float, float]] = {}
    readings = [one for one in list_at(answer, "readings") if number_at(one, "step") == step]
    for place, word in enumerate(list_at(readings[0], "words") if readings else []):
        cosines = list_at(word, "cosines")
        if len(cosines) > 1:
            first, last = as_number(cosines[0]), as_number(cosines[-1])
            if first is not None and last is not None:
                found[place] = first, last
    return found


def _break_geometry(evidence: Evidence) -> Link:
    if evidence.opposites is None:
        return Link("See which relations fail", view(panel="geometry", lab="relations"))
    one, other = evidence.opposites
    return Link(
        f"Opposites are near, too: see “{one}” and “{other}”",
        view(panel="token", word=one, with_=other, at=evidence.step),
        breaks=True,
    )


GROUP = "What words come to mean"
CLAIMS = (
    Claim(
        1,
        "Random start",
        "Before the first step every word is a random list of numbers: no word is near another for a reason.",
        "Holds where a run starts from nothing. Chance alone makes some words look alike.",
        "The share of a word's ten nearest that are of its own kind, at step 0, beside the same for labels dealt at random "
        "twenty times. Where no kinds are known: the nearest cosine, beside twenty random spaces.",
        find_random_start,
        lambda evidence: word_card(evidence, map="linear", at=0),
        lambda evidence: Link(
            "See the same word at the end", word_card(evidence, at=evidence.step, links="space"), breaks=True
        ),
    ),
    Claim(
        2,
        "Alike, together",
        "Words that are used alike end up close to each other.",
        "Holds where a text uses words in a pattern. Without any order of words only their topics are left, which bring few "
        "of them together; and words that came together can be told apart later.",
        "The share of a word's ten nearest that are of its own kind, with its interval over the kinds, beside labels dealt at "
        "random and, where it was trained, beside the control: the same text with its words shuffled.",
        find_pulled_together,
        lambda evidence: word_card(evidence, with_=evidence.partner),
        lambda evidence: Link(
            "Go back to where no word was near",
            word_card(evidence, with_=evidence.partner, at=0),
            breaks=True,
        ),
    ),
    Claim(
        3,
        "Near, direction, length",
        "Near means: could stand in its place. A direction means a relation. And a long row means a frequent word.",
        "Each of the three is measured by itself. Length follows frequency early in training and then less and less.",
        "Words of held-out sentences are replaced by their nearest, and by random words as frequent; the share of relations "
        "answered by a sum; the rank correlation of a row's length with its word's count.",
        find_what_geometry_says,
        lambda _: view(panel="measures"),
        _break_geometry,
        kinds=("substitution",),
    ),
    Claim(
        14,
        "Meaning emerges",
        "The model is never told what a word means. Relations, and the sense of a word in its sentence, appear in the numbers.",
        "Holds relation by relation: some are learned well, others hardly, and some a word's nearest alone would answer. "
        "In Lamptown the relations were written into the text, so they are found again; in a text of your own nothing is planted.",
        "The share of analogies answered, with an interval of three deviations over the pairs (of few pairs only nearly all "
        "would do), beside guessing the right kind of word and beside the nearest of the third word. And how far one word comes apart in two sentences, beside the untrained model.",
        find_geometry_emerges,
        lambda _: view(panel="geometry", lab="relations"),
        _break_geometry,
        kinds=("probe",),
    ),
)
