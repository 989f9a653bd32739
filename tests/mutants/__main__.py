"""Mutants: one operator or number of a package is changed at a time, and its tests must notice.

Works in a copy of the tree, at a low priority. Prints each survivor and then a JSON line for the package. A survivor
is a question to a reader: some change nothing that matters (a bound that is never reached, the words of an error).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
_UNIT, _PROPERTIES = "tests/unit", "tests/properties"
PACKAGES: dict[str, tuple[str, list[str]]] = {
    "observer": (
        "model/observer.py",
        [f"{_UNIT}/model/test_observer.py", f"{_UNIT}/training/test_disk_wait.py"],
    ),
    "trust": (
        "../living_map/trust.py",
        [f"{_UNIT}/living_map/test_trust.py", f"{_UNIT}/living_map/test_incremental_umap.py"],
    ),
    "wire": (
        "wire",
        [f"{_UNIT}/wire", f"{_UNIT}/runfolder/tables", f"{_PROPERTIES}/test_wire.py",
         f"{_PROPERTIES}/test_tiles.py", f"{_PROPERTIES}/test_class_frames.py"],
    ),
    "writing": (
        "runfolder/writing",
        [f"{_UNIT}/runfolder/writing", f"{_UNIT}/training/test_disk_wait.py", f"{_UNIT}/training/test_waypoints.py",
         f"{_UNIT}/client/recording"],
    ),
    "tables": (
        "runfolder/tables",
        [f"{_UNIT}/runfolder/tables", f"{_UNIT}/runfolder", f"{_UNIT}/client/recording", f"{_UNIT}/client/test_run.py",
         f"{_UNIT}/serving/routes/test_run_list.py", f"{_PROPERTIES}/test_tiles.py", f"{_UNIT}/training"],
    ),
    "claims": ("claims", [f"{_UNIT}/claims"]),
    "watching": (
        "client/watching",
        [f"{_UNIT}/client/watching/test_exact_tables.py", f"{_UNIT}/client/watching"],
    ),
}  # fmt: skip
"""By name: the sources below `backend/lamplighter` and the tests that should notice a change of them."""


def _copy_tree(copy: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    (copy / "static" / "app").symlink_to(ROOT / "static" / "app")


def _examine(name: str, args: argparse.Namespace, copy: Path) -> None:
    place, tests = PACKAGES[name]
    sources = copy / "backend" / "lamplighter" / place
    files = [sources] if sources.is_file() else sorted(sources.glob("*.py"))
    written = subprocess.run(
        [args.mutator, copy / "tests/mutants/variants.py", str(args.seed), str(args.sample),
         *(str(file.relative_to(copy)) for file in files)],
        cwd=copy, check=True, capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    counts = {"killed": 0, "hangs": 0, "survived": 0}
    # One thread: more than one wait for others that a low priority keeps from running.
    environment = os.environ | {"PYTHONPATH": f"{copy / 'backend'}:{copy}", "OMP_NUM_THREADS": "1"}
    trials = subprocess.Popen(
        [sys.executable, "-m", "tests.mutants.trials", *(args.tests or tests)],
        cwd=copy, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with trials:
        assert trials.stdin is not None
        assert trials.stdout is not None
        unchanged = json.loads(trials.stdout.readline())
        if unchanged["outcome"] != "survived":
            raise SystemExit(f"{name}: its tests fail without a mutant")
        try:
            for line in written:
                trials.stdin.write(line + "\n")
                trials.stdin.flush()
                outcome = json.loads(trials.stdout.readline())["outcome"]
                counts[outcome] += 1
                if outcome == "survived":
                    mutant = json.loads(line)
                    print(f"{mutant['file']}:{mutant['line']}: {mutant['change']}", flush=True)
        finally:
            # One that is broken off has a score as well.
            trials.stdin.close()
            print(json.dumps({"package": name, "seed": args.seed, "mutants": sum(counts.values()), **counts,
                              "seconds_unchanged": round(unchanged["seconds"], 1)}), flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packages", nargs="*", choices=[*PACKAGES, []], help="all of them if none is named")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sample", type=int, default=60, help="mutants of each package")
    parser.add_argument("--tests", nargs="*", help="other tests than those of the package")
    parser.add_argument("--mutator", type=Path, default=ROOT / ".make/mutants/bin/python",
                        help="a Python that has cosmic-ray")  # fmt: skip
    parser.add_argument("--nice", type=int, default=10, help="by how much its processes give way to others")
    args = parser.parse_args()
    os.nice(args.nice)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder).resolve()
        _copy_tree(copy)
        for name in args.packages or PACKAGES:
            _examine(name, args, copy)


if __name__ == "__main__":
    main()
