"""Claims 4, 24, 25 and 28: the embedding is a matrix of weights, one of two, in coordinates that mean nothing by themselves."""

from __future__ import annotations

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
    word_card,
)
from lamplighter.claims.evidence import EarlierShare, Evidence
from lamplighter.claims.intervals import CLEAR, Spread
from lamplighter.claims.matrix_figures import NEIGHBOURS
from lamplighter.claims.questions_asked import earlier_step
from lamplighter.contract.answers import TransplantAnswer

OTHER_NUMBERS, SAME_NEIGHBOURS = 0.9, 0.99
"""Minimum share of the coordinates that a rotation changes, and of the neighbour lists that it keeps."""
AKIN = 0.05
"""Minimum overlap beyond chance, relative to the maximum, between two matrices that have learned the same
words.
"""
ABOUT = 0.05
"""Minimum difference of two correlations for a matrix to depend on what follows a word, or on what precedes
it.
"""
STRANGE = 0.25
"""Minimum loss of knowledge, relative to guessing, with rows that do not fit the layers."""


def find_matrix_of_weights(evidence: Evidence) -> Finding:
    """Return the rows and columns of the embedding, and its share of the parameters."""
    numbers = evidence.rows * evidence.width
    share = None if evidence.parameters is None else numbers / evidence.parameters
    figures = (
        Figure("numbers_in_the_embedding", float(numbers)),
        Figure("share_of_all_parameters", share, "share"),
    )
    counted: Values = {"rows": evidence.rows, "width": evidence.width, "numbers": numbers}
    reason = [
        tell("rows_of_numbers", **counted)
        if share is None
        else tell("rows_of_numbers_of_all", **counted, share=share)
    ]
    if evidence.tied:
        reason.append(tell("same_table_predicts"))
    return Finding(ClaimState.HOLDS, tuple(reason), figures)


def find_two_cities(evidence: Evidence) -> Finding:
    """Return whether the two matrices differ more than either does from itself earlier, and how."""
    if evidence.tied:
        return Finding(
            ClaimState.FAILING,
            (tell("one_city"),),
            (Figure("matrices_of_words", 1.0),),
            Figure("where_they_are_not_tied", 2.0),
        )
    cities = evidence.cities
    if cities is None:
        return waiting_for_answer(evidence, evidence.no_output_matrix or "output_matrix")
    one, other = cities.words
    chance = min(1.0, NEIGHBOURS / max(1, evidence.rows - 1))
    figures = [
        spread_figure("ten_nearest_that_are_the_same_in_both", cities.shared, "share", cities.step),
        Figure("by_chance", chance, "share"),
        *(_same_earlier(earlier) for earlier in cities.earlier),
    ]
    if cities.other_seed is not None:
        figures.append(spread_figure("same_in_two_seeds", cities.other_seed, "share"))
    if cities.follows is not None:
        figures.append(spread_figure("input_leans_to_what_follows", cities.follows, step=cities.step))
    if cities.precedes is not None:
        figures.append(spread_figure("output_leans_to_what_precedes", cities.precedes, step=cities.step))
    words: Values = {"one": one, "other": other}
    figures += [
        Figure("rank_foretells", float(cities.foretells[0]), step=cities.step, values=words),
        Figure("rank_foretold", float(cities.foretold[0]), step=cities.step, values=words),
    ]
    same = [earlier.share for earlier in cities.earlier]
    null = None
    if same:
        mean = sum(same) / len(same)
        null = Figure(
            "one_table_and_itself_earlier",
            mean,
            "share",
            None,
            min(same),
            max(same),
            len(same),
        )
    # Two untrained matrices differ as well.
    baselines = same if cities.other_seed is None else [*same, cities.other_seed.low]
    least = min(baselines) if baselines else 0.0
    differ = cities.shared.low - chance >= AKIN * (1 - chance) and cities.shared.high < least
    sides = (cities.follows, cities.precedes)
    about = [by is not None and by.mean >= ABOUT and by.score(0) <= -CLEAR for by in sides]
    reason = [tell("same_in_both_tables", share=cities.shared.mean)]
    if same:
        reason.append(tell("one_table_keeps", share=min(same)))
    if cities.other_seed is not None:
        reason.append(tell("in_common_with_another_seed", share=cities.other_seed.mean))
    known = [by for by in sides if by is not None]
    if len(known) == len(sides):
        reason.append(tell("nearness_agrees", input=known[0].mean, output=known[1].mean))
    else:
        reason.append(tell("text_is_not_here"))
    # Any two matrices differ: if neither depends more on its own side, nothing is left of the claim.
    partly = any(about) or (differ and len(known) < len(sides))
    return Finding(choose_state(differ and all(about), partly), tuple(reason), tuple(figures), null)


