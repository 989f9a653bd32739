"""A decoder-only transformer (Vaswani et al. 2017) with layer norms before the blocks (Radford et al. 2019).

Shapes: B sequences, T positions, D width, H heads, V tokens.
"""

from __future__ import annotations

import copy
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lamplighter.contract.recipe import ModelRecipe
from lamplighter.model.sampled_softmax import Candidates


class Attention(nn.Module):
    """Causal multi-head self-attention."""

    def __init__(self, shape: ModelRecipe) -> None:
        super().__init__()
        self.heads = shape.heads
        self.queries_keys_values = nn.Linear(shape.dim, 3 * shape.dim, bias=False)
        self.project = nn.Linear(shape.dim, shape.dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Attend within each sequence, (B, T, D) -> (B, T, D)."""
        q, k, v = self._split_heads(x)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.project(y.transpose(1, 2).reshape(x.shape))

    def weights(self, x: Tensor) -> Tensor:
        """Compute the attention weights, (B, T, D) -> (B, H, T, T).

        Source: softmax(Q K^T / sqrt(D / H)) with a causal mask. `forward` uses a fused kernel that never stores them,
        so its weights are equal only up to rounding.
        """
        q, k, _ = self._split_heads(x)
        scores = (q @ k.transpose(2, 3)) / math.sqrt(q.shape[3])
        later = torch.ones(scores.shape[2:], dtype=torch.bool, device=x.device).triu(1)
        return scores.masked_fill(later, -math.inf).softmax(3)

    def _split_heads(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Compute queries, keys and values, (B, T, D) -> (B, H, T, D / H) each."""
        b, t, d = x.shape
        q, k, v = (
            m.view(b, t, self.heads, d // self.heads).transpose(1, 2)
            for m in self.queries_keys_values(x).split(d, dim=2)
        )
        return q, k, v


class MLP(nn.Module):
    """A two-layer perceptron with a hidden layer of width 4 D, applied at each position."""

    def __init__(self, shape: ModelRecipe) -> None:
        super().__init__()
        self.widen = nn.Linear(shape.dim, 4 * shape.dim)
        self.narrow = nn.Linear(4 * shape.dim, shape.dim)

    def forward(self, x: Tensor) -> Tensor:
        """Apply both layers, (B, T, D) -> (B, T, D)."""
        return self.narrow(F.gelu(self.widen(x)))


class Block(nn.Module):
    """A transformer block: attention, then MLP, each added to the residual stream."""

    def __init__(self, shape: ModelRecipe) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(shape.dim)
        self.attention = Attention(shape)
        self.mlp_norm = nn.LayerNorm(shape.dim)
        self.mlp = MLP(shape)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block, (B, T, D) -> (B, T, D)."""
        x = x + self.attention(self.attention_norm(x))
        return x + self.mlp(self.mlp_norm(x))


class Transformer(nn.Module):
    """A language model that maps token ids to the mean cross-entropy of the next tokens.

    With `sparse`, the gradient of the embedding contains only the rows in the batch, and that of an output matrix of which
    a step reads a sample only the rows of the sample. Tied weights cannot be sparse: the softmax gives every row a gradient.
    """

    def __init__(self, shape: ModelRecipe, vocabulary: int, *, sparse: bool) -> None:
        """Build the model for V tokens. Raises ValueError if `shape.tied` and `sparse` are both set."""
        super().__init__()
        if shape.tied and sparse:
            raise ValueError("tied weights have a dense gradient: they cannot be updated lazily")
        self.shape = shape
        self.embedding = nn.Embedding(vocabulary, shape.dim, sparse=sparse)
        self.positions = nn.Embedding(shape.context, shape.dim)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.dim)
        self.unembedding = nn.Linear(shape.dim, vocabulary, bias=False)
        if shape.tied:
            self.unembedding.weight = self.embedding.weight
        self._initialise()

    def _initialise(self) -> None:
        """Initialise the weights.

        Biases are 0 and norms 1; all other weights are normal with standard deviation 0.02, divided by the square
        root of the number of additions for matrices that add to the residual stream.
        """
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            elif "norm" in name:
                nn.init.ones_(parameter)
            elif name.endswith(("project.weight", "narrow.weight")):
                nn.init.normal_(parameter, std=0.02 / math.sqrt(2 * self.shape.layers))
            else:
                nn.init.normal_(parameter, std=0.02)

    def logits(self, ids: Tensor) -> Tensor:
        """Compute the logits, token ids (B, T) -> (B, T, V)."""
        return self.unembedding(self.norm(self.residual_stream(ids)[-1]))

    def residual_stream(self, ids: Tensor) -> list[Tensor]:
        """Compute the residual stream before the first block and after each, (B, T) -> one (B, T, D) each."""
        stream = [self.embedding(ids) + self.positions.weight[: ids.shape[1]]]
        for block in self.blocks:
            stream.append(block(stream[-1]))
        return stream

    def attention_weights(self, ids: Tensor) -> list[Tensor]:
        """Compute the attention of each block, (B, T) -> one (B, H, T, T) each; see `Attention.weights`."""
        weights: list[Tensor] = []
        for block, stream in zip(self.blocks, self.residual_stream(ids), strict=False):
            assert isinstance(block, Block)
            weights.append(block.attention.weights(block.attention_norm(stream)))
        return weights

    def with_embedding(self, weight: Tensor) -> Transformer:
        """Return a model with the embedding `weight`, (V, D), and all other weights of this one; tied weights stay
        tied."""
        # The memo makes `deepcopy` share the parameters.
        model = copy.deepcopy(self, {id(parameter): parameter for parameter in self.parameters()})
        model.embedding.weight = nn.Parameter(weight)
        if self.shape.tied:
            model.unembedding.weight = model.embedding.weight
        return model

    def forward(self, ids: Tensor, targets: Tensor) -> Tensor:
        """Compute the mean cross-entropy in nats, a scalar, from ids and next ids, shape (B, T) each."""
        return self.losses(ids, targets)[0]

    def losses(self, ids: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the mean cross-entropy in nats, a scalar, and that of each token, shape (B T,), without
        gradient. `ids`: token ids, shape (B, T); `targets`: the next token ids, shape (B, T).
        """
        return _cross_entropy(self.logits(ids).flatten(0, 1), targets.flatten())

    def sampled_losses(self, ids: Tensor, candidates: Candidates) -> tuple[Tensor, Tensor]:
        """Compute estimates of the same from the `candidates` among the rows of the output matrix; only these
        get a gradient.
        """
        last = self.norm(self.residual_stream(ids)[-1]).flatten(0, 1)
        rows = F.embedding(candidates.rows, self.unembedding.weight, sparse=self.embedding.sparse)
        return _cross_entropy(last @ rows.T + candidates.offsets, candidates.columns)

    def layers(self) -> dict[str, list[Tensor]]:
        """Return the parameters by displayed layer, in the order of data flow."""
        layers: dict[str, list[Tensor]] = {
            "embedding": [self.embedding.weight],
            "positions": [self.positions.weight],
        }
        for number, block in enumerate(self.blocks, start=1):
            assert isinstance(block, Block)
            layers[f"block {number} attention"] = [
                *block.attention_norm.parameters(),
                *block.attention.parameters(),
            ]
            layers[f"block {number} mlp"] = [*block.mlp_norm.parameters(), *block.mlp.parameters()]
        layers["final norm"] = list(self.norm.parameters())
        if not self.shape.tied:
            layers["unembedding"] = [self.unembedding.weight]
        return layers


def _cross_entropy(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean cross-entropy of logits (N, V) in nats, and that of each target (N,), without gradient."""
    # Half precision, as autocast gives it, is too coarse for sums over a vocabulary.
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    # What torch's `cross_entropy` does, so its bits stay; it would not give the logarithms back.
    logarithms = F.log_softmax(logits, dim=1)
    of_tokens = logarithms.detach().gather(1, targets[:, None]).neg_()
    return F.nll_loss(logarithms, targets), of_tokens[:, 0]
