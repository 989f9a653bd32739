"""Compilation of the map's code before the first run: `python -m lamplighter.projection.compile_worker`.

Compiled functions are cached on disk, so without this only the first map on a machine waits for them. `make install`
and `lamplighter project --compile` run it.

Exit codes: 0 done, 1 compilation failed; the first run then tries again.
"""

from __future__ import annotations

import os
import sys
import time

from lamplighter.projection.worker import prepare_environment


def main() -> int:
    """Compile what is missing, print a summary and the time it took, and return the exit code."""
    prepare_environment()
    print("compiling the map's code, once on this machine: about ten seconds", flush=True)
    start = time.monotonic()
    try:
        compiled = _compile()
    except Exception as error:  # noqa: BLE001  # Lamplighter works without it
        print(f"it could not be compiled ({error}); the first run tries again, and its map comes later")
        return 1
    done = f"compiled {compiled} functions" if compiled else "everything was compiled before"
    print(f"{done}: {time.monotonic() - start:.1f} s, kept in {os.environ['NUMBA_CACHE_DIR']}")
    return 0


def _compile() -> int:
    """Compile, and return the number of functions that were not cached."""
    # Imported only now, because numba reads the environment when it is imported.
    from lamplighter.contract.recipe import MapRecipe
    from lamplighter.projection.warm_up import WarmUp, compiled_functions

    warm_up = WarmUp(MapRecipe(), 60)
    while not warm_up.done:
        time.sleep(0.02)
    if warm_up.error is not None:
        raise warm_up.error
    return sum(bool(function.stats.cache_misses) for function in compiled_functions())


if __name__ == "__main__":
    sys.exit(main())
