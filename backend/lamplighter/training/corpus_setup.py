"""Corpus setup: reading the corpus into the run folder before the first step.

Training in the `tokenizers` library cannot be interrupted. A text that takes long is therefore read in a child
process, which can be killed; for other texts, starting a process would take longer than the work.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable

from lamplighter.corpora.build import CorpusProgress, build_cached, build_corpus, reread_corpus
from lamplighter.corpora.corpus import Corpus, CorpusError
from lamplighter.forks.start import start_of
from lamplighter.model.batches import check_length
from lamplighter.processes.child_job import AwaitedJob, ChildMessage
from lamplighter.processes.worker import ExitCode
from lamplighter.runfolder.run_folder import RunFolder


def prepare_corpus(run: RunFolder, progress: Callable[[float, str], None] | None = None) -> None:
    """Write the corpus into the folder as token ids, unless it exists; the run then needs no file outside its
    folder. `progress`: called with the fraction done, from 0 to 1, and what is being done. Raises
    CorpusError if the text cannot be trained on.
    """
    if run.is_prepared:
        return
    recipe = run.recipe
    text: str | None = None
    if recipe.corpus.kind == "text" and not recipe.corpus.other_town:
        try:
            text = run.source_path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CorpusError(f"the run's text cannot be read: {error}") from error
    if recipe.parent is not None:
        start = start_of(run)
        read = Corpus(start.token_ids, start.vocabulary, start.tokeniser, start.held_out_ids)
        corpus = reread_corpus(recipe.corpus, recipe.text_seed, text, read, progress)
    elif recipe.corpus.kind == "lamptown":
        corpus = build_cached(recipe.corpus, recipe.seed, progress)
    else:
        corpus = build_corpus(recipe.corpus, recipe.seed, text, progress)
    check_length(recipe, len(corpus.token_ids))
    run.write_corpus(corpus.token_ids, corpus.vocabulary, corpus.tokeniser, corpus.held_out)


_SHORT_BYTES = 64_000
"""Maximum size of a text whose tokeniser trains within about a second for any content: pieces of random letters take
0.8 s of CPU. A generated town is larger, but has few words."""


class SetupStoppedError(Exception):
    """An error for a corpus setup that was stopped."""


def prepare_stoppably(run: RunFolder, progress: CorpusProgress, stopped: Callable[[], bool]) -> None:
    """Write the corpus into the folder like `prepare_corpus`, unless `stopped` returns True first.

    Raises SetupStoppedError if it was stopped: the folder is unchanged, or its corpus is complete. Raises
    CorpusError if the text cannot be trained on, OSError if a file cannot be written, or no process can be
    started.
    """

    def check() -> None:
        if stopped():
            raise SetupStoppedError

    def report(share: float, what: str) -> None:
        check()
        progress(share, what)

    if _takes_long(run):
        _prepare_in_child(run, report, check)
    else:
        prepare_corpus(run, report)
    check()


def _takes_long(run: RunFolder) -> bool:
    kind = run.recipe.corpus.kind
    if kind != "text":
        return kind not in ("lamptown", "modular", "repeats")
    return run.source_path.exists() and run.source_path.stat().st_size > _SHORT_BYTES


def _prepare_in_child(run: RunFolder, report: CorpusProgress, check: Callable[[], None]) -> None:
    def hand_on(message: ChildMessage) -> None:
        if message.share is not None:
            report(message.share, message.activity or "")

    command = [sys.executable, "-m", "lamplighter.training.corpus_worker", str(run.path)]
    # Errors of the child go to this process's standard error.
    with open(2, "wb", closefd=False) as log:
        job = AwaitedJob(command, log=log, name="corpus")
    code = job.wait_for_end(hand_on, check)
    if code == ExitCode.FAILED:
        raise CorpusError(job.problem or "the text cannot be read")
    if code == ExitCode.DISK_FULL:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if code != ExitCode.DONE:
        raise RuntimeError(f"the process that reads the text ended with {code}")
