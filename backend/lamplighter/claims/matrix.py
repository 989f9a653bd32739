"""Claims 4, 24, 25 and 28: the embedding is a matrix of weights, one of two, in coordinates that mean nothing by themselves."""

from __future__ import annotations

from lamplighter.claims.claim import (
    Claim,
    ClaimState,
    Figure,
    Finding,
    Link,
    choose_state,
    number_at,
    percent,
    waiting,
)
from lamplighter.claims.evidence import Evidence
from lamplighter.claims.matrix_figures import NEIGHBOURS
from lamplighter.claims.questions_asked import earlier_step
from lamplighter.claims.views import ask, view, word_card

OTHER_NUMBERS, SAME_NEIGHBOURS = 0.9, 0.99
"""Least share of the coordinates that a rotation changes, and of the lists of neighbours that it keeps."""
AKIN, APART = 10.0, 0.75
"""Least times chance that the neighbours of two cities are the same if both have learned the same words, and most share of the
same neighbours at which they are two."""
STRANGE = 0.1
"""Least rise of the loss, in nats, by which an older matrix counts as strange to the layers."""


def find_matrix_of_weights(evidence: Evidence) -> Finding:
    """Return whether the embedding is a matrix of V rows and D columns, and its share of the parameters."""
    numbers = evidence.rows * evidence.width
    figures = [Figure("numbers in the embedding", float(numbers))]
    share = None if evidence.parameters is None else numbers / evidence.parameters
    figures.append(Figure("share of all parameters", share, "share"))
    null = None if evidence.parameters is None else Figure("all parameters", float(evidence.parameters))
    told = f"{evidence.rows:,} rows of {evidence.width:,} numbers make {numbers:,} weights"
    told += (
        ", and how many the whole model has is not known" if share is None else f", {percent(share)} of all"
    )
    if evidence.tied:
        return Finding(
            ClaimState.CONDITIONAL,
            f"{told}. Here the same matrix also makes the predictions, so a row is more than a word's entry.",
            tuple(figures),
            null,
        )
    if evidence.newest is None and evidence.step > 0:
        return waiting("a kept matrix, to look at", *figures, null=null)
    return Finding(ClaimState.HOLDS, f"{told}.", tuple(figures), null)


def find_two_cities(evidence: Evidence) -> Finding:
    """Return whether two words have other ranks in the output matrix than in the input matrix."""
    if evidence.tied:
        return Finding(
            ClaimState.FAILING,
            "This model uses one matrix for both, so there is one city.",
            (Figure("matrices of words", 1.0),),
            Figure("where they are not tied", 2.0),
        )
    ranks = evidence.pair_ranks
    if ranks is None:
        return waiting("the output matrix of a waypoint", why=evidence.no_output_matrix)
    one, other = ranks.words
    figures = (
        Figure(
            f"rank of “{other}” beside “{one}”, what it foretells", float(ranks.foretells[0]), step=ranks.step
        ),
        Figure(
            f"rank of “{other}” beside “{one}”, what foretells it", float(ranks.foretold[0]), step=ranks.step
        ),
    )
    chance = min(1.0, NEIGHBOURS / max(1, evidence.rows - 1))
    told = f"{percent(ranks.shared)} of a word's ten nearest are the same in both cities, where chance gives {percent(chance)}. “{other}” is neighbour number {ranks.foretells[0]:,} of “{one}” in one and {ranks.foretold[0]:,} in the other."
    # Two matrices that nothing is learned in differ as well.
    akin = ranks.shared >= AKIN * chance
    return Finding(
        choose_state(akin and ranks.shared <= APART, ranks.shared <= APART or akin),
        told,
        (Figure("ten nearest that are the same in both", ranks.shared, "share", ranks.step), *figures),
        Figure("by chance", chance, "share"),
    )


def find_arbitrary_coordinates(evidence: Evidence) -> Finding:
    """Return whether a rotation changes the numbers and keeps the neighbours."""
    turned = evidence.turned
    if turned is None:
        return waiting("a kept matrix that is not too large to turn")
    figures = (
        Figure("numbers that changed", turned.changed, "share", turned.step),
        Figure("lists of ten nearest that stayed", turned.kept, "share", turned.step),
    )
    told = f"Turned at random, {percent(turned.changed)} of the numbers change and {percent(turned.kept)} of the lists of neighbours stay; dealing the rows anew would leave {percent(turned.shuffled)}."
    holds = turned.changed >= OTHER_NUMBERS and turned.kept >= SAME_NEIGHBOURS
    partly = turned.kept > turned.shuffled and turned.kept >= 0.5
    return Finding(
        choose_state(holds, partly), told, figures, Figure("rows dealt anew", turned.shuffled, "share")
    )


