"""The model after a step as a folder that transformers opens: GPT-2 by its architecture, without code of ours.

GPT-2 has norms before its blocks, learned positions and no bias at the output, as our model has. Its attention has biases
where ours has none: they are 0.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamplighter.contract.recipe import ModelRecipe
from lamplighter.contract.sentences import say
from lamplighter.corpora.tokenisers import TokeniserError, restore_tokeniser
from lamplighter.exports.formats.tensor_files import save_tensors
from lamplighter.exports.output import ExportError, ExportProgress
from lamplighter.processes.child_job import NoWeightsError, compute_model_weights
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader

Weights = dict[str, NDArray[np.float32]]

_WHOLE = {
    "transformer.wte.weight": "embedding.weight",
    "transformer.wpe.weight": "positions.weight",
    "transformer.ln_f.weight": "norm.weight",
    "transformer.ln_f.bias": "norm.bias",
}
_OF_BLOCK = {
    "ln_1.weight": "attention_norm.weight",
    "ln_1.bias": "attention_norm.bias",
    "ln_2.weight": "mlp_norm.weight",
    "ln_2.bias": "mlp_norm.bias",
    "mlp.c_fc.bias": "mlp.widen.bias",
    "mlp.c_proj.bias": "mlp.narrow.bias",
}
_TRANSPOSED = {
    "attn.c_attn": "attention.queries_keys_values",
    "attn.c_proj": "attention.project",
    "mlp.c_fc": "mlp.widen",
    "mlp.c_proj": "mlp.narrow",
}
"""GPT-2 stores these matrices as (input, output)."""


def write_gpt2_folder(run: RunFolder, step: int | None, out: Path, progress: ExportProgress) -> None:
    """Write `config.json`, `model.safetensors`, `tokenizer.json` and `tokenizer_config.json`.

    The weights are those of the record, recomputed from the nearest kept state, in float32. The tokeniser
    gives the ids of the run. The metadata of the weights are `run` and `step`. It raises ExportError if the
    run has no model, has not begun, or cannot be brought to the step.
    """
    if run.recipe.corpus.kind == "recorded":
        raise ExportError(
            f"{run.id} was recorded from another loop: only its embedding is here, and no model. Export that with"
            " --to safetensors, or over time with --to zarr; the model is where that loop saved it"
        )
    try:
        with StepsReader(run.steps_path) as steps:
            _, last = steps.newest_step()
        size = len(run.vocabulary)
        tokeniser = restore_tokeniser(run.tokeniser, size).tokeniser
    except FileNotFoundError as error:
        raise ExportError(say("export_not_begun", run=run.id)) from error
    except TokeniserError as error:
        raise ExportError(f"{run.id} cannot be exported: {error}") from error
    step = last if step is None else step
    if step > last:
        raise ExportError(say("export_no_step", run=run.id, step=step, last=last))
    progress(0.0, f"step {step:,}")
    out.mkdir()
    try:
        weights = compute_model_weights(run, step, out / "state", progress)
    except NoWeightsError as error:
        raise ExportError(f"{run.id} has no model of step {step}: {error}") from error
    shape = run.recipe.model
    save_tensors(
        _as_gpt2(weights, shape),
        out / "model.safetensors",
        {"format": "pt", "run": run.id, "step": str(step)},
    )
    _write_json(out / "config.json", _config(shape, size))
    tokeniser.save(str(out / "tokenizer.json"))
    # Without special tokens: `<unk>` spelt out in a text is no unknown word.
    about = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": shape.context}
    _write_json(out / "tokenizer_config.json", about | {"clean_up_tokenization_spaces": False})


def _as_gpt2(weights: Weights, shape: ModelRecipe) -> Weights:
    """Return our parameters under the names, and in the layout, of `GPT2LMHeadModel`."""
    named = {theirs: weights[ours] for theirs, ours in _WHOLE.items()}
    if not shape.tied:
        named["lm_head.weight"] = weights["unembedding.weight"]
    for block in range(shape.layers):
        mine, yours = f"blocks.{block}.", f"transformer.h.{block}."
        named |= {yours + theirs: weights[mine + ours] for theirs, ours in _OF_BLOCK.items()}
        for theirs, ours in _TRANSPOSED.items():
            named[f"{yours}{theirs}.weight"] = np.ascontiguousarray(weights[f"{mine}{ours}.weight"].T)
        named[f"{yours}attn.c_attn.bias"] = np.zeros(3 * shape.dim, np.float32)
        named[f"{yours}attn.c_proj.bias"] = np.zeros(shape.dim, np.float32)
    return named


def _config(shape: ModelRecipe, vocabulary: int) -> dict[str, Any]:
    # What is left out has GPT-2's value, also ours. Its defaults for the ends of texts are ids that we do not have.
    return {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "vocab_size": vocabulary,
        "n_positions": shape.context,
        "n_ctx": shape.context,
        "n_embd": shape.dim,
        "n_layer": shape.layers,
        "n_head": shape.heads,
        "activation_function": "gelu",
        "layer_norm_epsilon": 1e-5,
        "tie_word_embeddings": shape.tied,
        "embd_pdrop": 0.0,
        "attn_pdrop": 0.0,
        "resid_pdrop": 0.0,
        "bos_token_id": None,
        "eos_token_id": None,
        "dtype": "float32",
    }


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
