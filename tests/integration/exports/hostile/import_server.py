"""A process that imports zips, each in a forked child with bounded memory: `python -m ...import_server`.

It reads a line of JSON for each zip, `{"zip_path": ..., "store": ...}`, and answers with a line: the message and the
memory taken. Children share the imported modules, so that a zip takes milliseconds.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
import traceback
from pathlib import Path
from typing import Any

from lamplighter.exports.archive.import_run import import_zip
from lamplighter.exports.output import ExportError, no_progress
from lamplighter.runfolder.run_store import RunStore

MEMORY, PROCESSOR_SECONDS = 768 << 20, 60
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


def peak_memory() -> int:
    """Return the peak resident memory of this process in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT


def limit_resources() -> None:
    """Limit the memory and the processor time of this process."""
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * os.sysconf("SC_PAGE_SIZE") + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def import_one(zip_path: str, store: str) -> dict[str, Any]:
    """Import a zip. Return the messages."""
    before = peak_memory()
    said: dict[str, Any] = {}
    try:
        run, remarks = import_zip(RunStore(Path(store)), Path(zip_path), no_progress)
        said = {"imported": run.id, "remarks": remarks}
    except ExportError as error:
        said = {"refused": str(error)}
    except BaseException:  # noqa: BLE001
        said = {"traceback": traceback.format_exc()}
    return said | {"memory": peak_memory() - before}


def main() -> None:
    """Answer requests until standard input ends."""
    # Otherwise the collector would write to, and so copy, the pages shared with children.
    gc.freeze()
    for line in sys.stdin:
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            limit_resources()
            with os.fdopen(writing, "w") as answer:
                json.dump(import_one(**json.loads(line)), answer)
                answer.flush()
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as answer:
            said = answer.read()
        _, status = os.waitpid(child, 0)
        print(said or json.dumps({"killed": os.waitstatus_to_exitcode(status)}), flush=True)


if __name__ == "__main__":
    main()
