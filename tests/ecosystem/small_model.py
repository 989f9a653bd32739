"""A small model of transformers."""

from __future__ import annotations

import torch
from transformers import GPT2Config, GPT2LMHeadModel

from tests.ecosystem.recorded_steps import CONTEXT, V


def small_model() -> GPT2LMHeadModel:
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=V, n_positions=CONTEXT, n_embd=16, n_layer=1, n_head=2,
        bos_token_id=0, eos_token_id=0, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
    )  # fmt: skip
    return GPT2LMHeadModel(config)
