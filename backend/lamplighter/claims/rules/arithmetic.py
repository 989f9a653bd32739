"""Claims 5, 10, 17, 21, 22 and 27: the arithmetic of one step, to the last bit."""

from __future__ import annotations

from typing import Literal

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
    first_microscope,
    microscope,
    spread_figure,
    tell,
    view,
    waiting,
    waiting_for_answer,
)
from lamplighter.claims.evidence import Evidence
from lamplighter.claims.intervals import CLEAR, Spread, mean_of, share_interval, spread_of
from lamplighter.contract.answers import BetterAnswer, MicroscopeAnswer
from lamplighter.contract.answers.parts import LossPair

EXACT = 1e-6
"""Maximum difference between a recomputed number and the recorded one."""
PRODUCTS = 0.9
"""Minimum share of the operations that must be matrix products."""
TAUGHT = 0.05
"""Minimum share of the gradient from correct predictions for them to count as a training signal."""
ALWAYS, COIN = 0.8, 0.5
"""The share of steps that must improve their own batch to count as nearly all, and the share expected of a
coin.
"""
STRAIGHT, BENT = 0.95, 0.5
"""Cosine above which an update follows the negative gradient, and cosine below which it departs from it: 60
degrees.
"""
MARGIN = 0.2
"""Distance from a coin's share within which a share is like a coin's."""
_ONE_SIDED = 1.645
"""Half-width of the interval whose ends are each a test at 5 %, in standard deviations."""
MIN_DRAWS = 3
"""Minimum random updates whose spread is meaningful."""
ENOUGH = 20
"""Minimum steps for a meaningful share."""
ROUNDING = 1e-2
"""Maximum difference from the record, relative to the step's largest update, that rounding on another machine
explains.
"""


def find_one_step(evidence: Evidence) -> Finding:
    """Return whether steps lower the loss on their own batch more than random updates of their length."""
    answer = evidence.answer(MicroscopeAnswer)
    if answer is None:
        return _wait_for_microscope(evidence)
    before, after = answer.text.losses.same.before, answer.text.losses.same.after
    if before is None or after is None:
        return _wait_for_microscope(evidence)
    own, random = _share_of(evidence, "same"), answer.whole.random
    start, end = random.before, random.after
    losses = [loss for loss in random.losses[:64] if loss is not None]
    figures = [
        Figure("loss_after_the_update", after, "nats", answer.step),
        Figure("loss_before_the_update", before, "nats"),
        Figure("words_that_became_likelier", answer.text.share_risen, "share", answer.step),
    ]
    if own is not None:
        figures.append(own)
    reason = [tell("step_changed_loss", step=answer.step, before=before, after=after)]
    null, better = None, False
    if start is not None and end is not None and len(losses) >= max(MIN_DRAWS, len(random.losses[:64])):
        # Measured on the part of the batch that the real update is measured on.
        changes = spread_of([loss - start for loss in losses])
        figures.insert(0, Figure("change_by_the_update", end - start, "nats", answer.step))
        null = spread_figure("change_by_a_random_update", changes, "nats", answer.step)
        better = after < before and end < start and changes.score(end - start) < -CLEAR
        reason.append(tell("random_updates_change", random=changes.mean, own=end - start))
    if null is None or own is None or own.low is None or own.value is None:
        state = choose_state(False, after < before)
        return Finding(
            state, tuple(reason), tuple(figures), null, "random_updates_and_more_steps", answer.imported
        )
    reason.append(tell("steps_helped", steps=own.draws, share=own.value))
    state = choose_state(better and own.low > ALWAYS, better or own.low > COIN)
    return Finding(state, tuple(reason), tuple(figures), null, imported=answer.imported)


def _share_of(evidence: Evidence, text: Literal["same", "other", "unread"]) -> Figure | None:
    """Return the share of the sampled steps that improved a text, with its interval; None if unknown."""
    answer = evidence.answer(BetterAnswer)
    share = None if answer is None else getattr(answer.shares, text)
    if answer is None or share is None or not 0 <= share <= 1:
        return None
    steps = len(answer.same)
    low, high = share_interval(share, steps)
    codes = {
        "same": "steps_that_help_their_own_batch",
        "other": "steps_that_help_another_batch",
        "unread": "steps_that_help_unread_text",
    }
    return Figure(codes[text], share, "share", answer.step, low, high, steps)


