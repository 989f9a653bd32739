"""Generated words follow the model's logits, in any batch, and are sampled only on request."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lamplighter.contract.recipe import ModelRecipe
from lamplighter.model.generation import Sampler, SpokenWord, continue_prompts, most_probable
from lamplighter.model.transformer import Transformer

V, CONTEXT = 30, 6
SHAPE = ModelRecipe(dim=16, layers=2, heads=4, context=CONTEXT)


@pytest.fixture(scope="module")
def model() -> Transformer:
    torch.manual_seed(0)
    made = Transformer(SHAPE, V, sparse=False)
    with torch.no_grad():
        for parameter in made.parameters():
            # The logits of an untrained model are almost equal.
            parameter.add_(torch.randn_like(parameter), alpha=0.3)
    return made


def ids_of(words: list[SpokenWord]) -> list[int]:
    return [word.token_id for word in words]


def sampler(seed: int, temperature: float = 1.0) -> Sampler:
    return Sampler(np.random.default_rng(seed), temperature)


def test_a_greedy_line_is_the_argmax_over_a_sliding_window(model: Transformer) -> None:
    [said] = continue_prompts(model, [[3, 5]], 12, [None], candidates=4)
    text = [3, 5]
    for word in said:
        with torch.no_grad():
            expected = model.logits(torch.tensor([text[-CONTEXT:]]))[0, -1].double().softmax(0)
        assert word.token_id == int(expected.argmax())
        assert word.probability == pytest.approx(float(expected.max()), rel=1e-4)
        values, tokens = expected.topk(4)
        assert [token for token, _ in word.candidates] == tokens.tolist()
        np.testing.assert_allclose([p for _, p in word.candidates], values, rtol=1e-4)
        text.append(word.token_id)
    assert len(text) == 14 > CONTEXT


def test_other_prompts_in_the_batch_change_nothing(model: Transformer) -> None:
    prompts = [[1], [2, 3, 4, 5], list(range(20))]
    together = continue_prompts(model, prompts, 9, [None, sampler(1), None], candidates=2)
    alone = [
        continue_prompts(model, [prompt], 9, [choice], candidates=2)[0]
        for prompt, choice in zip(prompts, [None, sampler(1), None], strict=True)
    ]
    for one, other in zip(together, alone, strict=True):
        assert ids_of(one) == ids_of(other)
        np.testing.assert_allclose(
            [word.probability for word in one], [word.probability for word in other], rtol=1e-4
        )


def test_reads_only_the_end_of_a_long_prompt(model: Transformer) -> None:
    end = [4, 9, 2, 7, 7, 1]
    long, short = continue_prompts(model, [[11] * 500 + end, end], 5, [None, None])
    assert long == short


def test_samples_follow_the_probabilities_at_their_temperature(model: Transformer) -> None:
    with torch.no_grad():
        logits = model.logits(torch.tensor([[3, 5]]))[0, -1].double()
    for temperature in (1.0, 0.5):
        draws = 2_000
        said = continue_prompts(
            model, [[3, 5]] * draws, 1, [sampler(seed, temperature) for seed in range(draws)]
        )
        shares = np.bincount([line[0].token_id for line in said], minlength=V) / draws
        expected = (logits / temperature).softmax(0).numpy()
        np.testing.assert_allclose(shares, expected, atol=5 * np.sqrt(0.25 / draws))
        # The reported probability is at temperature 1.
        own = logits.softmax(0).numpy()
        np.testing.assert_allclose(
            [line[0].probability for line in said[:9]],
            own[[line[0].token_id for line in said[:9]]],
            rtol=1e-4,
        )


def test_seeds_determine_lines(model: Transformer) -> None:
    first, again, other = (continue_prompts(model, [[3]], 20, [sampler(s)])[0] for s in (1, 1, 2))
    assert first == again
    assert ids_of(first) != ids_of(other)


def test_generation_leaves_the_model_unchanged(model: Transformer) -> None:
    before = [parameter.detach().clone() for parameter in model.parameters()]
    state = torch.get_rng_state()
    continue_prompts(model, [[1], [2]], 4, [None, sampler(0)], candidates=3)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    assert all(parameter.grad is None for parameter in model.parameters())


def test_equal_candidates_are_ordered_by_id() -> None:
    probabilities = np.array([0.1, 0.2, 0.2, 0.3, 0.2])
    assert most_probable(probabilities, 3) == ((3, 0.3), (1, 0.2), (2, 0.2))
    assert len(most_probable(probabilities, 99)) == 5
    assert most_probable(probabilities, 0) == ()


def test_rejects_empty_prompts_and_wrong_samplers(model: Transformer) -> None:
    with pytest.raises(ValueError, match="empty"):
        continue_prompts(model, [[1], []], 3, [None, None])
    with pytest.raises(ValueError, match="shorter"):
        continue_prompts(model, [[1], [2]], 3, [None])
    assert continue_prompts(model, [], 3, []) == []


def test_a_model_that_is_not_finite_raises() -> None:
    broken = Transformer(SHAPE, V, sparse=False)
    with torch.no_grad():
        broken.unembedding.weight[4, 0] = float("nan")
    with pytest.raises(FloatingPointError, match="no longer finite"):
        continue_prompts(broken, [[1]], 3, [None])
