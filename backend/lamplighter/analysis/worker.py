"""The analyst as a process: `python -m lamplighter.analysis.worker RUN-FOLDER`.

Exit codes: 0 done (the run is over, or has had no trainer for a while, or SIGTERM), 3 another process is the
analyst, 4 the folder cannot be read.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from lamplighter.platform.child_process import yield_processor
from lamplighter.processes.worker import argument_parser, limit_threads, run_in_role


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = argument_parser("analysis.worker").parse_args(arguments)

    # Imported only here: numpy reads the environment when it is imported.
    from lamplighter.analysis.analyst import Analyst
    from lamplighter.runfolder.run_folder import RunFolder

    analyst = Analyst(RunFolder(chosen.run))
    # On top of the supervisor's: the analyst has the lowest priority of all.
    yield_processor()
    return run_in_role(chosen.run, "analyst", analyst.run, analyst.stop)


if __name__ == "__main__":
    limit_threads()
    sys.exit(main())
