"""The measures of one step: numbers that describe a snapshot, by name, with those that depend on how the run was recorded.

Names are stable, since charts and exports refer to them:

| name | meaning |
|---|---|
| `purity_10nn`, `purity_chance` | macro-averaged 10-NN purity of planted classes, and the value expected by
chance |
| `neighbour_information` | bits that the ten nearest give about a token's planted class |
| `neighbour_information_chance`, `neighbour_information_most` | that of uninformative lists, and the maximum |
| `analogy <relation>` | share of that relation's questions answered, for every planted relation |
| `analogy_chance` | expected share when guessing |
| `consistency <relation>` | mean cosine between the offsets of the relation's pairs |
| `consistency_chance <relation>` | that of random pairs of the same classes |
| `rank <a>/<b>` | the larger of two kindred words' ranks among each other's nearest; 1 is nearest, half the tokens by
chance |
| `nearest_cosine`, `nearest_cosine_chance` | mean cosine with the nearest row (of a thousand rows in a larger matrix),
and that of as many random directions |
| `effective_rank`, `effective_rank_chance` | number of directions the embedding uses, and that of random rows of the same
lengths |
| `anisotropy`, `anisotropy_chance` | mean cosine of all pairs of rows, and that of random directions, 0 |
| `length_log_count_spearman` | rank correlation of a row's length with its token's log count |
| `coverage` | share of the rows that a batch has ever touched; from the first known batch on |
| `never_lit` | number of rows that no batch has touched yet; from the first known batch on |
| `separation <layer>`, `separation_chance <layer>` | mean silhouette of probed words by their meaning, and the 95th
percentile with shuffled meanings; only of a run of hidden states |
| `rows_stayed` | number of rows that still point where they began, but for rounding; only if batches are not recorded |
| `loss_held_out` | loss on held-out text, in nats, as the trainer measured it at a keyframe |
| `loss_decile 1` to `loss_decile 10` | that loss by tenths of the text: 1 has the most frequent words, 10 the rarest |
| `loss_read` | mean loss of the last batches before that, in nats |
| `accuracy_read`, `accuracy_held_out`, `accuracy_chance` | of a run of sums (corpus kind `modular`): the share right of
those that training reads and of those held out, as the trainer measured it at a keyframe, and that of guessing |
| `circle_share`, `circle_share_chance` | of a run of sums: the share of the strongest frequency in the variance of the
rows of numbers, and that of random rows of the same lengths |
| any other | a number that a client's loop logged with the step (`watch`, `record`) |

A row that is not finite has no direction: its cosine with any other is 0. Measures that do not apply to a run (for
example, without planted classes) are omitted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lamplighter.corpora.kindred import KINDRED
from lamplighter.corpora.modular import number_ids
from lamplighter.geometry.analogies import (
    analogy_accuracy,
    chance_accuracy,
    consistency_by_chance,
    offset_consistency,
)
from lamplighter.geometry.fourier import fourier_by_chance, frequency_shares
from lamplighter.geometry.neighbours import nearest_cosine, nearest_cosine_by_chance, row_lengths
from lamplighter.geometry.pairs import mutual_ranks_of_units
from lamplighter.geometry.purity import measure_order
from lamplighter.geometry.rank import (
    anisotropy,
    effective_rank,
    effective_rank_by_chance,
    length_frequency_correlation,
)
from lamplighter.geometry.separation import separation
from lamplighter.geometry.stayed_rows import measure_stayed
from lamplighter.runfolder.errors import NoSnapshotError
from lamplighter.runfolder.loop_facts import MAX_PROBE_ROWS, PROBES_FACT, ProbedRun
from lamplighter.runfolder.matrices.stored_matrix import StoredMatrix
from lamplighter.runfolder.reading.matrix_history import MatrixHistory, read_training_start
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.scalars import decode_scalars
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import decode
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_source import RowSource
from lamplighter.wire.vocabulary import Vocabulary
from living_map.rows import unit_rows

NEIGHBOURS = 10
_ORDER = (
    "purity_10nn",
    "purity_chance",
    "neighbour_information",
    "neighbour_information_chance",
    "neighbour_information_most",
)
_CIRCLE_DRAWS = 10
"""Draws of random rows for the strongest frequency by chance: their mean varies by a hundredth of itself."""
READ_BATCHES = 16
"""Batches whose mean loss is compared with the loss on held-out text: about 8,000 tokens of the default recipe."""


def measure_losses(reader: StepsReader, first: int, last: int) -> dict[int, dict[str, float]]:
    """Return both losses at each step of the lineage from `first` to `last`, inclusive, with a loss on
    held-out text, and the numbers that the loop logged at any step: `loss_held_out`, `loss_read` from step
    1 on, and logged numbers, by step.
    """
    found = {step: decode_scalars(numbers) for step, numbers in reader.scalars(first, last).items()}
    for step, held_out in reader.held_out_losses(first, last).items():
        found.setdefault(step, {})["loss_held_out"] = held_out
        pulses = (decode(record) for _, record in reader.pulses(step - READ_BATCHES + 1, step))
        losses = [pulse.loss for pulse in pulses if isinstance(pulse, Pulse)]
        if losses:
            found[step]["loss_read"] = sum(losses) / len(losses)
    return found


def measure(
    matrix: NDArray[np.float32] | StoredMatrix,
    vocabulary: Vocabulary,
    touches: NDArray[np.unsignedinteger] | None,
    planted: Sequence[tuple[str, str]] = (),
    numbers: NDArray[np.int64] | None = None,
) -> dict[str, float]:
    """Compute all finite measures of one step by name; of a matrix too large to be held, those of
    `measure_large`; of vectors that are not finite, those that do not depend on them.

    `matrix`: shape (V, D). `touches`: shape (V,), number of batches that contained each row; None if
    batches are not recorded. `planted`: pairs of words to rank in addition to `KINDRED`. `numbers`: the
    tokens of the numbers of a clock in their order; None without.
    """
    if isinstance(matrix, StoredMatrix) and not matrix.is_small:
        return measure_large(matrix, vocabulary, touches)
    vectors: NDArray[np.float32] = matrix[:]
    values = {} if touches is None else {"coverage": float((touches > 0).mean())}
    if touches is not None:
        values["never_lit"] = float((touches == 0).sum())
    units = unit_rows(vectors)
    values["nearest_cosine"] = nearest_cosine(units)
    values["nearest_cosine_chance"] = nearest_cosine_by_chance(*vectors.shape)
    values["anisotropy"], values["anisotropy_chance"] = anisotropy(units), 0.0
    if np.isfinite(vectors).all():
        class_of = vocabulary.class_of()
        values |= dict(zip(_ORDER, measure_order(units, class_of, NEIGHBOURS), strict=True))
        for relation in vocabulary.relations:
            values[f"analogy {relation.name}"] = analogy_accuracy(vectors, relation.pairs)
            values[f"consistency {relation.name}"] = offset_consistency(vectors, relation.pairs)
            chance, _ = consistency_by_chance(vectors, relation.pairs, class_of)
            values[f"consistency_chance {relation.name}"] = chance
        if vocabulary.relations:
            values["analogy_chance"] = chance_accuracy(len(vocabulary))
        values |= _kindred_ranks(units, vocabulary, (*KINDRED, *planted))
        if numbers is not None:
            rows = vectors[numbers]
            values["circle_share"] = float(frequency_shares(rows).max())
            values["circle_share_chance"] = fourier_by_chance(rows, _CIRCLE_DRAWS).largest_share
        lengths = row_lengths(vectors)
        values["effective_rank"] = effective_rank(vectors)
        values["effective_rank_chance"] = effective_rank_by_chance(lengths, vectors.shape[1])
        values["length_log_count_spearman"] = length_frequency_correlation(vectors, vocabulary.counts)
    return {name: value for name, value in values.items() if math.isfinite(value)}


def measure_large(
    vectors: RowSource, vocabulary: Vocabulary, touches: NDArray[np.unsignedinteger] | None
) -> dict[str, float]:
    """Compute those measures of a matrix too large to be held, shape (V, D), that take one pass over its rows.

    The others compare all rows with one another, or need their covariance, for which such a matrix takes minutes.
    """
    values = {} if touches is None else {"coverage": float((touches > 0).mean())}
    values["anisotropy"], values["anisotropy_chance"] = anisotropy(vectors), 0.0
    if vocabulary.counts_known:
        values["length_log_count_spearman"] = length_frequency_correlation(vectors, vocabulary.counts)
    return {name: value for name, value in values.items() if math.isfinite(value)}


def _kindred_ranks(
    units: NDArray[np.float32], vocabulary: Vocabulary, pairs: Sequence[tuple[str, str]]
) -> dict[str, float]:
    wanted = {word for pair in pairs for word in pair}
    ids = {token: i for i, token in enumerate(vocabulary.tokens) if token in wanted}
    return {
        f"rank {a}/{b}": float(max(mutual_ranks_of_units(units, ids[a], ids[b])))
        for a, b in pairs
        if a in ids and b in ids
    }


def count_stayed(run: RunFolder, step: int, vectors: RowSource) -> dict[str, float]:
    """Return `rows_stayed` for the matrix after a step, shape (V, D); nothing if the first matrix is not kept."""
    try:
        # Closed before computing: a trainer can seal its file only without readers.
        with MatrixHistory(run) as history:
            start, steps = read_training_start(history, step)
    except NoSnapshotError:
        return {}
    return {"rows_stayed": float(len(measure_stayed(start.vectors, vectors, steps).ids))}


def measure_snapshot(
    run: RunFolder,
    step: int,
    vectors: NDArray[np.float32] | StoredMatrix,
    touches: NDArray[np.unsignedinteger] | None,
) -> dict[str, float]:
    """Return the measures of a run's matrix after a step, shape (V, D), by name. `touches`: how many batches
    had each row, shape (V,); None if batches are not recorded.
    """
    corpus = run.recipe.corpus
    values = measure(vectors, run.vocabulary, touches, corpus.planted_pairs, number_ids(corpus, len(vectors)))
    if touches is not None:
        return values
    with StepsReader(run.steps_path) as reader:
        probed: ProbedRun | None = reader.facts().get(PROBES_FACT)
    if probed is None:
        return values | count_stayed(run, step, vectors)
    return values | _measure_separation(probed, run.vocabulary.class_of(), vectors)


def _measure_separation(
    probed: ProbedRun, class_of: NDArray[np.int32], vectors: NDArray[np.float32] | StoredMatrix
) -> dict[str, float]:
    if len(vectors) > MAX_PROBE_ROWS:
        return {}
    count = len(vectors) // len(probed["layers"])
    words = np.zeros(count, dtype=np.int64)
    words[: len(probed["words"])] = probed["words"][:count]
    values: dict[str, float] = {}
    for number, layer in enumerate(probed["layers"]):
        rows = slice(number * count, (number + 1) * count)
        found = separation(vectors[rows], class_of[rows].astype(np.int64), words)
        if found is not None:
            values[f"separation {layer}"], values[f"separation_chance {layer}"] = found
    return values
