from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest

from tests.support.hub_server import Hub, serve_hub
from tests.support.synthetic_runs.histories import Training, as_bfloat16

TABLE = "gpt_neox.embed_in.weight"


def safetensors(**tensors: tuple[str, tuple[int, ...], bytes]) -> bytes:
    """Return a file of tensors, each with its type, shape and bytes."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, (kind, shape, data) in tensors.items():
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + b"".join(data for *_, data in tensors.values())


def bfloat16_bytes(matrix: np.ndarray) -> bytes:
    return (as_bfloat16(matrix).view(np.uint32) >> 16).astype(np.uint16).tobytes()


def model_files(matrix: np.ndarray) -> dict[str, bytes]:
    """Return the files of a model whose table is a small part of its weights."""
    rows, width = matrix.shape
    large = np.zeros(400_000, np.float32).tobytes()
    return {
        "model.safetensors": safetensors(
            **{
                "gpt_neox.layers.0.weight": ("F32", (1000, 400), large[: 4 * 400_000]),
                TABLE: ("BF16", (rows, width), bfloat16_bytes(matrix)),
                "embed_out.weight": ("BF16", (rows, width), bfloat16_bytes(-matrix)),
            }
        ),
        "tokenizer.json": json.dumps({"model": {"vocab": {f"w{i}": i for i in range(rows - 5)}}}).encode(),
        "config.json": json.dumps({"vocab_size": rows}).encode(),
        "README.md": b"---\nlanguage: en\nlicense: apache-2.0\n---\n# Tiny\n",
    }


@pytest.fixture(scope="session")
def history() -> dict[int, np.ndarray]:
    return dict(
        Training(size=60, width=16, steps=200, keep=(0, 1, 2, 4, 8, 16, 32, 64, 100, 128, 150, 200)).run()
    )


@pytest.fixture
def hub(history: dict[int, np.ndarray], monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    revisions = {f"step{step}": model_files(matrix) for step, matrix in history.items()}
    with serve_hub(Hub(revisions={"main": revisions["step200"], **revisions})) as serving:
        monkeypatch.setenv("HF_ENDPOINT", serving.endpoint)
        monkeypatch.setenv("HF_TOKEN", "hf_secret")
        yield serving
