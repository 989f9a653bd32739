from __future__ import annotations

import json
import os
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

import lamplighter
from lamplighter.client.sources.embeddings import find_embedding
from lamplighter.client.sources.vocabulary_files import MAX_CHARACTERS, make_vocabulary, read_vocabulary

MATRIX = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
    return path


def read_matrix(path: Path, rows: int, tensor: str | None = None) -> np.ndarray:
    return find_embedding(path, [f"w{at}" for at in range(rows)], tensor).vectors[:]


def test_a_matrix_becomes_a_finished_run(tmp_path: Path) -> None:
    np.save(tmp_path / "e.npy", MATRIX)
    words = write(
        tmp_path / "v.tsv", "id\ttoken\tclass\n0\tdog\tanimal\n1\tcat\tanimal\n2\t\t\n3\t<b>\tmark\n"
    )
    run = lamplighter.still(tmp_path / "runs" / "still", tmp_path / "e.npy", words)
    assert run.snapshot(0).tobytes() == MATRIX.tobytes()
    assert run.tokens == ("dog", "cat", "", "<b>")
    assert run.vocabulary.classes == {"animal": (0, 1), "mark": (3,)}
    assert (run.status.phase, run.status.step, run.status.steps) == ("finished", 0, 0)
    assert list(run.steps()) == []
    np.testing.assert_array_equal(run.path("cat").vectors, MATRIX[1:2])
    with pytest.raises(FileExistsError):
        lamplighter.still(tmp_path / "runs" / "still", tmp_path / "e.npy", words)


@pytest.mark.parametrize("dtype", ["<f2", ">f4", "<f8"])
def test_npy_of_other_types_and_orders(dtype: str, tmp_path: Path) -> None:
    np.save(tmp_path / "e.npy", np.asfortranarray(MATRIX.astype(dtype)))
    np.testing.assert_array_equal(read_matrix(tmp_path / "e.npy", 4), MATRIX.astype(dtype).astype(np.float32))


