"""Chosen rows are exact at every step, although AdamW moves every row of a large tied table: here, on a server, elsewhere.

The comparison of a weight with its copy: the same rows as the recorder's own comparison, in any precision.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import lamplighter
from lamplighter.client.matrix_diff import MatrixDiff
from lamplighter.client.watching import weight_diff
from lamplighter.client.watching.weight_diff import DeferredRead, WeightDiff, row_norms
from lamplighter.exports.archive.import_run import import_zip
from lamplighter.exports.export import export_run
from lamplighter.exports.output import no_progress
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.fragments.fragment import make_opening
from lamplighter.runfolder.fragments.fragment_source import FragmentSource
from lamplighter.runfolder.fragments.received_run import ReceivedRun, create_received_run
from lamplighter.runfolder.importing.checked_steps import copy_steps
from lamplighter.runfolder.importing.run_checks import RunChecks
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore

V, D, STEPS, EVERY = 1_100, 64, 24, 10
TOKENS = [f"Ġword{i}" for i in range(V)]
CHOSEN = [7, 1_099, "word30", "Ġword3"]
IDS = [3, 7, 30, 1_099]


class Tied(nn.Module):
    """A model of GPT-2's kind, with a table above 262 kB."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.wte = nn.Embedding(V, D)
        self.block = nn.TransformerEncoderLayer(D, 2, 2 * D, dropout=0.0, batch_first=True, norm_first=True)
        self.head = nn.Linear(D, V, bias=False)
        self.head.weight = self.wte.weight

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.head(self.block(self.wte(ids)))


def train(model: Tied, steps: int, rows: list[np.ndarray[Any, Any]]) -> None:
    """Train, and note what the chosen rows are after each step."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.1)
    for _ in range(steps):
        ids = torch.randint(V, (2, 9))
        loss = nn.functional.cross_entropy(model(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rows.append(model.wte.weight.detach().numpy()[IDS].copy())


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray[Any, Any]]:
    """Return the run of such a loop, and the loop's own notes, shape (steps + 1, rows, D)."""
    folder = tmp_path_factory.mktemp("kept") / "mine"
    model = Tied()
    rows = [model.wte.weight.detach().numpy()[IDS].copy()]
    with lamplighter.watch(model, TOKENS, folder, keyframe_every=EVERY, keep_rows=CHOSEN, on_error="raise"):
        train(model, STEPS, rows)
    return folder, np.stack(rows)


def require_exact(folder: Path, rows: np.ndarray[Any, Any]) -> None:
    run = lamplighter.open(folder)
    assert run.kept_rows == IDS
    assert run.snapshot_steps().tolist() == [0, 10, 20, STEPS]
    for column, token in enumerate(IDS):
        path = run.path(token)
        assert path.steps.tolist() == list(range(STEPS + 1))
        assert path.vectors.tobytes() == rows[:, column].tobytes()
    assert run.path(0).steps.tolist() == run.snapshot_steps().tolist()


def test_the_rows_are_those_of_the_loop_bit_for_bit(trained: tuple[Path, np.ndarray[Any, Any]]) -> None:
    require_exact(*trained)


def test_an_import_and_a_push_have_them(trained: tuple[Path, np.ndarray[Any, Any]], tmp_path: Path) -> None:
    folder, rows = trained
    export_run(RunFolder(folder), "zip", out=tmp_path / "run.zip")
    import_zip(store := RunStore(tmp_path / "runs"), tmp_path / "run.zip", no_progress)
    require_exact(store.runs()[0].path, rows)
    received = create_received_run(tmp_path / "mine", make_opening(RunFolder(folder)), "test")
    source, here = FragmentSource(RunFolder(folder)), ReceivedRun(received)
    while (fragment := source.make_next()) is not None:
        here.take_over(fragment)
        source.advance()
    here.close()
    require_exact(tmp_path / "mine", rows)


