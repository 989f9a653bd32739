"""The corpus setup as a process: `python -m lamplighter.training.corpus_worker RUN-FOLDER`.

It reports on standard output, and exits when its caller closes standard input. It may be killed at any time: the corpus
is written completely or not at all.

Exit codes: 0 done, 4 the text cannot be trained on (the problem says why), 5 the caller has exited, 6 the disk is full.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from lamplighter.platform.worker_limits import limit_worker_files
from lamplighter.processes.worker import (
    ExitCode,
    argument_parser,
    report_failure,
    send_message,
    watch_parent,
)
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.writing.free_space import is_disk_full
from lamplighter.training.corpus_setup import prepare_corpus


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = argument_parser("training.corpus_worker").parse_args(arguments)
    watch_parent(lambda: os._exit(ExitCode.CANCELLED))
    limit_worker_files()
    try:
        prepare_corpus(RunFolder(chosen.run), lambda share, what: send_message(share=share, what=what))
    except ValueError as error:
        return report_failure(str(error))
    except OSError as error:
        if not is_disk_full(error):
            raise
        return ExitCode.DISK_FULL
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