def test_safetensors_by_rows_by_name_and_by_choice(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    other = MATRIX + 1
    save_file({"lm_head.weight": other, "model.embed_tokens.weight": MATRIX, "bias": MATRIX[0]}, path)
    np.testing.assert_array_equal(read_matrix(path, 4), MATRIX)
    np.testing.assert_array_equal(read_matrix(path, 4, "lm_head.weight"), other)
    with pytest.raises(lamplighter.InputError, match=r"no tensor 'x'; there are .*lm_head"):
        read_matrix(path, 4, "x")
    with pytest.raises(lamplighter.InputError, match=r"has 5 rows.*embed_tokens.weight \(4 x 3\), lm_head"):
        read_matrix(path, 5)
    save_file({"a": other, "b": MATRIX}, path)
    with pytest.raises(lamplighter.InputError, match="name one: a, b"):
        read_matrix(path, 4)


def test_bfloat16_is_the_upper_half(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file as save_torch

    tensor = torch.from_numpy(MATRIX).to(torch.bfloat16)
    save_torch({"wte": tensor}, str(tmp_path / "e.safetensors"))
    np.testing.assert_array_equal(read_matrix(tmp_path / "e.safetensors", 4), tensor.float().numpy())


class _Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch evil",)


def test_nothing_is_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save(tmp_path / "object.npy", np.array([[_Evil()]] * 4, dtype=object), allow_pickle=True)
    (tmp_path / "plain.npy").write_bytes(pickle.dumps(_Evil()))
    (tmp_path / "model.pt").write_bytes(pickle.dumps(_Evil()))
    for name in ("object.npy", "plain.npy", "model.pt"):
        with pytest.raises(lamplighter.InputError):
            read_matrix(tmp_path / name, 4)
    assert not (tmp_path / "evil").exists()


def header(facts: object, data: bytes = b"\0" * 48) -> bytes:
    text = json.dumps(facts).encode()
    return struct.pack("<Q", len(text)) + text + data


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 8,
        struct.pack("<Q", 1 << 40) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 3) + b"{\xff}",
        header({"e": None}),
        header({"e": {"dtype": "F32", "shape": [4, 3], "data_offsets": [0, 1 << 50]}}),
        header({"e": {"dtype": "F32", "shape": [4, 3], "data_offsets": [-8, 40]}}),
        header({"e": {"dtype": "F32", "shape": [4, 1 << 40], "data_offsets": [0, 48]}}),
        header({"e": {"dtype": "F32", "shape": [-4, -3], "data_offsets": [0, 48]}}),
        header({"e": {"dtype": "I64", "shape": [4, 3], "data_offsets": [0, 48]}}),
        header({"e": {"dtype": "F32", "shape": [4, 3], "data_offsets": "ab"}}),
    ],
)
def test_hostile_safetensors(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(lamplighter.InputError):
        read_matrix(write(tmp_path / "e.safetensors", content), 4)


def test_a_header_asks_for_no_memory(tmp_path: Path) -> None:
    head = "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 4000000000), }".ljust(117) + "\n"
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + b"\0" * 64
    with pytest.raises(lamplighter.InputError):
        read_matrix(write(tmp_path / "e.npy", content), 4)


def test_a_matrix_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    words = write(tmp_path / "v.txt", "a\nb\nc\nd\n")
    for wrong, what in (
        (MATRIX[:3], "3 rows, but the vocabulary has 4"),
        (MATRIX[0], "tokens x width"),
        (MATRIX.astype(np.int32), "floating-point"),
        (np.where(MATRIX[2, 1] == MATRIX, np.nan, MATRIX), r"1 rows hold values .*first row 2"),
        (np.full((4, 3), 1e300), "not finite"),
        (MATRIX[:, :1], "cannot be shown"),
        (np.zeros((4, 20_000), dtype=np.float32), "cannot be shown"),
    ):
        np.save(tmp_path / "e.npy", wrong)
        with pytest.raises(lamplighter.InputError, match=what):
            lamplighter.still(tmp_path / "still", tmp_path / "e.npy", words)
    assert not (tmp_path / "still").exists()
    with pytest.raises(lamplighter.InputError, match=r"none\.npy: No such file"):
        read_matrix(tmp_path / "none.npy", 4)


def test_vocabularies_of_every_kind(tmp_path: Path) -> None:
    odd = ["[PAD]", "a\u2028b", "", "\u202egnol", " x", "\u0130"]
    assert read_vocabulary(write(tmp_path / "v.txt", "\n".join(odd) + "\n")).tokens == tuple(odd)
    assert read_vocabulary(write(tmp_path / "v", "\ufeff" + "\r\n".join(odd))).tokens == tuple(odd)
    assert read_vocabulary(write(tmp_path / "v.json", json.dumps(odd))).tokens == tuple(odd)
    ids = {token: number for number, token in enumerate(odd)}
    assert read_vocabulary(write(tmp_path / "w.json", json.dumps(ids))).tokens == tuple(odd)
    assert read_vocabulary(write(tmp_path / "v.tsv", "token\na\nb\nc\n")).tokens == ("a", "b", "c")
    assert read_vocabulary(write(tmp_path / "t.txt", "token\na\nb\n")).tokens == ("token", "a", "b")


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("v.txt", b"a\nb\n\xff\n", "not UTF-8 at byte 4"),
        ("v.txt", "", "too few"),
        ("v.txt", "a\nb\n" + "x" * (MAX_CHARACTERS + 1), "token 2 has 1,001 characters"),
        ("v.tsv", "token\tclass\na\tx\nb\nc\tx\n", "line 3 has 1 columns"),
        ("v.json", "[" * 100_000, "not JSON"),
        ("v.json", "3", "a list of tokens"),
        ("v.json", '["a", "b", 3]', "token 2 is not a text but int"),
        ("v.json", '["a", "b", "\\ud800"]', "surrogate"),
        ("v.json", '{"a": 0, "b": 1, "c": 1}', "unique id"),
        ("v.json", '{"a": 0, "b": 1, "c": true}', "unique id"),
        ("v.json", '{"a": 0, "b": 1, "c": 4000000000}', "unique id"),
        ("none.txt", None, "No such file"),
    ],
)
def test_hostile_vocabularies(name: str, content: str | bytes | None, what: str, tmp_path: Path) -> None:
    if content is not None:
        write(tmp_path / name, content)
    with pytest.raises(lamplighter.InputError, match=what):
        read_vocabulary(tmp_path / name)


@given(content=st.binary(max_size=200), suffix=st.sampled_from([".txt", ".tsv", ".json"]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_a_vocabulary_or_refused(content: bytes, suffix: str, tmp_path: Path) -> None:
    try:
        found = read_vocabulary(write(tmp_path / f"v{suffix}", content))
    except lamplighter.InputError:
        return
    assert len(found.to_json().encode()) > 0


def test_counts_and_classes_must_fit() -> None:
    made = make_vocabulary(["a", "b", "a"], counts=[3, 2, 1], classes={"x": ["a", 1]})
    assert made.classes == {"x": (0, 1)}
    for given_, what in (
        ({"counts": [1]}, "1 counts for 3"),
        ({"counts": [1, -1, 0]}, "none below 0"),
        ({"counts": ["a", 1, 2]}, "whole numbers"),
        ({"classes": {"x": ["z"]}}, "'z' of class 'x'"),
        ({"classes": {"x": [7]}}, "'7' of class"),
        ({"classes": {"x": ["a"], "y": ["a"]}}, "in two classes"),
        ({"classes": {f"{n:04d}" + "x" * 900: [] for n in range(300)}}, "names of its classes take"),
    ):
        with pytest.raises(lamplighter.InputError, match=what):
            make_vocabulary(["a", "b", "c"], **given_)  # pyright: ignore[reportArgumentType]
