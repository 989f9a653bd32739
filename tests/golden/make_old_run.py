"""Writer of the golden runs: two small runs and a zip, written by the code of an earlier commit.

    python tests/golden/make_old_run.py COMMIT

checks the commit out into a temporary worktree, runs its code with this environment, and writes `runs/<commit>/` beside this
file: `folders.zip` with a finished and an interrupted run, and `exported.zip`, the finished one as that code exported it. The
files are kept for good: run this for a commit that people have had and that is not there yet.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import apsw

HERE = Path(__file__).parent
TRAIN = [
    "train",
    "--corpus",
    "text.txt",
    "--dim",
    "4",
    "--layers",
    "1",
    "--heads",
    "1",
    "--context",
    "6",
    "--batch",
    "2",
    "--keyframe-every",
    "10",
    "--map-neighbours",
    "5",
]
QUESTIONS = (
    ("speak", "--prompt", "the cat", "--words", "4"),
    ("microscope",),
    ("what_if", "--sentence", "the cat sees the dog", "--steps", "2"),
    ("rotation",),
    ("probe", "--sentence", "the cat sees the dog"),
    ("batch_sizes",),
    ("bench", "--steps", "4"),
    ("deciles", "--steps", "4"),
    ("better", "--steps", "4"),
)
"""Questions to the finished run; a commit skips the kinds that it does not know."""
STOP = """
import sys
from pathlib import Path
try:
    from lamplighter.runfolder.tables.requests import RequestsWriter
except ModuleNotFoundError:
    from lamplighter.runfolder.requests import RequestsWriter
RequestsWriter(Path(sys.argv[1]), "a1b2c3").add("stop", {})
"""


class OldCode:
    """The code of a commit, in a folder of its own."""

    def __init__(self, tree: Path, folder: Path) -> None:
        """Run the code of a worktree in `folder`."""
        self._folder = folder
        self._environment = os.environ | {"PYTHONPATH": str(tree / "backend"), "COLUMNS": "200"}
        used = self.python("-c", "import lamplighter; print(lamplighter.__file__)").strip()
        if not Path(used).is_relative_to(tree):
            raise SystemExit(f"{used} would run instead of the code of the commit")

    def python(self, *words: str, check: bool = True) -> str:
        """Run Python and return its output."""
        done = subprocess.run(
            [sys.executable, *words],
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=None if check else subprocess.DEVNULL,
            text=True,
            check=check,
            timeout=300,
        )
        return done.stdout

    def lamplighter(self, *words: str, check: bool = True) -> str:
        """Run a command of the application and return its output."""
        return self.python("-m", "lamplighter", "--runs", "runs", *words, check=check)

    def train_half_way(self, after: int) -> None:
        """Start a training, and stop it by a request once it has done some steps."""
        words = [
            sys.executable,
            "-m",
            "lamplighter",
            "--runs",
            "runs",
            *TRAIN,
            "--steps",
            "60",
            "--seed",
            "1",
        ]
        with subprocess.Popen(words, cwd=self._folder, env=self._environment) as trainer:
            while self._newest_step() < after:
                time.sleep(0.001)
            trainer.send_signal(signal.SIGSTOP)
            (run,) = self.new_runs()
            self.python("-c", STOP, str(run))
            trainer.send_signal(signal.SIGCONT)

    def new_runs(self) -> list[Path]:
        """Return the folders of runs that still have the name of the commit's own choice."""
        return [run for run in (self._folder / "runs").iterdir() if run.name[:1].isdigit()]

    def _newest_step(self) -> int:
        with contextlib.suppress(apsw.Error, OSError):
            for run in self.new_runs():
                steps = apsw.Connection(str(run / "steps.sqlite"), flags=apsw.SQLITE_OPEN_READONLY)
                try:
                    return int(next(steps.execute("SELECT count(*) FROM pulses"))[0])
                finally:
                    steps.close()
        return 0


def write_text(path: Path) -> None:
    """Write a text of 18 words."""
    chance = random.Random(0)
    animals, verbs = ["cat", "dog", "hen", "cow", "fox"], ["sees", "hears", "likes"]
    places = ["barn", "mill", "well", "lane"]
    lines = [
        f"the {chance.choice(animals)} {chance.choice(verbs)} the {chance.choice(animals)} at the"
        f" {chance.choice(places)} ."
        for _ in range(120)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def make_runs(tree: Path, folder: Path, target: Path) -> None:
    """Let the code of a worktree train in `folder`, and pack what it wrote into `target`."""
    old = OldCode(tree, folder)
    runs = folder / "runs"
    runs.mkdir()
    write_text(folder / "text.txt")
    old.lamplighter(*TRAIN, "--steps", "19")
    (made,) = old.new_runs()
    made.rename(runs / "finished")
    old.lamplighter("project", "finished")
    old.lamplighter("analyse", "finished")
    for question in QUESTIONS:
        old.lamplighter("examine", "finished", *question, check=False)
    old.train_half_way(after=3)
    (made,) = old.new_runs()
    made.rename(runs / "interrupted")
    old.lamplighter("export", "finished", "--to", "zip")
    target.mkdir(parents=True, exist_ok=True)
    (target / "exported.zip").write_bytes((folder / "finished.zip").read_bytes())
    with zipfile.ZipFile(target / "folders.zip", "w", zipfile.ZIP_LZMA) as packed:
        for path in sorted(runs.glob("*/**/*")):
            if path.is_file() and path.suffix != ".lock":
                packed.write(path, path.relative_to(runs))


def main() -> None:
    """Make the golden runs of the commit that the command line names."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    commit = sys.argv[1]
    with tempfile.TemporaryDirectory() as name:
        tree, folder = Path(name) / "tree", Path(name) / "work"
        folder.mkdir()
        git = ["git", "-C", str(HERE), "worktree"]
        subprocess.run([*git, "add", "--detach", str(tree), commit], check=True)
        try:
            make_runs(tree, folder, HERE / "runs" / commit)
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=True)


if __name__ == "__main__":
    main()
