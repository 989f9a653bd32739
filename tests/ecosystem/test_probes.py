"""Hidden states of models of transformers, read beside their training, against those that the models return."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import lamplighter

transformers: Any = pytest.importorskip("transformers")

WORDS = [
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "the",
    "a",
    "dog",
    "cat",
    "bank",
    "river",
    "money",
    "sat",
    "ran",
    "by",
    "on",
    "of",
]
SENTENCES = [("the dog sat by the river bank", "bank", "river"), ("a bank of money", "bank", "money")]
SHAPES: dict[str, dict[str, Any]] = {
    "GPT2": {"n_embd": 16, "n_layer": 3, "n_head": 2, "n_positions": 32},
    "Llama": {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2},
}
CLASSES = {"GPT2": "GPT2LMHeadModel", "Llama": "LlamaForCausalLM"}


def make_tokenizer() -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    inner: Any = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    inner.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    return transformers.PreTrainedTokenizerFast(tokenizer_object=inner)


def train(kind: str, folder: Path, **options: Any) -> tuple[list[float], Any]:
    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(vocab_size=len(WORDS), **SHAPES[kind])
    model = getattr(transformers, CLASSES[kind])(config).train()
    watcher = lamplighter.watch(model, make_tokenizer(), folder, on_error="raise", **options)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    losses: list[float] = []
    for _ in range(6):
        ids = torch.randint(3, len(WORDS), (2, 8))
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    watcher.close()
    return losses, model.eval()


@pytest.mark.parametrize("kind", SHAPES)
def test_hidden_states_are_those_of_the_model_and_the_training_is_the_same(kind: str, tmp_path: Path) -> None:
    plain, _ = train(kind, tmp_path / "plain")
    probed, model = train(kind, tmp_path / "probed", probes=SENTENCES, probe_every=2)
    assert plain == probed
    with torch.no_grad():
        ids = torch.tensor([[1, *(WORDS.index(word) for word in ["a", "bank", "of", "money"]), 2]])
        expected = model(input_ids=ids, output_hidden_states=True).hidden_states
    found = lamplighter.open(tmp_path / "probed-probes").snapshot().reshape(4, len(SENTENCES), -1)
    # What the model returns last has gone through its final norm.
    for layer in range(3):
        np.testing.assert_allclose(found[layer, 1], expected[layer][0, 2].numpy(), rtol=1e-4, atol=1e-5)