@pytest.mark.parametrize(
    ("fact", "says"),
    [("[3, 7, 30]", "kept rows that are not those of the run")]
    + [
        (wrong, "at most 1,000 ascending ids")
        for wrong in ("[3, 3]", "[1100]", "[-1]", "[true]", "{}", "[]", str(list(range(1_001))))
    ],
)
def test_other_rows_than_the_run_names_are_refused(
    trained: tuple[Path, np.ndarray[Any, Any]], tmp_path: Path, fact: str, says: str
) -> None:
    shutil.copy(trained[0] / "steps.sqlite", tmp_path / "steps.sqlite")
    with closing(sqlite3.connect(tmp_path / "steps.sqlite")) as connection, connection:
        connection.execute("UPDATE facts SET value=? WHERE name='kept_rows'", (fact,))
    with pytest.raises(FormatError, match=says):
        copy_steps(tmp_path / "steps.sqlite", tmp_path / "copy", RunChecks(V, D, None, lambda: None))


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        (["word", 3], "'word' is none of the 1,100 tokens, nor an id of one"),
        ([V], "'1100' is none of the 1,100 tokens"),
        ([-1], "'-1' is none of the 1,100 tokens"),
        (range(1_001), "at most 1,000 rows; keyframe_every=1 keeps all of them"),
        ("word3", "a list of tokens or ids, not 'word3'"),
        ([1.5], "keep_rows: "),
    ],
)
def test_what_cannot_be_kept_is_refused(tmp_path: Path, chosen: Any, says: str) -> None:
    with pytest.raises(lamplighter.InputError, match=says):
        lamplighter.watch(Tied(), TOKENS, tmp_path / "mine", keep_rows=chosen)
    assert not (tmp_path / "mine").exists()


def test_a_recorded_loop_keeps_them_too_between_its_recorded_steps_and_within_its_budget(
    tmp_path: Path,
) -> None:
    random = np.random.default_rng(0)
    weights = random.normal(size=(V, D)).astype(np.float32)
    own = {0: weights[[5, 9]].copy()}
    with lamplighter.record(
        tmp_path / "mine", TOKENS, embedding=weights, every=3, keep_rows=[9, 5], disk_budget=3_000_000
    ) as recorder:
        for step in range(1, 901):
            # Every other recorded step moves few rows, which are kept as moved rows.
            few = step // 3 % 2
            weights[: 20 if few else V] += np.float32(0.01)
            recorder.step(weights, [1, 2], 1.0)
            own[step] = weights[[5, 9]].copy()
    run = lamplighter.open(tmp_path / "mine")
    assert run.status.bytes <= 3_000_000 + 4 * V * D
    path = run.path(5)
    ends = next(event.step for event in run.events() if "only loss and batch of each step" in event.message)
    assert path.steps.tolist() == [*range(ends), 300]
    for step, vector in zip(path.steps, path.vectors, strict=True):
        assert vector.tobytes() == own[3 * int(step)][0].tobytes()
    assert len(run.snapshot_steps()) < ends


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
@pytest.mark.parametrize("moving", [3, 25])
def test_it_finds_what_a_full_comparison_finds(
    dtype: torch.dtype, moving: int, monkeypatch: pytest.MonkeyPatch
):
    # Several blocks, of which the last is not full.
    monkeypatch.setitem(weight_diff._BLOCK, "cpu", 7 * 4)
    torch.manual_seed(0)
    weight = torch.randn(30, 4).to(dtype)
    diff, reference = WeightDiff(weight), MatrixDiff(weight.float().numpy())
    for step in range(3):
        rows = torch.randperm(30)[:moving]
        weight[rows] = weight[rows] * 2 + 1
        weight[0] = -0.0 if step % 2 else 0.0
        wanted = reference.diff(weight.float().numpy())
        host = DeferredRead(**dict(zip(("moved", "distances"), diff.compare(weight), strict=True))).to_host()
        found = diff.changed_rows(host["moved"], host["distances"])
        np.testing.assert_array_equal(found.token_ids, wanted.token_ids)
        np.testing.assert_allclose(found.distances, wanted.distances, rtol=1e-5)
        if wanted.vectors is None:
            assert found.vectors is None
        else:
            assert found.vectors is not None
            assert found.vectors.tobytes() == wanted.vectors.tobytes()
        assert diff.matrix.tobytes() == reference.matrix.tobytes()


def test_row_norms_of_dense_and_sparse_gradients_and_of_nan():
    embedding = torch.nn.Embedding(5, 3, sparse=True)
    embedding(torch.tensor([1, 1, 4])).sum().backward()
    gradient = embedding.weight.grad
    assert gradient is not None
    wanted = gradient.to_dense().norm(dim=1)
    torch.testing.assert_close(row_norms(gradient), wanted)
    torch.testing.assert_close(row_norms(gradient.to_dense()), wanted)
    torch.testing.assert_close(row_norms(gradient.to_dense(), torch.tensor(4.0)), wanted / 4)
    assert row_norms(torch.tensor([[torch.nan, 1.0]])).isnan().all()
