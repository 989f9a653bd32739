"""Claims 4, 24, 25 and 28: the embedding is a matrix of weights, one of two, in coordinates that mean nothing by themselves."""

from __future__ import annotations

from lamplighter.claims.claim import (
    Claim,
    ClaimRole,
    ClaimState,
    Figure,
    Finding,
    Link,
    choose_state,
    number_at,
    percent,
    spread_figure,
    waiting,
)
from lamplighter.claims.evidence import Evidence
from lamplighter.claims.intervals import CLEAR, Spread
from lamplighter.claims.matrix_figures import NEIGHBOURS
from lamplighter.claims.questions_asked import earlier_step
from lamplighter.claims.views import ask, view, word_card

OTHER_NUMBERS, SAME_NEIGHBOURS = 0.9, 0.99
"""Least share of the coordinates that a rotation changes, and of the lists of neighbours that it keeps."""
AKIN = 0.05
"""Least part of what there is beyond chance that two tables share where both have learned the same words."""
ABOUT = 0.05
"""Least difference of two correlations by which a table is about what follows a word, or about what comes before it."""
STRANGE = 0.25
"""Least part of what the model knows beyond guessing that is lost with rows which are strange to its layers."""


def find_matrix_of_weights(evidence: Evidence) -> Finding:
    """Return the rows and columns of the embedding, and its share of the parameters."""
    numbers = evidence.rows * evidence.width
    figures = [Figure("numbers in the embedding", float(numbers))]
    share = None if evidence.parameters is None else numbers / evidence.parameters
    figures.append(Figure("share of all parameters", share, "share"))
    told = f"{evidence.rows:,} rows of {evidence.width:,} numbers make {numbers:,} weights"
    told += (
        ", and how many the whole model has is not known" if share is None else f", {percent(share)} of all"
    )
    told += ". The same table also makes the predictions here" if evidence.tied else ""
    return Finding(ClaimState.HOLDS, f"{told}.", tuple(figures))


def find_two_cities(evidence: Evidence) -> Finding:
    """Return whether the two tables differ more than one differs from itself some hundred steps earlier, and whether each is
    about its own side of a word."""
    if evidence.tied:
        return Finding(
            ClaimState.FAILING,
            "This model uses one matrix for both, so there is one city.",
            (Figure("matrices of words", 1.0),),
            Figure("where they are not tied", 2.0),
        )
    cities = evidence.cities
    if cities is None:
        return waiting("the output matrix of a waypoint", why=evidence.no_output_matrix)
    one, other = cities.words
    chance = min(1.0, NEIGHBOURS / max(1, evidence.rows - 1))
    figures = [
        spread_figure("ten nearest that are the same in both", cities.shared, "share", cities.step),
        Figure("by chance", chance, "share"),
        *(Figure(f"the same in one: {name}", share, "share") for name, share in cities.earlier.items()),
    ]
    if cities.other_seed is not None:
        figures.append(spread_figure("the same in two input tables of two seeds", cities.other_seed, "share"))
    sides = (
        ("input", "what follows a word", cities.follows),
        ("output", "what comes before it", cities.precedes),
    )
    for table, side, by in sides:
        if by is not None:
            figures.append(spread_figure(f"{table} table, leaning to {side}", by, step=cities.step))
    figures += [
        Figure(
            f"rank of “{other}” beside “{one}”, what it foretells",
            float(cities.foretells[0]),
            step=cities.step,
        ),
        Figure(
            f"rank of “{other}” beside “{one}”, what foretells it",
            float(cities.foretold[0]),
            step=cities.step,
        ),
    ]
    same = list(cities.earlier.values())
    null = None
    if same:
        mean = sum(same) / len(same)
        null = Figure(
            "one table and itself some hundred steps earlier",
            mean,
            "share",
            None,
            min(same),
            max(same),
            len(same),
        )
    # Two matrices that nothing is learned in differ as well.
    baselines = same if cities.other_seed is None else [*same, cities.other_seed.low]
    least = min(baselines) if baselines else 0.0
    differ = cities.shared.low - chance >= AKIN * (1 - chance) and cities.shared.high < least
    about = [by is not None and by.mean >= ABOUT and by.score(0) <= -CLEAR for *_, by in sides]
    told = f"{percent(cities.shared.mean)} of a word's ten nearest are the same in both tables"
    told += f", where one table keeps {percent(min(same))} or more over some hundred steps" if same else ""
    if cities.other_seed is not None:
        told += f" and has {percent(cities.other_seed.mean)} in common with that of another seed"
    known = [by for *_, by in sides if by is not None]
    if len(known) == len(sides):
        told += f". Nearness in the input table agrees better with which words follow by {known[0].mean:z.2f}, in the output table with which come before by {known[1].mean:z.2f} (0 would mean no difference)"
    else:
        told += ". The text is not here, so which words stand beside a word is not known"
    # Any two tables differ: where neither leans to its side, nothing of the statement is left.
    partly = any(about) or (differ and len(known) < len(sides))
    return Finding(choose_state(differ and all(about), partly), f"{told}.", tuple(figures), null)


