"""Compile what the map needs into the cache of compiled functions, before several test processes would do so at once.

`python -m tests.warm_up`: about 20 s of a core the first time, 2 s after that.
"""

from __future__ import annotations

import time

from lamplighter.projection.worker import prepare_environment


def main() -> None:
    """Compile the living map, the only method whose compiled functions are kept.

    Raises:
        Exception: whatever kept the map from being compiled.
    """
    prepare_environment()
    # Imported only now, because numba reads the environment when it is imported.
    from lamplighter.projection.warm_up import WarmUp
    from lamplighter.recipe import MapRecipe

    warm_up = WarmUp(MapRecipe(), 60)
    while not warm_up.done:
        time.sleep(0.05)
    if warm_up.error is not None:
        raise warm_up.error


if __name__ == "__main__":
    main()
