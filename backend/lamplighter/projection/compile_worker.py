"""The compiling of the map's code ahead of the first run: `python -m lamplighter.projection.compile_worker`.

Compiled functions are kept on the disk, so the first map on a machine waits for them and no other does. Done at the
installation, not even the first one waits. `make install` and `lamplighter project --compile` do it.

Exit codes: 0 done, 1 it could not be done; then the first run tries again.
"""

from __future__ import annotations

import os
import sys
import time

from lamplighter.projection.worker import prepare_environment


def main() -> int:
    """Compile what is not compiled yet, print what is done and how long it took, and return the exit code."""
    prepare_environment()
    print("compiling the code of the map, once on this machine: some ten seconds", flush=True)
    start = time.monotonic()
    try:
        compiled = _compile()
    except Exception as error:  # noqa: BLE001  # whatever it is, Lamplighter is installed and runs
        print(f"it could not be compiled ({error}); the first run tries again, and its map comes later")
        return 1
    done = f"compiled {compiled} functions" if compiled else "everything was compiled before"
    print(f"{done}: {time.monotonic() - start:.1f} s, kept in {os.environ['NUMBA_CACHE_DIR']}")
    return 0


def _compile() -> int:
    """Compile, and return how many functions were not in the cache.

    Raises:
        Exception: whatever kept the map from being compiled.
    """
    # Imported only now, because numba reads the environment when it is imported.
    from lamplighter.projection.warm_up import WarmUp, compiled_functions
    from lamplighter.recipe import MapRecipe

    warm_up = WarmUp(MapRecipe(), 60)
    while not warm_up.done:
        time.sleep(0.02)
    if warm_up.error is not None:
        raise warm_up.error
    return sum(bool(function.stats.cache_misses) for function in compiled_functions())


if __name__ == "__main__":
    sys.exit(main())