def find_arbitrary_coordinates(evidence: Evidence) -> Finding:
    """Return whether a rotation changes the numbers and keeps the neighbours."""
    turned = evidence.turned
    if turned is None:
        return waiting("a kept matrix that is not too large to turn")
    figures = (
        Figure("numbers that changed", turned.changed, "share", turned.step),
        Figure("lists of ten nearest that stayed", turned.kept, "share", turned.step),
    )
    told = f"Turned at random, {percent(turned.changed)} of the numbers change and {percent(turned.kept)} of the lists of neighbours stay; rows in another order would leave {percent(turned.shuffled)}."
    holds = turned.changed >= OTHER_NUMBERS and turned.kept >= SAME_NEIGHBOURS
    return Finding(
        choose_state(holds, False), told, figures, Figure("rows in another order", turned.shuffled, "share")
    )


def find_belong_together(evidence: Evidence) -> Finding:
    """Return whether the layers are worse off with an older embedding than with their own."""
    answer = evidence.answers.get("transplant")
    if answer is None:
        return waiting(evidence.missing_answer("an older embedding put into this model"))
    own, older = number_at(answer.fields, "loss", "before"), number_at(answer.fields, "loss", "after")
    chance, source = number_at(answer.fields, "chance"), number_at(answer.fields, "source_step")
    if own is None or older is None or source is None or chance is None:
        return waiting("finite losses of this model")
    error, last_error = (
        number_at(answer.fields, "rise", "error"),
        number_at(answer.fields, "previous", "rise", "error"),
    )
    last = number_at(answer.fields, "previous", "loss")
    figures = [
        Figure("loss with older rows", older, "nats", int(source)),
        Figure("loss with its own rows", own, "nats"),
        Figure("guessing", chance, "nats"),
    ]
    told = f"With the rows of step {int(source):,} the loss of the model of step {answer.step:,} is {older:.2f} nats per word, with its own {own:.2f}; guessing has {chance:.2f}."
    if own >= chance:
        told += " Layers that know nothing cannot find rows strange."
        return Finding(ClaimState.FAILING, told, tuple(figures), imported=answer.imported)
    if error is None or last is None or last_error is None:
        # An answer stored before errors were: how surely older rows do harm is not known.
        waits_for = evidence.missing_answer("the same measured again, with its errors")
        state = choose_state(False, older > own)
        return Finding(state, told, tuple(figures), None, waits_for, answer.imported)
    windows = int(number_at(answer.fields, "windows") or 0)
    rise, last_rise = Spread(older - own, error, windows), Spread(last - own, last_error, windows)
    figures.append(spread_figure("rise of the loss", rise, "nats"))
    null = spread_figure("with the rows of the step before", Spread(last, last_error, windows), "nats")
    sure = rise.score(0) < -CLEAR and rise.low > last_rise.high
    state = choose_state(sure and rise.mean / (chance - own) >= STRANGE, sure)
    return Finding(state, told, tuple(figures), null, imported=answer.imported)


def _break_cities(evidence: Evidence) -> Link:
    return Link(
        "See both at the start, where neither says anything",
        word_card(evidence, beside="matrix:out", at=0),
        breaks=True,
    )


GROUP = "The table of numbers"
CLAIMS = (
    Claim(
        4,
        "A matrix of weights",
        "The city is a table of numbers: one row for each word, one column for each coordinate.",
        "True of every embedding, so no run can show it to be false. Often it is not the only table: the one that makes the "
        "predictions is as large, or is the same.",
        "Rows times columns, beside the parameters of the whole model.",
        find_matrix_of_weights,
        lambda evidence: view(panel="matrix", rows="class", word=evidence.word),
        lambda evidence: Link(
            "Turn the space: all numbers change",
            view(panel="ask", ask="rotation", section="answer", at=evidence.step),
        ),
        role=ClaimRole.DEFINITION,
    ),
    Claim(
        24,
        "Two cities",
        "There are two cities: one says what a word foretells, the other what foretells the word.",
        "Holds where the two tables are separate and the text has an order. Tied weights make them one; in shuffled words what "
        "follows a word is what comes before it.",
        "How many of a word's ten nearest are the same in both tables, beside each table and itself some hundred steps earlier. "
        "And whether nearness agrees better with which words follow in the text, or with which come before.",
        find_two_cities,
        lambda evidence: word_card(evidence, beside="matrix:out"),
        _break_cities,
    ),
    Claim(
        25,
        "Turn it as you like",
        "A single coordinate means nothing. Turn the whole space: every number changes, every neighbour stays.",
        "True of neighbours and distances by what a rotation is, so this checks our own arithmetic. The layers know the old "
        "numbers: for them a turned space is nonsense.",
        "The share of numbers that a random rotation changes, and of lists of ten nearest that it keeps.",
        find_arbitrary_coordinates,
        lambda evidence: view(panel="ask", ask="rotation", section="answer", at=evidence.examined_step),
        lambda evidence: ask(
            "Ask what the layers say to that",
            {"kind": "rotation", "step": evidence.examined_step},
            evidence,
            view(panel="ask", ask="rotation", section="answer"),
            breaks=True,
        ),
        role=ClaimRole.CHECK,
    ),
    Claim(
        28,
        "Made for each other",
        "The rows and the layers belong together: the rows of an earlier step are strange to the layers of a later one.",
        "Holds where the space has changed in between. The rows of the step before are as good as the model's own.",
        "The model's loss with its own rows, with those of a tenth of its steps, and with those of the step before, beside "
        "guessing.",
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
            breaks=True,
        ),
        kinds=("transplant",),
    ),
)
