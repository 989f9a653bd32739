"""One output of one linear layer as the sum that it is: y = w x + b."""

from __future__ import annotations

import torch

from lamplighter.examination.examined_model import Answer
from lamplighter.examination.kinds.microscope.finite_numbers import to_exact_number, to_numbers
from lamplighter.examination.kinds.microscope.retaken_step import RetakenStep
from lamplighter.model.transformer import Block


@torch.no_grad()
def describe_linear_output(retaken: RetakenStep, sequence: int) -> Answer:
    """Return the strongest output of the first block's `widen` at the last position of a sequence, with all its numbers.

    `w` and `x` are 32-bit numbers, in decimals no longer than these need. `sum` adds up the products and the bias in 64 bits; `y` is what the model computed, in its own precision and order,
    and `difference` is y less `sum`: rounding, 0 or nearly.
    """
    x, outputs = retaken.widen_input[sequence, -1].float(), retaken.widen_output[sequence, -1].float()
    # The model before the step is the one that computed the output; the copy has moved since.
    block = retaken.before.model.blocks[0]
    assert isinstance(block, Block)
    index = int(outputs.argmax())
    w, b = block.mlp.widen.weight[index], block.mlp.widen.bias[index]
    products = [wi * xi for wi, xi in zip(w.tolist(), x.tolist(), strict=True)]
    total, y = sum(products) + float(b), float(outputs[index])
    return {
        "layer": "block 1 mlp",
        "name": "widen",
        "sequence": sequence,
        "position": retaken.widen_input.shape[1] - 1,
        "output": index,
        "outputs": len(outputs),
        "w": to_numbers(w),
        "x": to_numbers(x),
        "b": to_exact_number(b),
        "sum": to_exact_number(total),
        "y": to_exact_number(y),
        "difference": to_exact_number(y - total),
    }
