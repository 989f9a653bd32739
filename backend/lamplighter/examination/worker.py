"""The examiner as a process: `python -m lamplighter.examination.worker RUN-FOLDER [--idle SECONDS]`.

It answers the questions about a run's model, and keeps the model loaded for a while, because one question is
often followed by another. It works for the process that holds the other end of its standard input: when that
end closes, or on SIGTERM or SIGINT, it ends, and the current question waits for the next examiner.

Exit codes: 0 done for now, 3 another process is the examiner (and answers these questions too), 4 the folder
cannot be read or written (the last line says why), 5 stopped.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence

from lamplighter.platform.child_process import LOWEST_PRIORITY, yield_processor
from lamplighter.platform.worker_limits import limit_worker_files
from lamplighter.processes.worker import (
    ExitCode,
    argument_parser,
    handle_stop_signals,
    limit_threads,
    report_failure,
    watch_parent,
)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argument_parser("examination.worker")
    parser.add_argument("--idle", type=float, default=600.0, help="seconds without a question until it ends")
    chosen = parser.parse_args(arguments)
    stop = threading.Event()
    # Before the imports, which are slow.
    handle_stop_signals(lambda _number: stop.set())
    watch_parent(stop.set)
    yield_processor(LOWEST_PRIORITY)

    # Imported here, because numpy reads the environment on import.
    from lamplighter.examination.examiner import Examiner
    from lamplighter.processes.asked_question import EXAMINER
    from lamplighter.runfolder.errors import READ_ERRORS, explain_read_error
    from lamplighter.runfolder.role_lock import RoleLock, RoleTakenError
    from lamplighter.runfolder.run_folder import RunFolder

    run = RunFolder(chosen.run)
    if not run.path.is_dir():
        return report_failure(f"{run.id}: there is no such run")

    limit_worker_files()
    try:
        with RoleLock(run.path, EXAMINER):
            examiner = Examiner(run, chosen.idle, stop)
            try:
                examiner.answer_until_idle()
            finally:
                examiner.close()
    except RoleTakenError:
        return ExitCode.ROLE_TAKEN
    except READ_ERRORS as error:
        if not run.path.is_dir():
            return ExitCode.DONE  # Moved to the trash.
        return report_failure(explain_read_error(error))
    return ExitCode.CANCELLED if stop.is_set() else ExitCode.DONE


if __name__ == "__main__":
    limit_threads()
    sys.exit(main())
