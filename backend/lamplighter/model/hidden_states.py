"""The hidden states of probes at the kept states of a run's model: the residual stream, before any layer norm reads it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from lamplighter.contract.recipe import Recipe
from lamplighter.model.checkpoint import load_checkpoint
from lamplighter.model.checkpoint_files import CheckpointFile
from lamplighter.model.learner import build_learner
from lamplighter.model.observer import Observer
from lamplighter.model.transformer import Transformer


def read_kept_states(
    recipe: Recipe, vocabulary: int, files: Iterable[CheckpointFile], sequences: Sequence[NDArray[np.int64]]
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield the step of each file, and the hidden states at the last token of each of R sequences of token
    ids, shape (layers + 1, R, D): before the first block, and after each. Raises ValueError if a file is
    damaged, or belongs to another model.
    """
    learner = build_learner(recipe, vocabulary, torch.device("cpu"))
    observer = Observer(learner, recipe.cadence.verify_every)
    for file in files:
        load_checkpoint(file, learner, observer)
        yield file.step, _read(learner.model, sequences)


@torch.no_grad()
def _read(model: Transformer, sequences: Sequence[NDArray[np.int64]]) -> NDArray[np.float32]:
    """Return the hidden states; sequences of one length are read together, so none is padded."""
    states = np.empty((model.shape.layers + 1, len(sequences), model.shape.dim), dtype=np.float32)
    for length in {len(one) for one in sequences}:
        chosen = [number for number, one in enumerate(sequences) if len(one) == length]
        stream = model.residual_stream(torch.from_numpy(np.stack([sequences[i] for i in chosen])))
        for layer, state in enumerate(stream):
            states[layer, chosen] = state[:, -1].float().numpy()
    return states
