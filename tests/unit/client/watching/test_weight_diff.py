"""The comparison of a weight with its copy: the same rows as the recorder's own comparison, in any precision."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lamplighter.client.matrix_diff import MatrixDiff
from lamplighter.client.watching import weight_diff
from lamplighter.client.watching.weight_diff import DeferredRead, WeightDiff, row_norms


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
@pytest.mark.parametrize("moving", [3, 25])
def test_it_finds_what_a_full_comparison_finds(
    dtype: torch.dtype, moving: int, monkeypatch: pytest.MonkeyPatch
):
    # Several blocks, of which the last is not full.
    monkeypatch.setitem(weight_diff._BLOCK, "cpu", 7 * 4)
    torch.manual_seed(0)
    weight = torch.randn(30, 4).to(dtype)
    diff, reference = WeightDiff(weight), MatrixDiff(weight.float().numpy())
    for step in range(3):
        rows = torch.randperm(30)[:moving]
        weight[rows] = weight[rows] * 2 + 1
        weight[0] = -0.0 if step % 2 else 0.0
        wanted = reference.diff(weight.float().numpy())
        host = DeferredRead(**dict(zip(("moved", "distances"), diff.compare(weight), strict=True))).to_host()
        found = diff.changed_rows(host["moved"], host["distances"])
        np.testing.assert_array_equal(found.token_ids, wanted.token_ids)
        np.testing.assert_allclose(found.distances, wanted.distances, rtol=1e-5)
        if wanted.vectors is None:
            assert found.vectors is None
        else:
            assert found.vectors is not None
            assert found.vectors.tobytes() == wanted.vectors.tobytes()
        assert diff.matrix.tobytes() == reference.matrix.tobytes()


def test_row_norms_of_dense_and_sparse_gradients_and_of_nan():
    embedding = torch.nn.Embedding(5, 3, sparse=True)
    embedding(torch.tensor([1, 1, 4])).sum().backward()
    gradient = embedding.weight.grad
    assert gradient is not None
    wanted = gradient.to_dense().norm(dim=1)
    torch.testing.assert_close(row_norms(gradient), wanted)
    torch.testing.assert_close(row_norms(gradient.to_dense()), wanted)
    torch.testing.assert_close(row_norms(gradient.to_dense(), torch.tensor(4.0)), wanted / 4)
    assert row_norms(torch.tensor([[torch.nan, 1.0]])).isnan().all()
