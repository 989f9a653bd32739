"""A recorded loop during which the kernel limits the size of files, and later lifts the limit.

`python -m tests.integration.client.limited_loop FOLDER HOW`, with HOW one of `recovers`, `ends`, `begins`.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import numpy as np

import lamplighter
from lamplighter.client.recording import step_limits

V, D = 200, 16
UNLIMITED = resource.RLIM_INFINITY


def limit(size: int) -> None:
    """Limit the size of files in bytes; writing beyond it fails, as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, UNLIMITED))


def main(folder: Path, how: str) -> None:
    weights = np.zeros((V, D), dtype=np.float32)
    kept = [weights.copy()]
    tokens = [f"word{i}" for i in range(V)]
    if how == "ends":
        step_limits.WAITING_STEPS = 30
    if how == "begins":
        limit(2_000)
    started = None if how == "begins" else weights
    with lamplighter.record(folder, tokens, embedding=started, keyframe_every=10) as recorder:
        for step in range(1, 401):
            rows = np.arange(step % 7, V, 40)
            weights[rows] += 1
            if step == 100 and how != "begins":
                limit(2_000)
            if step >= 300 and how == "recovers":
                limit(UNLIMITED)
                time.sleep(0.02)  # Waiting steps are retried after a moment, not at once.
            recorder.step(weights, rows, float(step), learning_rate=0.1)
            kept.append(weights.copy())
        limit(UNLIMITED)
    np.save(folder.parent / "kept.npy", np.stack(kept))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
