"""What an export gives back, opened by those whom it is for: transformers, TransformerLens, xarray."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray
from transformers import AutoModelForCausalLM, AutoTokenizer

from lamplighter.corpora.tokenisers import encode_with
from lamplighter.examination.examined_model import Replayer
from lamplighter.exports.export import export_run
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.training.worker import train
from tests.support.runs import make_run, small_text

STEP = 7
SHAPE = {"dim": 16, "layers": 2, "heads": 2, "context": 8}
RECIPES: dict[str, dict[str, Any]] = {
    "words": {},
    "pieces, tied": {
        "corpus": {"kind": "text", "name": "small.txt", "vocabulary_size": 300, "tokeniser": "bpe"},
        "model": SHAPE | {"tied": True},
        "optimiser": {"kind": "adam"},
    },
}


@pytest.fixture(scope="module", params=RECIPES)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    made = make_run(
        tmp_path_factory.mktemp("runs"), **{"steps": 12, "model": SHAPE, **RECIPES[request.param]}
    )
    train(made)
    return made


@pytest.fixture(scope="module")
def folder(run: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_run(run, "hf", STEP, tmp_path_factory.mktemp("exported") / "model")


@pytest.fixture(scope="module")
def asked(run: RunFolder) -> tuple[torch.Tensor, torch.Tensor]:
    """Return token ids, shape (40, 8), and the logits of the recorded model."""
    ids = torch.from_numpy(run.token_ids[:320].astype(np.int64).reshape(40, 8))
    model = Replayer(run).model_at(STEP, lambda _share, _what: None).learner.model
    with torch.no_grad():
        return ids, model.logits(ids)


def test_transformers_computes_the_logits_of_the_recorded_model(
    folder: Path, asked: tuple[torch.Tensor, torch.Tensor]
) -> None:
    ids, logits = asked
    model, said = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    assert not any(said.values()), said
    with torch.no_grad():
        assert (model.eval()(ids).logits - logits).abs().max() < 1e-5
    assert model.generate(ids[:1, :3], max_new_tokens=5, do_sample=False).shape == (1, 8)


def test_transformers_reads_the_ids_of_the_run(run: RunFolder, folder: Path) -> None:
    tokeniser = AutoTokenizer.from_pretrained(folder)
    for text in (small_text(300), "<unk> Bal\u0307lo\n bal’s  ☃ ", "", "</s>[PAD]"):
        assert tokeniser(text).input_ids == encode_with(run.tokeniser, [text])[0].tolist()


def test_transformer_lens_computes_the_same(folder: Path, asked: tuple[torch.Tensor, torch.Tensor]) -> None:
    # Its import turns gradients off for the whole process.
    with torch.enable_grad():
        from transformer_lens.model_bridge import TransformerBridge
    ids, logits = asked
    bridge = TransformerBridge.boot_transformers(str(folder))
    with torch.no_grad():
        assert (bridge(ids) - logits).abs().max() < 1e-5


def test_xarray_finds_a_token_at_a_step(run: RunFolder, tmp_path: Path) -> None:
    with xarray.open_zarr(export_run(run, "zarr", out=tmp_path / "run.zarr"), consolidated=False) as found:
        row = found.embedding.sel(step=0, token=run.vocabulary.tokens[3]).values
    with MatrixHistory(run) as history:
        np.testing.assert_array_equal(row, history.snapshot(0).vectors[3])
