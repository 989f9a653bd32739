"""Folders of the Embedding Projector."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import lamplighter
from lamplighter.client.sources.embeddings import find_embedding

MATRIX = np.random.default_rng(3).normal(size=(4, 2)).astype(np.float32)
PBTXT = """# written by hand
embeddings {
  tensor_name: "words:00010"
  tensor_shape: 4
  tensor_shape: 2
  tensor_path: "00010/default/tensors.%s"
  metadata_path: '00010/default/metadata.tsv'
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "logs" / "00010" / "default"
    inside.mkdir(parents=True)
    rows = ("\t".join(f"{n:.9g}" for n in row) for row in MATRIX.tolist())
    (inside / "tensors.tsv").write_text("\n".join(rows) + "\n")
    (inside / "tensors.bytes").write_bytes(MATRIX.tobytes())
    (inside / "metadata.tsv").write_text("a\nb\nc\n<d>\n")
    return tmp_path / "logs"


@pytest.mark.parametrize("ending", ["tsv", "bytes"])
def test_tensorboards_folder(ending: str, folder: Path) -> None:
    (folder / "projector_config.pbtxt").write_text(PBTXT % ending)
    found = find_embedding(folder)
    assert found.vocabulary.tokens == ("a", "b", "c", "<d>")
    assert found.vectors.tobytes() == MATRIX.tobytes()
    assert found.description == "words:00010 in logs"


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        ({"tensorPath": "../../secret.tsv"}, "outside this folder"),
        ({"tensorPath": "/etc/passwd"}, "outside this folder"),
        ({"tensorPath": "https://example.org/t.tsv"}, "not the name of a file"),
        ({"tensorPath": "00010/default/tensors.tsv", "metadataPath": "../secret"}, "outside this folder"),
        (
            {"tensorPath": "00010/default/tensors.bytes", "tensorShape": [4, 3]},
            "does not match its tensor_shape",
        ),
        ({"tensorPath": "00010/default/tensors.bytes", "tensorShape": [-4, -2]}, "not a list of sizes"),
        ({"tensorPath": "00010/default/tensors.bytes", "tensorShape": "ab"}, "not a list of sizes"),
        ({"tensorPath": 3}, "not the name of a file"),
        ({}, "lists none"),
        (3, "not a configuration"),
    ],
)
def test_a_hostile_configuration(entry: object, what: str, folder: Path) -> None:
    (folder / "projector_config.json").write_text(json.dumps({"embeddings": [entry]}))
    with pytest.raises(lamplighter.InputError, match=what):
        find_embedding(folder)


def test_of_several_one_is_named(folder: Path) -> None:
    both = PBTXT % "tsv" + (PBTXT % "bytes").replace("00010", "00020", 1)
    (folder / "projector_config.pbtxt").write_text(both)
    with pytest.raises(lamplighter.InputError, match="name one; it lists words:00010, words:00020"):
        find_embedding(folder)
    assert find_embedding(folder, tensor="words:00020").vectors.tobytes() == MATRIX.tobytes()


def test_labels_that_do_not_fit(folder: Path) -> None:
    (folder / "projector_config.pbtxt").write_text(PBTXT % "tsv")
    labels = folder / "00010" / "default" / "metadata.tsv"
    labels.write_text("word\nkind\na\nb\nc\nd\ne\n")
    with pytest.raises(lamplighter.InputError, match="4 rows, but the vocabulary has 7"):
        find_embedding(folder)
    labels.write_text("word\tid\na\t1\nb\t2\n")
    with pytest.raises(lamplighter.InputError, match="2 labels below its header, but 4 vectors"):
        find_embedding(folder)
    labels.write_text("id\tWord\n1\ta\n2\tb\n3\tc\n4\td\n")
    assert find_embedding(folder).vocabulary.tokens == ("a", "b", "c", "d")
