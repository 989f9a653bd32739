"""Pipes and devices where files are named: a sentence, and nothing waits for their other end."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

import lamplighter
from lamplighter.client.errors import InputError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes")


@pytest.mark.parametrize(
    "name",
    [
        "vectors.npy",
        "vectors.npz",
        "vectors.txt",
        "model.safetensors",
        "model.safetensors.index.json",
        "plain",
    ],
)
def test_a_pipe_instead_of_an_embedding(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(InputError, match=f"^{name}: not a plain file: save its output"):
        lamplighter.still(tmp_path / "run", tmp_path / name)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["tokens.txt", "tokens.json", "tokenizer.json"])
def test_a_pipe_instead_of_a_vocabulary(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(InputError, match="not a plain file"):
        lamplighter.still(tmp_path / "run", np.eye(3, dtype=np.float32), tmp_path / name)


@pytest.mark.parametrize("name", ["columns.csv", "columns.parquet"])
def test_a_pipe_instead_of_a_table(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(InputError, match="not a plain file"):
        lamplighter.still(
            tmp_path / "run", np.eye(3, dtype=np.float32), ["a", "b", "c"], columns=tmp_path / name
        )


def test_a_device_without_an_end() -> None:
    with pytest.raises(InputError, match=r"^zero: not a plain file"):
        lamplighter.still("run", "/dev/zero")
