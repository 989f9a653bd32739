"""The reprojection of a finished run as a process: `python -m lamplighter.projection.reprojection_worker RUN-FOLDER
[--slices N] [--lowest] [--output]`; with `--output` the layout of a run's output matrix instead, live or finished.

It reports progress on standard output, one JSON object a line: `{"share": 0.4, "what": "sweep 2, step 300"}`. The last
line says in words what was done, or is `{"problem": "..."}`. When its caller closes standard input,
or on SIGTERM or SIGINT, it stops and leaves no file behind.

Exit codes: 0 done, 3 another process is reprojecting this run, 4 it failed (the problem says why), 5
cancelled.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence

from lamplighter.contract.sentences import say
from lamplighter.platform.child_process import LOW_PRIORITY, LOWEST_PRIORITY, yield_processor
from lamplighter.platform.worker_limits import bounded_memory, limit_worker_files
from lamplighter.processes.worker import (
    ExitCode,
    argument_parser,
    handle_stop_signals,
    report_failure,
    send_message,
    watch_parent,
)
from lamplighter.projection.worker import prepare_environment


class _CancelledError(Exception):
    """An error for a cancelled reprojection."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argument_parser("projection.reprojection_worker")
    parser.add_argument("--slices", type=int, help="how many steps to lay out")
    parser.add_argument("--lowest", action="store_true", help="yield the processor to everything else")
    parser.add_argument("--output", action="store_true", help="lay out the output matrix at the waypoints")
    chosen = parser.parse_args(arguments)
    cancelled = threading.Event()
    # Set before the imports, which take seconds.
    handle_stop_signals(lambda _number: cancelled.set())
    watch_parent(cancelled.set)
    yield_processor(LOWEST_PRIORITY if chosen.lowest else LOW_PRIORITY)
    limit_worker_files()

    # Imported only here: numpy reads the environment when it is imported.
    from lamplighter.processes.matrix_worker_memory import estimate_matrix_worker_bytes
    from lamplighter.projection import joint_layouts
    from lamplighter.projection.joint_layouts import ReprojectionError
    from lamplighter.runfolder.errors import FormatError
    from lamplighter.runfolder.role_lock import RoleLock, RoleTakenError
    from lamplighter.runfolder.run_folder import RunFolder
    from lamplighter.runfolder.writing.free_space import is_disk_full

    def progress(share: float, what: str) -> None:
        if cancelled.is_set():
            raise _CancelledError
        send_message(share=round(share, 4), what=what)

    try:
        run = RunFolder(chosen.run)
        role = "output-projector" if chosen.output else "reprojector"
        with RoleLock(run.path, role), bounded_memory(estimate_matrix_worker_bytes(run)):
            if chosen.output:
                layouts = joint_layouts.lay_out_output(
                    run, progress, chosen.slices or joint_layouts.OUTPUT_SLICES
                )
            else:
                layouts = joint_layouts.reproject(run, progress, chosen.slices or joint_layouts.SLICES)
    except _CancelledError:
        return ExitCode.CANCELLED
    except RoleTakenError:
        send_message(problem="this run is already being reprojected")
        return ExitCode.ROLE_TAKEN
    except FileNotFoundError:
        return report_failure(say("map_not_begun"))
    except (ReprojectionError, FormatError) as error:
        return report_failure(str(error))
    except MemoryError:
        return report_failure(say("no_memory_for_it"))
    except Exception as error:
        if not is_disk_full(error):
            raise
        return report_failure(say("map_no_room"))
    done = (
        f"{layouts.steps} steps laid out again in {layouts.seconds:.1f} s, median trust {layouts.trust:.3f}"
    )
    send_message(share=1.0, what=done)
    return ExitCode.DONE


if __name__ == "__main__":
    prepare_environment()
    sys.exit(main())
