"""The model as GPT-2's files, read as any reader of that architecture does: the logits and the ids are the run's."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from tokenizers import Tokenizer

from lamplighter.corpora.textfile import split_paragraphs
from lamplighter.corpora.tokenisers import encode_with
from lamplighter.examination.examined_model import Replayer
from lamplighter.exports.export import export_run
from lamplighter.exports.output import Cancelled, ExportError
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.training.worker import train
from tests.support.runs import make_run, small_text

SHAPE = {"dim": 16, "layers": 2, "heads": 2, "context": 8}
RECIPES: dict[str, dict[str, Any]] = {
    "words": {"model": SHAPE},
    "pieces, tied": {
        "corpus": {"kind": "text", "name": "small.txt", "vocabulary_size": 300, "tokeniser": "bpe"},
        "model": SHAPE | {"tied": True},
        "optimiser": {"kind": "adam"},
    },
}
STEP = 7


@pytest.fixture(scope="module", params=RECIPES)
def exported(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[RunFolder, Path]:
    folder = tmp_path_factory.mktemp("runs")
    run = make_run(folder, steps=12, **RECIPES[request.param])
    train(run)
    return run, export_run(run, "hf", STEP, folder / "out")


def logits(folder: Path, ids: torch.Tensor) -> torch.Tensor:
    """Compute GPT-2's logits from what its two files say."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    weights = load_file(folder / "model.safetensors")

    def linear(x: torch.Tensor, name: str) -> torch.Tensor:
        return x @ weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def norm(x: torch.Tensor, name: str) -> torch.Tensor:
        size, epsilon = (x.shape[-1],), config["layer_norm_epsilon"]
        return F.layer_norm(x, size, weights[f"{name}.weight"], weights[f"{name}.bias"], epsilon)

    def attend(x: torch.Tensor, name: str) -> torch.Tensor:
        heads, (b, t, d) = config["n_head"], x.shape
        q, k, v = (
            part.view(b, t, heads, d // heads).transpose(1, 2)
            for part in linear(x, f"{name}.c_attn").split(d, dim=2)
        )
        scores = q @ k.transpose(2, 3) / math.sqrt(d // heads)
        later = torch.ones(t, t, dtype=torch.bool).triu(1)
        mixed = scores.masked_fill(later, -math.inf).softmax(3) @ v
        return linear(mixed.transpose(1, 2).reshape(b, t, d), f"{name}.c_proj")

    assert config["model_type"] == "gpt2"
    assert config["activation_function"] == "gelu"
    assert ids.shape[1] <= config["n_positions"]
    wte = weights["transformer.wte.weight"]
    x = wte[ids] + weights["transformer.wpe.weight"][: ids.shape[1]]
    for layer in range(config["n_layer"]):
        block = f"transformer.h.{layer}"
        x = x + attend(norm(x, f"{block}.ln_1"), f"{block}.attn")
        x = x + linear(F.gelu(linear(norm(x, f"{block}.ln_2"), f"{block}.mlp.c_fc")), f"{block}.mlp.c_proj")
    output = wte if config["tie_word_embeddings"] else weights["lm_head.weight"]
    assert output.shape == (config["vocab_size"], config["n_embd"])
    return norm(x, "transformer.ln_f") @ output.T


def test_the_logits_are_those_of_the_recorded_model(exported: tuple[RunFolder, Path]) -> None:
    run, folder = exported
    ids = torch.from_numpy(run.token_ids[:320].astype(np.int64).reshape(40, 8))
    model = Replayer(run).model_at(STEP, lambda _share, _what: None).learner.model
    with torch.no_grad():
        ours = model.logits(ids)
    assert (logits(folder, ids) - ours).abs().max() < 1e-5
    assert ours.std() > 0.01


def test_the_tokeniser_gives_the_ids_of_the_run(exported: tuple[RunFolder, Path]) -> None:
    run, folder = exported
    theirs = Tokenizer.from_file(str(folder / "tokenizer.json"))
    read = [token for part in split_paragraphs(small_text()) for token in theirs.encode(part).ids]
    np.testing.assert_array_equal(read[: len(run.token_ids)], run.token_ids)

    @given(st.text(max_size=60) | st.sampled_from(["<unk>", "Bal\u0307lo  bal", "it’s", "\u202e[PAD]</s>"]))
    @settings(max_examples=60, deadline=None)
    def same(text: str) -> None:
        assert theirs.encode(text).ids == encode_with(run.tokeniser, [text])[0].tolist()

    same()


@pytest.mark.parametrize("exported", ["words"], indirect=True)
def test_a_cancelled_export_leaves_nothing(exported: tuple[RunFolder, Path], tmp_path: Path) -> None:
    def cancel(share: float, what: str) -> None:
        if "recomputing" in what:
            raise Cancelled

    with pytest.raises(Cancelled):
        export_run(exported[0], "hf", STEP, tmp_path / "out", cancel)
    assert list(tmp_path.iterdir()) == []


def test_a_step_that_did_not_happen_is_refused(exported: tuple[RunFolder, Path], tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="its last is 12"):
        export_run(exported[0], "hf", 13, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