def find_arithmetic(evidence: Evidence) -> Finding:
    """Return whether the step is recomputed exactly, and how much of it consists of matrix products."""
    answer = evidence.answer(MicroscopeAnswer)
    if answer is None:
        return _wait_for_microscope(evidence)
    totals, row = answer.operations.totals, answer.row
    off = row.model_difference if row.difference is None else row.difference
    operations = totals.forward + totals.backward + totals.update
    if off is None or not operations:
        return waiting("finite_step")
    products = (totals.forward_products + totals.backward_products) / operations
    figures = [
        Figure("of_the_operations_in_products_of_matrices", products, "share", answer.step),
        Figure("operations_in_one_step", float(operations), "FLOP", answer.step),
        Figure("difference_by_formula", abs(off), step=answer.step),
    ]
    if evidence.parameters is not None:
        flops = 6.0 * evidence.parameters * answer.text.losses.same.predictions
        figures.append(Figure("six_parameters_words", flops, "FLOP"))
    reason = [tell("products_of_matrices", share=products, operations=operations, difference=abs(off))]
    if products < 1:
        reason.append(tell("rest_is_no_product"))
    state = choose_state(abs(off) <= EXACT and products >= PRODUCTS, abs(off) <= EXACT)
    return Finding(state, tuple(reason), tuple(figures), imported=answer.imported)


def find_loop(evidence: Evidence) -> Finding:
    """Return whether the stored and the recomputed step are identical to the last bit."""
    answer = evidence.answer(MicroscopeAnswer)
    if answer is None:
        return _wait_for_microscope(evidence)
    equal, row = answer.check.equal, answer.row.row
    off, update = answer.check.largest_difference, answer.check.largest_update
    figures = [
        Figure("numbers_of_a_row_that_equal_the_record", row.numbers_equal, step=answer.step),
        Figure("largest_difference", off, step=answer.step),
        Figure("largest_update", update, step=answer.step),
        Figure("numbers_of_the_row", row.numbers),
    ]
    if equal is None:
        return waiting("recorded_step", *figures)
    if equal:
        reason = (tell("step_equals_record", step=answer.step),)
        return Finding(ClaimState.HOLDS, reason, tuple(figures), imported=answer.imported)
    if off is None or update is None:
        reason = (tell("step_differs_unknown", step=answer.step),)
        return Finding(
            ClaimState.CONDITIONAL, reason, tuple(figures), None, "recorded_table", answer.imported
        )
    rounding = abs(off) <= ROUNDING * abs(update)
    reason = (
        tell("step_differs", step=answer.step, difference=abs(off)),
        tell("rounding_explains" if rounding else "more_than_rounding"),
    )
    state = choose_state(False, rounding)
    return Finding(state, reason, tuple(figures), imported=answer.imported)


def find_right_guesses(evidence: Evidence) -> Finding:
    """Return whether correctly predicted positions contribute to the gradient."""
    answer = evidence.answer(MicroscopeAnswer)
    if answer is None or not answer.whole.right_guesses.of:
        return _wait_for_microscope(evidence)
    guesses = answer.whole.right_guesses
    right, of, share = guesses.positions, guesses.of, guesses.gradient_share
    several = evidence.answer(BetterAnswer)
    shares = [] if several is None else several.right_guesses[:1_000]
    known = [one for one in shares if one is not None]
    spread = mean_of(known) if len(known) > 1 else None
    main = (
        Figure("share_of_the_gradient_from_right_guesses", share, "share", answer.step)
        if spread is None
        else spread_figure("share_of_the_gradient_from_right_guesses", spread, "share", answer.step)
    )
    figures = (main, Figure("positions_guessed_right", right / of, "share", answer.step))
    null = Figure("if_only_mistakes_taught", 0.0, "share")
    guessed = tell("right_guesses", step=answer.step, right=right, of=of, share=share or 0.0)
    if spread is None:
        # One step is a single sample: the variation between steps is unknown.
        state = choose_state(False, bool(share))
        return Finding(state, (guessed,), figures, null, "more_steps_to_vary", answer.imported)
    reason = (guessed, tell("right_guesses_on_average", steps=spread.draws, share=spread.mean))
    state = choose_state(spread.low >= TAUGHT, spread.low > 0)
    return Finding(state, reason, figures, null, imported=answer.imported)


