"""Trains the runs of the project's gallery, and makes it: `make gallery`.

    python docs/making/make_gallery.py FOLDER [--url URL] [--steps N]

Six runs: the town, its control on shuffled words, two novels, sums on a clock, a fork of the town with ten times the learning rate,
and the town again as a history of checkpoints. About ten minutes on two cores; what is trained is kept in `FOLDER-runs`, so that
another call only packs. The folder is ready for any host of files, and as a static Space; `--url` is where it will be.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from lamplighter.packing.page import write_gallery
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import read_run_name, write_run_name

MOST_MEGABYTES = 40
CHECKPOINTS = (0, 25, 50, 100, 200, 400, 800, 1_600, 3_200)
TOWN = "Lamptown, a planted town"
TRAININGS = {
    TOWN: ([], 5_000),
    "Two novels, in which nothing was planted": (["--corpus", "novels"], 3_000),
    "Sums on a clock: by heart, then by rule": (["--corpus", "modular"], 2_000),
}
"""Options and steps of each training, by the run's name."""
CONTROL, FORK = "The control: the same words, shuffled", "What if it learned ten times as fast?"
HISTORY = "The same town, from its checkpoints alone"


class Runs:
    """The runs of a gallery in a folder, each made once."""

    def __init__(self, folder: Path, most_steps: int) -> None:
        self._folder, self._most_steps = folder, most_steps

    def find(self, name: str) -> RunFolder | None:
        """Return the run with a name; None if it has not been made."""
        runs = [RunFolder(path) for path in self._folder.glob("*") if (path / "recipe.json").exists()]
        return next((run for run in runs if read_run_name(run) == name), None)

    def make(self, name: str, command: str, *words: str, steps: int | None = None) -> RunFolder:
        """Return the run with a name, made by a command if it is not there, with the maps of its steps."""
        if (found := self.find(name)) is not None:
            return found
        print(f"{name} ...", flush=True)
        limit = [] if steps is None else ["--steps", str(min(steps, self._most_steps))]
        before = set(self._folder.glob("*"))
        self.call(command, *words, *limit)
        (made,) = set(self._folder.glob("*")) - before
        if command != "series":
            self.call("project", made.name)
        # Last, because only a finished run is found by its name.
        write_run_name(made, name)
        return RunFolder(made)

    def call(self, command: str, *words: str) -> None:
        """Run a command of Lamplighter on the folder."""
        argv = [sys.executable, "-m", "lamplighter", command, *words, "--runs", str(self._folder)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{' '.join(argv[2:])}: {done.stderr or done.stdout}")

    def make_history(self, town: RunFolder) -> RunFolder:
        """Return the history of the town's checkpoints, each a folder for transformers."""
        last = min(TRAININGS[TOWN][1], self._most_steps)
        with tempfile.TemporaryDirectory() as name:
            # The run, and so its page, is named after the folder.
            home = Path(name) / "lamptown-checkpoints"
            for step in CHECKPOINTS:
                if step <= last and self.find(HISTORY) is None:
                    out = home / f"checkpoint-{step}"
                    self.call("export", town.id, "--to", "hf", "--step", str(step), "--out", str(out))
            return self.make(HISTORY, "series", str(home))


def make_runs(folder: Path, most_steps: int) -> list[RunFolder]:
    """Return the runs of the gallery, in the order of their cards."""
    runs = Runs(folder, most_steps)
    town, novels, sums = (
        runs.make(name, "train", *options, steps=steps) for name, (options, steps) in TRAININGS.items()
    )
    control = runs.make(CONTROL, "train", "--control-of", town.id)
    at = min(800, most_steps // 2)
    options = ("--at", str(at), "--set", "optimiser.learning_rate=0.03")
    fork = runs.make(FORK, "fork", town.id, *options, steps=1_500)
    return [town, fork, novels, sums, control, runs.make_history(town)]


def main() -> int:
    """Make the gallery. Returns an exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--url")
    parser.add_argument("--steps", type=int, default=5_000, help="the most steps of a run, for a trial")
    chosen = parser.parse_args()
    if chosen.folder.exists():
        parser.error(f"{chosen.folder} exists: delete it first; what was trained is kept beside it")
    runs = make_runs(chosen.folder.with_name(f"{chosen.folder.name}-runs"), chosen.steps)
    site = write_gallery(runs, chosen.folder, chosen.url)
    megabytes = sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) / 1e6
    print(f"{site / 'index.html'}: {megabytes:.1f} MB")
    return 0 if megabytes <= MOST_MEGABYTES else 1


if __name__ == "__main__":
    sys.exit(main())
