"""Each command and each block of Python in the documents beside the tutorials, run on a real run by a reader who has what they name.

What needs another machine, or another program, is listed with what tests it instead.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from benchmarks.support.made_up import made_text
from lamplighter.lessons.class_answers import COLUMNS
from tests.integration.deployment.reader import Reader, blocks_of

ROOT = Path(__file__).parents[3]
DOCUMENTS = [
    document
    for document in (ROOT / "README.md", ROOT / "INSTALL.md", *sorted((ROOT / "docs").glob("*.md")))
    if "```sh" in document.read_text(encoding="utf-8") or "```python" in document.read_text(encoding="utf-8")
]
ELSEWHERE = {
    r"make |docker |caddy |COMPOSE_|LAMPLIGHTER_CLASS=": "CI, and test_compose, test_class_proxy where there is a Caddy",
    r"pip install|uvx |pipx |cd dist|for project in|eval ": "test_release; the shells in tests/unit/cli/test_completion",
    r"srun |sbatch |#|export |torchrun ": "a cluster; torchrun in tests/integration/examination/test_torchrun and training/test_processes",
    r"lamplighter.watch\(model, tokenizer, (resume=|.*keep_rows=)": "a checkpoint and a tokenizer of the reader's own:"
    " unit/client/watching/test_resumed_runs and test_kept_rows",
    r"lamplighter .*(hf://|s3://)": "tests/unit/cli/remote, tests/integration/serving/published",
    r"lamplighter .*(--broker|--class-behind|--follow)|lamplighter (push|doctor)": "a second machine: tests/integration/serving, tests/integration/doctor",
    r"for frame in lamplighter.follow": "a server at the usual port: tests/integration/client/test_live",
    r"city = run.widget": "a notebook: tests/browser/notebooks",
}
"""What is not run here, by how a line or block of Python begins, and what runs it."""
SHORTER = {
    " 1..9": " 1..2", "--more 2000": "--more 5", "--step 3417": "--step 812", "--steps 500": "--steps 5", "steps=500": "steps=5",
    "/home/me/runs": "runs", "/var/www/city": "city", "812, 2000": "812, 850",
}  # fmt: skip
SMALL = "--steps 850 --dim 16 --layers 1 --heads 2"
MODEL = """
from pathlib import Path
import torch
from torch import nn
import lamplighter

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(60, 8)
        self.blocks = nn.ModuleList(nn.Linear(8, 8) for _ in range(2))
        self.classifier = nn.Linear(8, 3)

    def forward(self, ids, targets):
        states = self.embedding(ids)
        for block in self.blocks:
            states = states + block(states)
        return nn.functional.cross_entropy(states @ self.embedding.weight.T, targets)

    def encode(self, images):
        return self.classifier(images)

    def get_input_embeddings(self):
        return self.embedding

torch.manual_seed(0)
model, images, files, kinds = Net(), torch.rand(6, 8), list("abcdef"), list("xxxyyy")
tokens = "We sat on the bank of river She took money to dog The barked".split()
tokens += [f"word{number}" for number in range(60 - len(tokens))]
tokenizer = tokens
optimiser = torch.optim.Adam(model.parameters())
run = lamplighter.open("runs/RUN")

class Vectors(dict):
    key_to_index = property(lambda self: dict.fromkeys(self))

    def __getitem__(self, words):
        return torch.rand(len(words), 8).numpy()

by_year = {year: Vectors.fromkeys(tokens) for year in (1900, 1950)}
batches = [(torch.randint(60, (4,)), torch.randint(60, (4,))) for _ in range(5)]
"""
"""What the blocks of client.md and histories.md take for granted."""

pytestmark = pytest.mark.tour


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The folder of a reader who has a run, a fork, a set and the files that the documents name; and what each name stands for."""
    folder = tmp_path_factory.mktemp("desk")
    reader = Reader(folder)
    names: dict[str, str] = {}

    def make(name: str, command: str) -> None:
        before = set((folder / "runs").glob("2*"))
        reader.type_command(command)
        (made,) = set((folder / "runs").glob("2*")) - before
        names[name] = made.name

    make("RUN", f"lamplighter train {SMALL}")
    run = names["RUN"]
    for command in ("project", "analyse"):
        reader.type_command(f"lamplighter {command} {run}")
    make("OTHER", f"lamplighter train {SMALL} --seed 1")
    make("FORK", f"lamplighter fork {run} --at 812 --set optimiser.learning_rate=0.01 --steps 5")
    make("SET", "lamplighter sweep lamptown --seed 0,1 --set steps=120 --set model.dim=16")
    names["PARENT"] = run
    reader.type_command(f"lamplighter export {run} --to zip --out run.zip")
    reader.type_command(f"lamplighter export {run} --to hf --out path/to/gpt2")
    for step in (100, 200):
        reader.type_command(
            f"lamplighter export {run} --to hf --step {step} --out path/to/out/checkpoint-{step}"
        )
    shutil.copytree(folder / "path/to/out", folder / "path/to/output")
    write_files(folder)
    return folder, names


