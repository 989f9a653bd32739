"""The hidden states of probes at the kept states of a run that was trained here, as another run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from lamplighter.client.errors import InputError, require_whole_application
from lamplighter.client.probing.probe_set import Layers, ProbedSentence, ProbeRecord, ProbeSet, spread_layers
from lamplighter.runfolder.loop_facts import MAX_PROBE_ROWS
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader

ReportProgress = Callable[[float, str], None]
Sequences = list[NDArray[np.int64]]


def record_hidden_states(
    run: RunFolder,
    sentences: Sequence[ProbedSentence] | None = None,
    words: Sequence[str] = (),
    report: ReportProgress = lambda _share, _what: None,
) -> RunFolder:
    """Record the hidden states of probes at all kept states of a run, as a finished run beside it, without maps.

    `sentences`, or occurrences of `words`, and what is raised are as for `Run.hidden_states`.
    """
    if run.recipe.corpus.kind == "recorded":
        raise InputError(
            f"{run.id} was recorded from a training loop of its own, whose model is not kept: use"
            " lamplighter.watch(..., probes=) there"
        )
    if not run.is_prepared or not run.steps_path.exists():
        raise InputError(f"{run.id} has not begun: there is no state of its model yet")
    with require_whole_application("hidden_states"):
        from lamplighter.model.hidden_states import read_kept_states
        from lamplighter.processes.kept_states import list_kept_states
    probes, sequences = _find(run, words) if sentences is None else _encode(run, sentences)
    if not sequences:
        raise InputError(
            f"{run.id}: the text has none of the words {', '.join(words)}: name others"
            if words
            else "no probes"
        )
    if len(sequences) * (run.recipe.model.layers + 1) > MAX_PROBE_ROWS:
        raise InputError(
            f"{len(sequences):,} probes in each layer are too many: at most {MAX_PROBE_ROWS:,} rows"
        )
    with StepsReader(run.steps_path) as reader:
        kept = list_kept_states(run, reader.lineage(), reader.newest_step()[1])
    files = list({file.step: file for file in kept}.values())[::-1]
    record: ProbeRecord | None = None
    try:
        for step, states in read_kept_states(run.recipe, len(run.vocabulary), files, sequences):
            layers = {f"layer {number}": states[number] for number in spread_layers(len(states))}
            record = _add(record, run, probes, step, layers)
            report(step / max(1, files[-1].step), f"step {step:,}")
    except ValueError as error:
        raise InputError(f"{run.id}: {error}") from error
    finally:
        if record is not None:
            record.close()
    if record is None:
        raise InputError(f"{run.id} keeps no state of its model yet")
    return RunFolder(record.folder)


def _add(
    record: ProbeRecord | None, run: RunFolder, probes: ProbeSet, step: int, layers: Layers
) -> ProbeRecord:
    if record is None:
        return ProbeRecord(run, probes, step, layers)
    record.add_step(step, layers)
    return record


def _find(run: RunFolder, words: Sequence[str]) -> tuple[ProbeSet, Sequences]:
    with require_whole_application("hidden_states"):
        from lamplighter.corpora.occurrences import WINDOW, choose_words, find_occurrences, read_aloud
    text = run.token_ids if run.held_out_ids is None else run.held_out_ids
    chosen = list(words) or choose_words(text, run.vocabulary)
    found = find_occurrences(text, run.vocabulary, chosen, min(WINDOW, run.recipe.model.context))
    sentences: list[ProbedSentence] = []
    for one in found:
        aloud = read_aloud(one.ids, run.vocabulary)
        sentences.append(ProbedSentence(aloud, len(aloud) - len(one.word), len(aloud), one.meaning))
    return ProbeSet.of_sentences(sentences), [one.ids for one in found]


def _encode(run: RunFolder, sentences: Sequence[ProbedSentence]) -> tuple[ProbeSet, Sequences]:
    """Return the probes, and their tokens up to the probed word: what follows it cannot reach it."""
    with require_whole_application("hidden_states"):
        from lamplighter.corpora.tokenisers import TokeniserError, encode_text, restore_tokeniser
    try:
        tokeniser = restore_tokeniser(run.tokeniser, len(run.vocabulary))
    except (TokeniserError, FileNotFoundError) as error:
        raise InputError(f"{run.id}: {error}") from error
    sequences: Sequences = []
    for one in sentences:
        tokens = [(token, end) for token, start, end in encode_text(tokeniser, one.text) if start < one.end]
        inside = [token for token, end in tokens if end > one.start]
        if 0 in inside or not inside:
            raise InputError(f"probes: {run.id} does not know the word {one.word!r}")
        sequences.append(
            np.array([token for token, _ in tokens][-run.recipe.model.context :], dtype=np.int64)
        )
    return ProbeSet.of_sentences(sentences), sequences
