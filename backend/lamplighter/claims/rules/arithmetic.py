"""Claims 5, 10, 17, 21, 22 and 27: what one step does, to the last bit."""

from __future__ import annotations

from lamplighter.claims.claim import (
    Claim,
    ClaimRole,
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
from lamplighter.claims.evidence import Evidence, StoredAnswer
from lamplighter.claims.intervals import CLEAR, Spread, mean_of, share_interval, spread_of
from lamplighter.claims.views import ask, first_microscope, microscope, view

EXACT = 1e-6
"""Largest difference of a recomputed number from the recorded one."""
PRODUCTS = 0.9
"""Least share of the arithmetic that matrix products must have."""
TAUGHT = 0.05
"""Least share of the gradient from right guesses by which they count as teaching too."""
ALWAYS, COIN = 0.8, 0.5
"""Share of the steps that surely help their own batch where nearly all do, and the share that a coin would help."""
STRAIGHT, BENT = 0.95, 0.5
"""Cosine from which an update goes straight downhill, and up to which it goes another way: 60 degrees off."""
FEWEST_DRAWS = 3
"""Least random updates whose spread says something."""
ENOUGH = 20
"""Least steps of which a share says something."""
ROUNDING = 1e-2
"""Largest difference from the record, of the largest update of the step, that another machine's rounding explains."""


def find_one_step(evidence: Evidence) -> Finding:
    """Return whether a step lowered the loss on its own batch by more than a random update of its length, and others did."""
    answer, before, after = _losses(evidence, "same")
    if answer is None or before is None or after is None:
        return _wait_for_microscope(evidence)
    own = _share_of(evidence, "same")
    random = ("whole", "random")
    start, end = (number_at(answer.fields, *random, name) for name in ("before", "after"))
    losses = [as_number(loss) for loss in list_at(answer.fields, *random, "losses")[:64]]
    figures = [
        Figure("loss after the update, same batch", after, "nats", answer.step),
        Figure("before the update", before, "nats"),
        Figure(
            "words that became likelier",
            number_at(answer.fields, "text", "share_risen"),
            "share",
            answer.step,
        ),
    ]
    if own is not None:
        figures.append(own)
    told = f"Step {answer.step:,} changed the loss on its own batch from {before:.3f} to {after:.3f} nats per word"
    null, better = None, False
    if start is not None and end is not None and len(losses) >= FEWEST_DRAWS and None not in losses:
        # On a part of the batch, which the true update is measured on as well.
        changes = spread_of([loss - start for loss in losses if loss is not None])
        figures.insert(0, Figure("change of the loss by the update", end - start, "nats", answer.step))
        null = spread_figure("change by a random update as large", changes, "nats", answer.step)
        better = after < before and end < start and changes.score(end - start) < -CLEAR
        told += f"; random updates as large change it by {changes.mean:+.2g}, where this one changes it by {end - start:+.2g}"
    if null is None or own is None or own.low is None or own.value is None:
        waits_for = evidence.missing_answer("random updates as large, and more steps, to compare with")
        state = choose_state(False, after < before)
        return Finding(state, f"{told}.", tuple(figures), null, waits_for, answer.imported)
    told += f". Of {own.draws} steps {percent(own.value)} helped their own batch"
    state = choose_state(better and own.low > ALWAYS, better or own.low > COIN)
    return Finding(state, f"{told}.", tuple(figures), null, imported=answer.imported)


def _share_of(evidence: Evidence, text: str) -> Figure | None:
    """Return the share of the looked-at steps that helped a text, with its interval; None where it is not known."""
    answer = evidence.answers.get("better")
    share = None if answer is None else number_at(answer.fields, "shares", text)
    if answer is None or share is None or not 0 <= share <= 1:
        return None
    steps = len(list_at(answer.fields, "same"))
    low, high = share_interval(share, steps)
    names = {
        "same": "steps that help their own batch",
        "other": "steps that help another batch",
        "unread": "steps that help unread text",
    }
    return Figure(names[text], share, "share", answer.step, low, high, steps)


def find_arithmetic(evidence: Evidence) -> Finding:
    """Return whether the step is recomputed exactly, and how much of it is products of matrices."""
    answer = evidence.answers.get("microscope")
    if answer is None:
        return _wait_for_microscope(evidence)
    totals = ("forward", "backward", "update", "forward_products", "backward_products")
    parts = [number_at(answer.fields, "operations", "totals", name) for name in totals]
    off = number_at(answer.fields, "row", "difference")
    off = number_at(answer.fields, "row", "model_difference") if off is None else off
    known = [part for part in parts if part is not None]
    if len(known) < len(parts) or off is None or not sum(known[:3]):
        return waiting("a step with finite numbers")
    products = (known[3] + known[4]) / sum(known[:3])
    figures = [
        Figure("of the operations, in products of matrices", products, "share", answer.step),
        Figure("operations in one step", sum(known[:3]), "FLOP", answer.step),
        Figure("difference of an updated number, computed again", abs(off), step=answer.step),
    ]
    predictions = number_at(answer.fields, "text", "losses", "same", "predictions")
    if evidence.parameters is not None and predictions is not None:
        figures.append(Figure("6 × parameters × words", 6 * evidence.parameters * predictions, "FLOP"))
    told = f"{percent(products)} of {sum(known[:3]):,.0f} operations are products of matrices; an updated number computed again by formula differs by {abs(off):.1g}."
    told += " The rest, such as softmax and norms, is not." if products < 1 else ""
    state = choose_state(abs(off) <= EXACT and products >= PRODUCTS, abs(off) <= EXACT)
    return Finding(state, told, tuple(figures), imported=answer.imported)


def find_loop(evidence: Evidence) -> Finding:
    """Return whether the stored step and the recomputed one are the same to the last bit."""
    answer = evidence.answers.get("microscope")
    if answer is None:
        return _wait_for_microscope(evidence)
    check = answer.fields.get("check")
    equal = check.get("equal") if isinstance(check, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    numbers, same = (number_at(answer.fields, "row", "row", name) for name in ("numbers", "numbers_equal"))
    off, update = (number_at(check, name) for name in ("largest_difference", "largest_update"))
    figures = [
        Figure("numbers of a row, computed again, that equal the record", same, step=answer.step),
        Figure("largest difference in the whole table", off, step=answer.step),
        Figure("largest update of the step", update, step=answer.step),
        Figure("numbers of the row", numbers),
    ]
    if not isinstance(equal, bool):
        return waiting("a recorded step to compare with", *figures)
    if equal:
        told = f"Step {answer.step:,} computed again equals the record to the last bit: symbol, vector, layers, gradient and update are those of the run."
        return Finding(ClaimState.HOLDS, told, tuple(figures), imported=answer.imported)
    if off is None or update is None:
        waits_for = "the recorded table of this step, to know by how much"
        told = f"Step {answer.step:,} computed again here differs from the record; by how much is not known."
        return Finding(ClaimState.CONDITIONAL, told, tuple(figures), None, waits_for, answer.imported)
    rounding = abs(off) <= ROUNDING * abs(update)
    told = f"Step {answer.step:,} computed again here differs from the record by {abs(off):.1g} at most"
    told += (
        ", no more than another machine's rounding explains."
        if rounding
        else ", more than rounding explains."
    )
    state = choose_state(False, rounding)
    return Finding(state, told, tuple(figures), imported=answer.imported)


def find_right_guesses(evidence: Evidence) -> Finding:
    """Return whether positions that were guessed right have a share of the gradient."""
    answer = evidence.answers.get("microscope")
    path = ("whole", "right_guesses")
    right, of, share = (
        None if answer is None else number_at(answer.fields, *path, name)
        for name in ("positions", "of", "gradient_share")
    )
    if answer is None or right is None or not of:
        return _wait_for_microscope(evidence)
    several = evidence.answers.get("better")
    shares = [] if several is None else list_at(several.fields, "right_guesses")[:1_000]
    known = [one for each in shares if (one := as_number(each)) is not None]
    spread = mean_of(known) if len(known) > 1 else None
    main = (
        Figure("share of the gradient from right guesses", share, "share", answer.step)
        if spread is None
        else spread_figure("share of the gradient from right guesses", spread, "share", answer.step)
    )
    figures = (main, Figure("positions guessed right", right / of, "share", answer.step))
    null = Figure("if only mistakes taught", 0.0, "share")
    told = f"In step {answer.step:,} {right:,.0f} of {of:,.0f} words were guessed right, and {percent(share or 0.0)} of the gradient comes from them"
    if spread is None:
        # One step is a sample; how much the share changes from step to step is not known.
        waits_for = evidence.missing_answer("more steps, to know how much it changes")
        state = choose_state(False, bool(share))
        return Finding(state, f"{told}.", figures, null, waits_for, answer.imported)
    told += f"; over {spread.draws} steps it is {percent(spread.mean)} on average. If only mistakes taught it would be 0."
    state = choose_state(spread.low >= TAUGHT, spread.low > 0)
    return Finding(state, told, figures, null, imported=answer.imported)


def find_better_here(evidence: Evidence) -> Finding:
    """Return whether a step helps its own batch surely and another one by chance."""
    own, other, unread = (_share_of(evidence, text) for text in ("same", "other", "unread"))
    if own is not None and other is not None and own.draws >= ENOUGH:
        elsewhere = [one for one in (other, unread) if one is not None]
        told = f"{percent(own.value or 0)} of {own.draws} steps help the batch they read, {percent(other.value or 0)} another one"
        told += "" if unread is None else f" and {percent(unread.value or 0)} unread text"
        told += "; a coin would give 50 %."
        low, high = share_interval(0.5, own.draws)
        null = Figure("a coin", 0.5, "share", None, low, high, own.draws)
        surely = own.low is not None and own.low > ALWAYS
        like_a_coin = all(_holds_a_half(one) for one in elsewhere)
        less = all((one.high or 1) < (own.low or 0) for one in elsewhere)
        imported = evidence.answers["better"].imported
        state = choose_state(surely and like_a_coin and less, surely and less)
        return Finding(state, told, (own, *elsewhere), null, imported=imported)
    answer, before, after = _losses(evidence, "same")
    _, other_before, other_after = _losses(evidence, "other")
    if answer is None or before is None or after is None or other_before is None or other_after is None:
        return _wait_for_microscope(evidence)
    figures = (
        Figure("change of the loss, own batch", after - before, "nats", answer.step),
        Figure("change of the loss, another batch", other_after - other_before, "nats", answer.step),
    )
    null = Figure("no update", 0.0, "nats")
    gain, elsewhere = before - after, other_before - other_after
    told = f"Step {answer.step:,} made the loss on its own batch {_lower(gain)} and on another one {_lower(elsewhere)}; one step is a sample, not a share."
    # One step says nothing of how many do.
    waits_for = evidence.missing_answer("more steps, to give a share")
    return Finding(ClaimState.UNMEASURED, told, figures, null, waits_for, answer.imported)


def _holds_a_half(share: Figure) -> bool:
    """Return whether the interval of a share has a half in it, what a coin would give."""
    return share.low is not None and share.high is not None and share.low <= COIN <= share.high


def find_bent_update(evidence: Evidence) -> Finding:
    """Return whether the update goes another way than straight downhill."""
    answer = evidence.answers.get("microscope")
    cosine = None if answer is None else number_at(answer.fields, "whole", "cosine")
    if answer is None or cosine is None:
        return _wait_for_microscope(evidence)
    spread = number_at(answer.fields, "whole", "random", "cosine_spread")
    figures = (
        Figure("cosine of update and downhill", cosine, step=answer.step),
        Figure("angle between them", number_at(answer.fields, "whole", "degrees"), "degrees", answer.step),
    )
    null = Figure("the same direction", 1.0)
    if spread is not None:
        figures = (*figures, spread_figure("a random direction", Spread(0.0, spread, 0)))
    told = f"The update of step {answer.step:,} and straight downhill have a cosine of {cosine:.2f}; the same direction would have 1, a random one 0."
    if spread is None:
        waits_for = evidence.missing_answer("a random direction to compare with")
        state = choose_state(False, cosine < STRAIGHT)
        return Finding(state, told, figures, null, waits_for, answer.imported)
    downhill = cosine > CLEAR * spread
    state = choose_state(downhill and cosine <= BENT, downhill and cosine < STRAIGHT)
    return Finding(state, told, figures, null, imported=answer.imported)


def _losses(evidence: Evidence, batch: str) -> tuple[StoredAnswer | None, float | None, float | None]:
    """Return the step under the microscope and its loss before and after on a batch."""
    answer = evidence.answers.get("microscope")
    before, after = (
        None if answer is None else number_at(answer.fields, "text", "losses", batch, name)
        for name in ("before", "after")
    )
    return answer, before, after


def _lower(nats: float) -> str:
    return f"{abs(nats):.2g} nats {'lower' if nats > 0 else 'higher'}"


def _wait_for_microscope(evidence: Evidence) -> Finding:
    if evidence.step < 1 and not evidence.recorded_elsewhere:
        return waiting("the first step")
    return waiting(evidence.missing_answer("one step under the microscope"))


GROUP = "Inside one step"
CLAIMS = (
    Claim(
        5,
        "Predict, compare, correct",
        "One step: guess the next word everywhere, compare with the text, pass the error back, change the numbers a little.",
        "The step makes its own batch better. It promises nothing for any other text.",
        "The loss on the very same batch before and after the update, and after random updates as large; and how many of forty "
        "steps helped their own batch.",
        find_one_step,
        lambda evidence: microscope(evidence, "helped"),
        lambda evidence: Link(
            "Teach it a lie instead",
            view(
                panel="ask",
                ask="what_if",
                say=evidence.sentences[0] if evidence.sentences else None,
                at=evidence.examined_step,
            ),
        ),
        kinds=("microscope", "better"),
    ),
    Claim(
        10,
        "Matrix arithmetic",
        "Behind all of it is arithmetic with matrices, which one can do again by hand and get the same number.",
        "Most of it is products of matrices. Softmax, norms and the curve between two layers are not, and without them "
        "two layers would be one.",
        "Operations counted by formula, and one number of one row computed by hand beside the recorded one.",
        find_arithmetic,
        lambda evidence: microscope(evidence, "transformation"),
        lambda evidence: Link(
            "Look at an early step, where Adam corrects most",
            view(panel="microscope", section="update", at=min(10, evidence.step)),
        ),
        kinds=("microscope",),
        role=ClaimRole.CHECK,
    ),
    Claim(
        17,
        "One loop",
        "Symbol, vector, layers, gradient, update: one word goes round this loop in every step.",
        "Equal to the last bit on the machine that trained. Another machine may round otherwise.",
        "A step computed again from the record, compared number by number.",
        find_loop,
        lambda evidence: microscope(evidence, "update"),
        lambda evidence: Link(
            "See the very first loop, before anything was learned", first_microscope(evidence)
        ),
        kinds=("microscope",),
        role=ClaimRole.CHECK,
    ),
    Claim(
        21,
        "Right guesses teach too",
        "A model does not learn only from its mistakes. A right guess that was not quite sure teaches as well.",
        "Holds once it guesses something right. At the very start there is nothing to count.",
        "The share of the gradient that comes from positions whose likeliest word was the true one, in one step and in forty.",
        find_right_guesses,
        lambda evidence: microscope(evidence, "helped"),
        lambda evidence: Link(
            "Go to the start, where few guesses are right", first_microscope(evidence, "helped"), breaks=True
        ),
        kinds=("microscope", "better"),
    ),
    Claim(
        22,
        "Better here, not there",
        "A step makes the text it has just read easier. For another text it may go either way, like the toss of a coin.",
        "Holds late in training. In the first steps everything helps everywhere.",
        "The share of forty steps, ten at each of four places of the training, that lower the loss on their own batch, on another "
        "batch, and on unread text. Steps of one place are alike, so the true intervals are wider than these.",
        find_better_here,
        lambda evidence: microscope(evidence, "helped"),
        lambda evidence: ask(
            "Look at the first steps",
            {"kind": "better", "step": 1},
            evidence,
            first_microscope(evidence, "helped"),
            breaks=True,
        ),
        kinds=("microscope", "better"),
    ),
    Claim(
        27,
        "Not straight downhill",
        "The update is not the gradient: the optimiser takes another way down than the steepest one.",
        "Holds for Adam and its kin. Plain gradient descent goes straight down.",
        "The cosine between the update of all parameters and the opposite of their gradient, beside that of a random direction.",
        find_bent_update,
        lambda evidence: microscope(evidence, "update"),
        lambda evidence: Link(
            "See the first step, before Adam has a memory", first_microscope(evidence, "update")
        ),
        kinds=("microscope",),
    ),
)