def write_files(folder: Path) -> None:
    """Write the texts, tables and vectors that the documents name."""
    text = made_text(6_000, 20_000)
    for name in ("book.txt", "books.txt", "other.txt"):
        (folder / name).write_text(text)
    random = np.random.default_rng(0)
    words = [f"word{number}" for number in range(60)]
    for name in ("glove.6B.100d.txt", "vectors/1900.txt", "vectors/1950.txt", "vectors/2000.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        rows = random.normal(size=(60, 8))
        (folder / name).write_text(
            "".join(f"{word} {' '.join(map(str, row))}\n" for word, row in zip(words, rows, strict=True))
        )
    (folder / "features.txt").write_text("\n".join(words))
    for number in (1, 2):
        (folder / f"sae/{number}").mkdir(parents=True)
        safetensors.numpy.save_file({"W_dec": random.normal(size=(60, 8)).astype(np.float32), "b_dec": np.zeros(8, np.float32)},
                                    folder / f"sae/{number}/sae_weights.safetensors")  # fmt: skip
        (folder / "sgns").mkdir(exist_ok=True)
        np.save(folder / f"sgns/{1900 + 10 * number}-w.npy", random.normal(size=(60, 8)).astype(np.float32))
    (folder / "lines.tsv").write_text("the star shone at night\tstar\tsky\nthe film had a star\tstar\tfilm\n")
    (folder / "words.csv").write_text("token,part of speech\n" + "".join(f"{word},noun\n" for word in words))
    guesses = "".join(f"How many?,{guess},%,20,400,2,3,,,,\n" for guess in (4, 8, 30))
    (folder / "lamplighter-answers.csv").write_text(",".join(COLUMNS) + "\n" + guesses)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_a_reader_can_type_what_it_says(
    document: Path, desk: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    folder, names = desk
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    # Sets use the file of words as a vocabulary, the course as pairs to plant.
    words = (
        "\n".join(f"word{n}" for n in range(60))
        if document.stem == "histories"
        else "robot android antenna\n"
    )
    (tmp_path / "words.txt").write_text(words)
    # In the course RUN is the one that was just trained.
    known = {name: run for name, run in names.items() if (document.stem, name) != ("course", "RUN")}
    reader = Reader(tmp_path)
    for language, block in blocks_of(document):
        if language == "python":
            if not is_elsewhere(block):
                reader.type_python(fill(MODEL + block, names))
        elif language == "sh":
            for line in block.splitlines():
                if line and not is_elsewhere(line):
                    reader.type_command(fill(line, known))


def is_elsewhere(text: str) -> bool:
    return any(re.match(pattern, text) for pattern in ELSEWHERE)


def fill(text: str, names: dict[str, str]) -> str:
    """Put the reader's own runs where a document has a name for any, and fewer steps where it has many."""
    text = re.sub(r"runs/2026-11-29-lamptown-102082", f"runs/{names['SET']}", text)
    text = re.sub(r"runs/2026-11-24-lamptown-3f9a", "runs/RUN", text)
    text = re.sub(r"runs/other\b", f"runs/{names['OTHER']}", text)
    for name, run in names.items():
        text = re.sub(rf"\b{name}\b", run, text)
    text = re.sub(r"\bFILE\b", "lamplighter-answers.csv", text)
    for long, short in SHORTER.items():
        text = text.replace(long, short)
    if text.startswith("lamplighter train") and "--resume" not in text and "--control-of" not in text:
        command, _, comment = text.partition("  #")
        text = f"{command} --steps 5  #{comment}"
    return text
