"""The commands of docs/histories.md for series that are no models, on made-up files of the formats that people have."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
from click.testing import CliRunner
from numpy.typing import NDArray
from safetensors.numpy import save_file

import lamplighter
from lamplighter.cli.app import cli

DOCS = Path(__file__).parents[3] / "docs" / "histories.md"
NAMES = [f"name{number}" for number in range(40)]


def _tables(count: int) -> list[NDArray[np.float32]]:
    random = np.random.default_rng(3)
    return list(random.normal(size=(count, len(NAMES), 8)).cumsum(axis=0).astype(np.float32))


def _command(beginning: str, folder: Path) -> list[str]:
    """Return the arguments of the command in the docs that begins so, with its patterns expanded as a shell does."""
    lines = [line for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith(beginning)]
    assert len(lines) == 1
    words: list[str] = []
    for word in shlex.split(lines[0])[1:]:
        found = sorted(map(str, folder.glob(word))) if "*" in word else []
        words += found or [str(folder / word) if (folder / word).exists() else word]
    return words


def _run(beginning: str, folder: Path) -> lamplighter.Run:
    store = folder / "runs"
    result = CliRunner().invoke(cli, ["--runs", str(store), *_command(beginning, folder), "--no-maps"])
    assert result.exit_code == 0, result.output
    (run,) = (path for path in store.iterdir() if (path / "recipe.json").exists())
    return lamplighter.open(run)


def _expect(run: lamplighter.Run, numbers: list[int], tables: list[NDArray[np.float32]]) -> None:
    assert list(run.tokens) == NAMES
    assert [run.step_number(step) for step in run.snapshot_steps().tolist()] == numbers
    for step, table in enumerate(tables):
        np.testing.assert_allclose(run.snapshot(step), table, atol=1e-5)


def test_decoders_of_sparse_autoencoders(tmp_path: Path) -> None:
    tables = _tables(3)
    for step, table in zip((1_000, 2_000, 10_000), tables, strict=True):
        (tmp_path / "sae" / str(step)).mkdir(parents=True)
        weights = {
            "W_dec": table,
            "W_enc": np.ascontiguousarray(table.T),
            "b_dec": table[0],
            "b_enc": table[:, 0].copy(),
        }
        save_file(weights, tmp_path / "sae" / str(step) / "sae_weights.safetensors")
    (tmp_path / "features.txt").write_text("\n".join(NAMES), encoding="utf-8")
    _expect(_run("lamplighter series sae", tmp_path), [1_000, 2_000, 10_000], tables)


def test_matrices_by_decade_with_rows_of_zeros(tmp_path: Path) -> None:
    tables = _tables(2)
    tables[0][3] = 0
    (tmp_path / "sgns").mkdir()
    for year, table in zip((1_900, 1_910), tables, strict=True):
        np.save(tmp_path / "sgns" / f"{year}-w.npy", table)
    (tmp_path / "words.txt").write_text("\n".join(NAMES), encoding="utf-8")
    _expect(_run("lamplighter series sgns", tmp_path), [1_900, 1_910], tables)


def test_word_vectors_by_year_in_any_order(tmp_path: Path) -> None:
    tables = _tables(3)
    (tmp_path / "vectors").mkdir()
    for at, (year, table) in enumerate(zip((1_900, 1_950, 2_000), tables, strict=True)):
        order = np.random.default_rng(at).permutation(len(NAMES)) if at else np.arange(len(NAMES))
        lines = [" ".join([NAMES[row], *map(repr, table[row].tolist())]) for row in order]
        text = "\n".join([f"{len(NAMES)} {table.shape[1]}", *lines, ""])
        (tmp_path / "vectors" / f"{year}.txt").write_text(text, encoding="utf-8")
    _expect(_run("lamplighter series vectors", tmp_path), [1_900, 1_950, 2_000], tables)