def find_belong_together(evidence: Evidence) -> Finding:
    """Return whether the layers are worse off with an older embedding than with their own."""
    answer = evidence.answers.get("transplant")
    if answer is None:
        return waiting(evidence.missing_answer("an older embedding put into this model"))
    own, older = number_at(answer.fields, "loss", "before"), number_at(answer.fields, "loss", "after")
    chance, source = number_at(answer.fields, "chance"), number_at(answer.fields, "source_step")
    if own is None or older is None or source is None:
        return waiting("finite losses of this model")
    figures = [Figure("loss with older rows", older, "nats", int(source))]
    if chance is not None:
        figures.append(Figure("guessing", chance, "nats"))
    told = f"With the rows of step {int(source):,} the model of step {answer.step:,} loses {older:.2f} nats a word, with its own {own:.2f}"
    told += "." if chance is None else f"; guessing loses {chance:.2f}."
    state = choose_state(older >= own + STRANGE, older > own)
    null = Figure("with its own rows", own, "nats")
    return Finding(state, told, tuple(figures), null, imported=answer.imported)


def _break_cities(evidence: Evidence) -> Link:
    return Link("See how alike the cities are at the start", word_card(evidence, beside="matrix:out", at=0))


GROUP = "The table of numbers"
CLAIMS = (
    Claim(
        4,
        "A matrix of weights",
        "The city is a table of numbers: one row for each word, one column for each coordinate.",
        "Holds for every embedding. It is not the only table: the one that makes the predictions is as large.",
        "Rows times columns, beside the parameters of the whole model.",
        find_matrix_of_weights,
        lambda evidence: view(panel="matrix", rows="class", word=evidence.word),
        lambda evidence: Link(
            "Turn the space: all numbers change",
            view(panel="ask", ask="rotation", section="answer", at=evidence.step),
        ),
    ),
    Claim(
        24,
        "Two cities",
        "There are two cities: one says what a word foretells, the other what foretells the word.",
        "Holds where the two tables are separate. Tied weights make them one.",
        "How many of a word's ten nearest are the same in both tables, at the same step, and the ranks of two words.",
        find_two_cities,
        lambda evidence: word_card(evidence, beside="matrix:out"),
        _break_cities,
    ),
    Claim(
        25,
        "Turn it as you like",
        "A single coordinate means nothing. Turn the whole space: every number changes, every neighbour stays.",
        "Holds for neighbours and distances. The layers know the old numbers: for them a turned space is nonsense.",
        "The share of numbers that a random rotation changes, and of lists of ten nearest that it keeps.",
        find_arbitrary_coordinates,
        lambda evidence: view(panel="ask", ask="rotation", section="answer", at=evidence.examined_step),
        lambda evidence: ask(
            "Ask what the layers say to that",
            {"kind": "rotation", "step": evidence.examined_step},
            evidence,
            view(panel="ask", ask="rotation", section="answer"),
        ),
    ),
    Claim(
        28,
        "Made for each other",
        "The rows and the layers belong together: the rows of an earlier step are strange to the layers of a later one.",
        "Holds where the space has changed in between. The rows of the step before are as good as the model's own.",
        "The model's loss with its own rows, and with those of a tenth of its steps, beside guessing.",
        find_belong_together,
        lambda evidence: view(
            panel="ask",
            ask="transplant",
            section="answer",
            say=evidence.sentences[0] if evidence.sentences else None,
            other=earlier_step(evidence.examined_step),
            at=evidence.examined_step,
        ),
        lambda evidence: ask(
            "Put in the rows of the step before",
            {
                "kind": "transplant",
                "step": evidence.examined_step,
                "prompt": evidence.sentences[0] if evidence.sentences else "",
                "source_step": max(0, evidence.examined_step - 1),
            },
            evidence,
            view(panel="ask", ask="transplant", section="answer"),
        ),
        kinds=("transplant",),
    ),
)
