"""A soak test of all processes: kills, and an audit of the runs they leave.

Prints one JSON line; exits with 1 if a step was lost or mixed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"


def main() -> int:
    """Run the soak. Returns the exit code."""
    from tests.soak.chaos import ChaosSoak, Plan
    from tests.soak.processes import PLACES
    from tests.soak.reference import train_reference

    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="at least so many  [default: 200]")
    parser.add_argument("--seed", type=int, default=0, help="what is done, in which order  [default: 0]")
    parser.add_argument("--steps", type=int, default=2_000, help="of each run  [default: 2000]")
    chosen = parser.parse_args()
    if chosen.kills < 1 or not 100 <= chosen.steps <= 20_000:
        parser.error("at least one kill; 100 to 20,000 steps")

    # On SIGTERM, still end the child processes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    begun = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - begun:6.1f} s  {what}", file=sys.stderr, flush=True)

    # A short soak has no kill for each place, and needs no more processes than there are cores.
    least, rarer = (max(2, chosen.kills // of) if chosen.kills >= 20 else 0 for of in (10, 40))
    inside = dict.fromkeys(PLACES, least) | dict.fromkeys(("handover", "seal"), rarer)
    plan = Plan(chosen.kills, inside, max(2, chosen.kills // 20), runs_at_once=1 if chosen.kills < 50 else 2)
    recipe = {
        "model": {"dim": 32, "layers": 1, "heads": 2, "context": 8},
        "cadence": {"keyframe_every": 50, "checkpoint_every": 60, "verify_every": 10},
        "sequences": 8,
        "passages": 4,
        "steps": chosen.steps,
        "seed": chosen.seed,
    }
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        reference = train_reference(Path(folder) / "reference", recipe)
        say(f"the same run undisturbed: {reference.steps} steps")
        soak = ChaosSoak(Path(folder), reference, plan, chosen.seed, say)
        soak.run()
        faults = soak.faults
        report = {
            "kills": soak.deaths.total,
            "seed": chosen.seed,
            "by_place": dict(sorted(soak.deaths.places.items())),
            "by_process": dict(sorted(soak.deaths.processes.items())),
            "runs": len(soak.runs),
            "steps": len(soak.runs) * reference.steps,
            "attempts_provoked": sum(soak.forgeries.values()),
            "audits": soak.audits,
            "tracebacks": soak.deaths.tracebacks,
            "lost": len(faults.lost),
            "half_visible": len(faults.half_visible),
            "mixed": len(faults.mixed),
            "seconds": round(time.monotonic() - begun, 1),
        }
    print(json.dumps(report), flush=True)
    return 0 if faults.empty else 1


if __name__ == "__main__":
    sys.exit(main())
