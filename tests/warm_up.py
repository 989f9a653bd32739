"""Compiles what the map needs into the cache that projectors use: once, not by two workers and their projectors at once.

`python -m tests.warm_up`: some twenty seconds of a core the first time, one or two after that.
"""

from __future__ import annotations

from lamplighter.projection.worker import prepare_environment


def main() -> None:
    """Draw a few frames by each method that compiles anything.

    Raises:
        Exception: what went wrong, in a method or in the compiler.
    """
    prepare_environment()
    # From here on, since the environment counts when numba is imported.
    import numpy as np

    from lamplighter.projection.methods.registry import make_method
    from lamplighter.recipe import MapRecipe

    for chosen in (MapRecipe(), MapRecipe(method="refit")):
        made = make_method(chosen)
        some = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
        for _ in range(2):
            made.frame(some)
            some[:5] += 1  # What keeps up with a moving space is compiled too.


if __name__ == "__main__":
    main()