def find_better_here(evidence: Evidence) -> Finding:
    """Return whether a step reliably improves its own batch, and another one only by chance. Not to differ
    from a coin is not to be like one: that takes two one-sided tests (Schuirmann 1987).
    """
    own, other, unread = (_share_of(evidence, text) for text in ("same", "other", "unread"))
    if own is not None and other is not None and own.draws >= ENOUGH:
        elsewhere = [one for one in (other, unread) if one is not None]
        shares: Values = {"own": own.value or 0, "other": other.value or 0, "steps": own.draws}
        reason = [
            tell("steps_help_read_text", **shares)
            if unread is None
            else tell("steps_help", **shares, unread=unread.value or 0)
        ]
        low, high = share_interval(0.5, own.draws)
        null = Figure("a_coin", 0.5, "share", None, low, high, own.draws)
        surely = own.low is not None and own.low > ALWAYS
        like_a_coin = all(map(_is_like_a_coin, elsewhere))
        within: Values = {"low": COIN - MARGIN, "high": COIN + MARGIN}
        if like_a_coin:
            reason.append(tell("like_a_coin", **within))
        elif all((one.low or 0) <= COIN <= (one.high or 1) for one in elsewhere):
            reason.append(tell("too_few_steps_for_a_coin", **within))
        less = all((one.high or 1) < (own.low or 0) for one in elsewhere)
        better = evidence.answer(BetterAnswer)
        imported = better is not None and better.imported
        state = choose_state(surely and like_a_coin and less, surely and less)
        return Finding(state, tuple(reason), (own, *elsewhere), null, imported=imported)
    answer = evidence.answer(MicroscopeAnswer)
    if answer is None:
        return _wait_for_microscope(evidence)
    losses = answer.text.losses
    change, elsewhere = _change_of(losses.same), _change_of(losses.other)
    if change is None or elsewhere is None:
        return _wait_for_microscope(evidence)
    figures = (
        Figure("change_on_its_own_batch", change, "nats", answer.step),
        Figure("change_on_another_batch", elsewhere, "nats", answer.step),
    )
    null = Figure("no_update", 0.0, "nats")
    reason = tell("one_step_changed", step=answer.step, own=change, other=elsewhere)
    # A single step gives no share.
    return Finding(ClaimState.UNMEASURED, (reason,), figures, null, "more_steps_for_a_share", answer.imported)


def _is_like_a_coin(share: Figure) -> bool:
    """Return whether a share is surely within `MARGIN` of a coin's."""
    low, high = share_interval(share.value or 0, share.draws, _ONE_SIDED)
    return low > COIN - MARGIN and high < COIN + MARGIN


def find_bent_update(evidence: Evidence) -> Finding:
    """Return whether the update departs from the negative gradient."""
    answer = evidence.answer(MicroscopeAnswer)
    cosine = None if answer is None else answer.whole.cosine
    if answer is None or cosine is None:
        return _wait_for_microscope(evidence)
    figures = (
        Figure("cosine_with_downhill", cosine, step=answer.step),
        Figure("angle_between_them", answer.whole.degrees, "degrees", answer.step),
    )
    null = Figure("same_direction", 1.0)
    spread = answer.whole.random.cosine_spread
    figures = (*figures, spread_figure("random_direction", Spread(0.0, spread, 0)))
    reason = (tell("update_direction", step=answer.step, cosine=cosine),)
    downhill = cosine > CLEAR * spread
    state = choose_state(downhill and cosine <= BENT, downhill and cosine < STRAIGHT)
    return Finding(state, reason, figures, null, imported=answer.imported)


def _change_of(loss: LossPair) -> float | None:
    return None if loss.before is None or loss.after is None else loss.after - loss.before


def _wait_for_microscope(evidence: Evidence) -> Finding:
    if evidence.step < 1 and not evidence.recorded_elsewhere:
        return waiting("first_step")
    return waiting_for_answer(evidence, "microscope")


GROUP = "step"
CLAIMS = (
    Claim(
        number=5,
        find=find_one_step,
        show=lambda evidence: microscope(evidence, "helped"),
        break_by=lambda evidence: Link(
            "teach_a_lie",
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
        number=10,
        find=find_arithmetic,
        show=lambda evidence: microscope(evidence, "transformation"),
        break_by=lambda evidence: Link(
            "early_step", view(panel="microscope", section="update", at=min(10, evidence.step))
        ),
        kinds=("microscope",),
        role=ClaimRole.CHECK,
    ),
    Claim(
        number=17,
        find=find_loop,
        show=lambda evidence: microscope(evidence, "update"),
        break_by=lambda evidence: Link("first_loop", first_microscope(evidence)),
        kinds=("microscope",),
        role=ClaimRole.CHECK,
    ),
    Claim(
        number=21,
        find=find_right_guesses,
        show=lambda evidence: microscope(evidence, "helped"),
        break_by=lambda evidence: Link(
            "few_right_guesses", first_microscope(evidence, "helped"), breaks=True
        ),
        kinds=("microscope", "better"),
    ),
    Claim(
        number=22,
        find=find_better_here,
        show=lambda evidence: microscope(evidence, "helped"),
        break_by=lambda evidence: ask(
            "first_steps",
            {"kind": "better", "step": 1},
            evidence,
            first_microscope(evidence, "helped"),
            breaks=True,
        ),
        kinds=("microscope", "better"),
    ),
    Claim(
        number=27,
        find=find_bent_update,
        show=lambda evidence: microscope(evidence, "update"),
        break_by=lambda evidence: Link("step_without_memory", first_microscope(evidence, "update")),
        kinds=("microscope",),
        role=ClaimRole.RECIPE,
    ),
)
