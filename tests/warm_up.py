"""Compile what the map needs into the cache of compiled functions, before several test processes would do so at once.

`python -m tests.warm_up`: about 20 s of a core the first time, 2 s after that.
"""

from __future__ import annotations

from lamplighter.projection.worker import prepare_environment


def main() -> None:
    """Draw a few frames with each method that compiles functions."""
    prepare_environment()
    # Imported only now, because numba reads the environment when it is imported.
    import numpy as np

    from lamplighter.projection.methods.registry import make_method
    from lamplighter.recipe import MapRecipe

    for chosen in (MapRecipe(), MapRecipe(method="refit")):
        made = make_method(chosen)
        some = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
        for _ in range(2):
            made.draw_frame(some)
            some[:5] += 1  # This compiles the code for moving vectors too.


if __name__ == "__main__":
    main()
