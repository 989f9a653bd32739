"""A corpus setup that can be stopped at any time.

Training in the `tokenizers` library cannot be interrupted. A text that takes long is therefore read in a child process,
which can be killed; for other texts, starting a process would take longer than the work.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable

from lamplighter.corpora.build import CorpusProgress
from lamplighter.corpora.corpus import CorpusError
from lamplighter.processes.awaited_job import AwaitedJob
from lamplighter.processes.child_job import ChildMessage
from lamplighter.processes.worker import ExitCode
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.training.corpus_setup import prepare_corpus

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