def _same_earlier(earlier: EarlierShare) -> Figure:
    code = "same_in_the_input_table" if earlier.table == "input" else "same_in_the_output_table"
    return Figure(code, earlier.share, "share", values={"steps": earlier.steps})


def find_arbitrary_coordinates(evidence: Evidence) -> Finding:
    """Return whether a rotation changes the numbers and keeps the neighbours."""
    turned = evidence.turned
    if turned is None:
        return waiting("matrix_to_turn")
    figures = (
        Figure("numbers_that_changed", turned.changed, "share", turned.step),
        Figure("lists_of_ten_nearest_that_stayed", turned.kept, "share", turned.step),
    )
    reason = tell("turned_at_random", changed=turned.changed, kept=turned.kept, shuffled=turned.shuffled)
    holds = turned.changed >= OTHER_NUMBERS and turned.kept >= SAME_NEIGHBOURS
    null = Figure("rows_in_another_order", turned.shuffled, "share")
    return Finding(choose_state(holds, False), (reason,), figures, null)


def find_belong_together(evidence: Evidence) -> Finding:
    """Return whether the layers do worse with an older embedding than with their own."""
    answer = evidence.answer(TransplantAnswer)
    if answer is None:
        return waiting_for_answer(evidence, "older_embedding")
    own, older, chance, source = answer.loss.before, answer.loss.after, answer.chance, answer.source_step
    if own is None or older is None:
        return waiting("finite_losses")
    error, previous = answer.rise.error, answer.previous
    figures = [
        Figure("loss_with_older_rows", older, "nats", source),
        Figure("loss_with_its_own_rows", own, "nats"),
        Figure("guessing", chance, "nats"),
    ]
    losses = tell(
        "loss_with_rows_of_step",
        source=source,
        step=answer.step,
        older=older,
        own=own,
        guessing=chance,
    )
    if own >= chance:
        reason = (losses, tell("layers_that_know_nothing"))
        return Finding(ClaimState.FAILING, reason, tuple(figures), imported=answer.imported)
    if error is None or previous is None or previous.loss is None or previous.rise.error is None:
        # The uncertainty of this rise is not measured.
        state = choose_state(False, older > own)
        return Finding(state, (losses,), tuple(figures), None, "older_embedding_again", answer.imported)
    last, last_error = previous.loss, previous.rise.error
    rise, last_rise = Spread(older - own, error, 0), Spread(last - own, last_error, 0)
    figures.append(spread_figure("rise_of_the_loss", rise, "nats"))
    null = spread_figure("with_the_rows_of_the_step_before", Spread(last, last_error, 0), "nats")
    sure = rise.score(0) < -CLEAR and rise.low > last_rise.high
    state = choose_state(sure and rise.mean / (chance - own) >= STRANGE, sure)
    return Finding(state, (losses,), tuple(figures), null, imported=answer.imported)


GROUP = "matrix"
CLAIMS = (
    Claim(
        number=4,
        find=find_matrix_of_weights,
        show=lambda evidence: view(panel="matrix", rows="class", word=evidence.word),
        break_by=lambda evidence: Link(
            "turn_the_space", view(panel="experiments", ask="rotation", section="answer", at=evidence.step)
        ),
        role=ClaimRole.DEFINITION,
    ),
    Claim(
        number=24,
        find=find_two_cities,
        show=lambda evidence: word_card(evidence, beside="matrix:out"),
        break_by=lambda evidence: Link(
            "both_at_the_start", word_card(evidence, beside="matrix:out", at=0), breaks=True
        ),
    ),
    Claim(
        number=25,
        find=find_arbitrary_coordinates,
        show=lambda evidence: view(
            panel="experiments", ask="rotation", section="answer", at=evidence.examined_step
        ),
        break_by=lambda evidence: ask(
            "ask_the_layers",
            {"kind": "rotation", "step": evidence.examined_step},
            evidence,
            view(panel="experiments", ask="rotation", section="answer"),
            breaks=True,
        ),
        role=ClaimRole.CHECK,
    ),
    Claim(
        number=28,
        find=find_belong_together,
        show=lambda evidence: view(
            panel="ask",
            ask="transplant",
            section="answer",
            say=evidence.sentences[0] if evidence.sentences else None,
            other=earlier_step(evidence.answered_step("transplant")),
            at=evidence.answered_step("transplant"),
        ),
        break_by=lambda evidence: ask(
            "rows_of_the_step_before",
            {
                "kind": "transplant",
                "step": evidence.examined_step,
                "prompt": evidence.sentences[0] if evidence.sentences else "",
                "source_step": max(0, evidence.examined_step - 1),
            },
            evidence,
            view(panel="ask", ask="transplant", section="answer"),
            breaks=True,
        ),
        kinds=("transplant",),
    ),
)
