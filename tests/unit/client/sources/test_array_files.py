"""Numpy's archives: chosen by name, read as far as their headers say, never unpickled."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

import lamplighter
from lamplighter.client.sources.embeddings import find_embedding

MATRIX = np.random.default_rng(4).normal(size=(4, 2))


def test_an_archive_with_and_without_tokens(tmp_path: Path) -> None:
    path = tmp_path / "e.npz"
    np.savez_compressed(path, vectors=np.asfortranarray(MATRIX), words=np.array(["a", "b", "c", "ß"]), n=3)
    found = find_embedding(path)
    assert found.vocabulary.tokens == ("a", "b", "c", "ß")
    np.testing.assert_array_equal(found.vectors, MATRIX.astype(np.float32))
    np.savez(path, first=MATRIX, second=MATRIX + 1)
    with pytest.raises(lamplighter.InputError, match="name one: first, second"):
        find_embedding(path, list("abcd"))
    chosen = find_embedding(path, list("abcd"), tensor="second")
    np.testing.assert_array_equal(chosen.vectors, (MATRIX + 1).astype(np.float32))


def archive(path: Path, member: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("e.npy", member)
    return path


def npy(array: object, *, pickled: bool = False) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=pickled)  # pyright: ignore[reportArgumentType]
    return file.getvalue()


@pytest.mark.parametrize(
    "member",
    [
        b"",
        npy(MATRIX)[:-8],
        npy(np.array([["x"]] * 4, dtype=object), pickled=True),
        npy(MATRIX).replace(b"(4, 2)", b"(4,-2)"),
        npy(MATRIX).replace(b"(4, 2), }  ", b"(9**9, 2), "),
        npy(MATRIX.astype(np.int32)),
        npy(MATRIX[0]),
    ],
)
def test_a_hostile_archive(member: bytes, tmp_path: Path) -> None:
    with pytest.raises(lamplighter.InputError):
        find_embedding(archive(tmp_path / "e.npz", member), list("abcd"))


def test_no_archive_at_all(tmp_path: Path) -> None:
    (tmp_path / "e.npz").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(lamplighter.InputError, match=r"not an \.npz file"):
        find_embedding(tmp_path / "e.npz", list("abcd"))
