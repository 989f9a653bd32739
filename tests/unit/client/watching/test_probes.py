"""Probes of a watched training: hidden states as a run beside it, of which the training does not know."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import lamplighter
from lamplighter.client.watching.probe_readings import ProbePace, undisturbed

WORDS = ["the", "a", "dog", "cat", "bank", "river", "money", "sat", "ran", "by", "on", "of"]
SENTENCES = [
    ("the dog sat by the river bank", "bank", "river"),
    ("a cat ran by the river bank", "bank", "river"),
    ("the money of a bank", "bank", "money"),
    ("a bank of money", "bank", "money"),
    "the dog",
]
D = 8


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Linear(D, D)
        self.drop = nn.Dropout(0.3)

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        before = x.cumsum(1) / torch.arange(1, x.shape[1] + 1)[:, None]
        return x + self.drop(torch.tanh(self.mix(before))), None


class Model(nn.Module):
    """A causal model with dropout, a batch norm that counts, and a forward pass that draws random numbers in any mode."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.wte = nn.Embedding(len(WORDS), D)
        self.h = nn.ModuleList(Block() for _ in range(2))
        self.norm = nn.BatchNorm1d(D)
        self.head = nn.Linear(D, len(WORDS))
        self.register_buffer("calls", torch.zeros(1))

    def forward(self, ids: Tensor, targets: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        self.calls += 1
        x = self.wte(ids) + 0 * torch.rand(1) * random.random()
        for block in self.h:
            x, _ = block(x)
        logits = self.head(self.norm(x.transpose(1, 2)).transpose(1, 2))
        loss = (
            None if targets is None else nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
        )
        return logits, loss


def train(folder: Path, steps: int = 12, **options: Any) -> tuple[list[float], Mapping[str, Tensor]]:
    """Train a watched model. Return its losses and its state."""
    model = Model()
    watcher = lamplighter.watch(model, WORDS, folder / "mine", **options)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    torch.manual_seed(1)
    random.seed(1)
    losses: list[float] = []
    for _ in range(steps):
        ids = torch.randint(0, len(WORDS), (4, 6))
        _, loss = model(ids, ids.roll(-1, 1))
        assert loss is not None
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    losses.append(random.random())
    watcher.close()
    return losses, model.state_dict()


def assert_equal(
    one: tuple[list[float], Mapping[str, Tensor]], other: tuple[list[float], Mapping[str, Tensor]]
) -> None:
    assert one[0] == other[0]
    for name, tensor in one[1].items():
        assert torch.equal(tensor, other[1][name]), name


def test_the_training_is_the_same_bit_for_bit(tmp_path: Path) -> None:
    plain = train(tmp_path / "plain")
    probed = train(tmp_path / "probed", probes=SENTENCES, probe_every=1, on_error="raise")
    assert_equal(plain, probed)


def test_each_reading_holds_what_goes_through_the_blocks(tmp_path: Path) -> None:
    _, state = train(tmp_path, probes=SENTENCES, probe_every=5, on_error="raise")
    run = lamplighter.open(tmp_path / "mine-probes")
    assert [run.step_number(step) for step in range(run.status.step + 1)] == [0, 5, 10, 12]
    assert run.status.phase == "finished"
    assert run.tokens[1] == "ran by the river bank · 0"
    assert run.tokens[13] == "a bank of money · 2"
    assert list(run.vocabulary.families) == ["layer 0", "layer 1", "layer 2"]
    assert run.vocabulary.classes["bank: money · layer 1"] == (7, 8)
    model = Model()
    model.load_state_dict(state)
    expected: list[Tensor] = []
    with torch.no_grad():
        for entry in SENTENCES:
            words = (entry if isinstance(entry, str) else entry[0]).split()
            at = words.index("bank" if "bank" in words else "dog")
            x = model.wte(torch.tensor([[WORDS.index(word) for word in words]]))
            rows = [x[0, at]]
            for block in model.h:
                block.eval()
                x, _ = block(x)
                rows.append(x[0, at])
            expected.append(torch.stack(rows))
    np.testing.assert_allclose(
        run.snapshot(), torch.stack(expected, dim=1).flatten(0, 1).numpy(), rtol=1e-5, atol=1e-6
    )


def test_a_function_reads_embeddings_of_other_things(tmp_path: Path) -> None:
    images = torch.rand(6, D)

    def read(model: Any) -> Any:
        assert not model.training
        assert not torch.is_grad_enabled()
        return {"pixels": images, "head": model.head.weight[:6]}

    probes = lamplighter.Probes(read, [f"{n}.png" for n in range(6)], ["cat", "dog"] * 3)
    plain = train(tmp_path / "plain")
    assert_equal(plain, train(tmp_path / "probed", probes=probes, probe_every=6, on_error="raise"))
    run = lamplighter.open(tmp_path / "probed" / "mine-probes")
    assert run.tokens[0] == "0.png · pixels"
    assert run.vocabulary.classes["dog · head"] == (7, 9, 11)
    np.testing.assert_array_equal(run.snapshot(0)[:6], images.numpy())
    train(tmp_path / "one", probes=read_head, probe_every=6, on_error="raise")
    assert lamplighter.open(tmp_path / "one" / "mine-probes").tokens[:2] == ("0", "1")


def read_head(model: Any) -> Tensor:
    return model.head.weight


def gives(found: Any) -> Callable[[Any], Any]:
    def read(model: Any) -> Any:
        return found

    return read


def fails_late() -> Callable[[Any], Tensor]:
    calls: list[int] = []

    def read(model: Any) -> Tensor:
        calls.append(1)
        if len(calls) == 4:
            raise RuntimeError("no such file")
        return model.head.weight

    return read


@pytest.mark.parametrize(
    ("probes", "why"),
    [
        (fails_late(), "no such file"),
        (gives(torch.zeros(3)), "shape"),
        (gives({1: torch.zeros(3, 3)}), "mapping of layer"),
        (lamplighter.Probes(gives(torch.zeros(3, 3)), ["one"]), "1 names for 3 rows"),
        (gives(torch.zeros(20_001, 1)), "at most 20,000"),
    ],
)
def test_an_error_ends_the_probes_and_nothing_else(tmp_path: Path, probes: Any, why: str) -> None:
    with pytest.warns(lamplighter.RecordWarning, match=f"the probes are read no more.*{why}") as warned:
        found = train(tmp_path / "probed", probes=probes, probe_every=3)
    assert len([one for one in warned if "read no more" in str(one.message)]) == 1
    assert_equal(found, train(tmp_path / "plain"))
    assert lamplighter.open(tmp_path / "probed" / "mine").status.step == 12


@pytest.mark.parametrize(
    ("probes", "why"),
    [
        ("the dog", "list of sentences"),
        ([("the dog", "cat")], "has no word 'cat'"),
        ([("the dog", "dog", "x", "y")], "entry 0"),
        ([""], "has no word"),
        (["..."], "has no word"),
        ([5], "entry 0 must be a text"),
        (["the wolf"], "no token 'wolf'"),
        ([], "at least one sentence"),
        ([f"the {'a ' * 500}dog"], "too long"),
    ],
)
def test_sentences_that_cannot_be_read_are_refused(tmp_path: Path, probes: Any, why: str) -> None:
    with pytest.raises(lamplighter.InputError, match=why):
        lamplighter.watch(Model(), WORDS, tmp_path / "mine", probes=probes)
    assert not list(tmp_path.iterdir())


def test_a_model_without_blocks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(lamplighter.InputError, match="no list of equal blocks"):
        lamplighter.watch(nn.Sequential(nn.Embedding(12, D), nn.Linear(D, 12)), WORDS, probes=["the dog"])


def test_the_default_pace_keeps_to_its_share_and_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    pace = ProbePace(None, 1_000)
    pace.cost, read = 0.02, []
    for step in range(1_001, 21_001):
        now[0] += 0.1
        if pace.is_due(step):
            now[0] += 0.02
            pace.note_reading(step, 0.02)
            read.append(step - 1_000)
        assert pace.spent <= 0.01 * now[0]
    # Every two seconds at first, with one kept for the end, and then whenever the number has grown by a twentieth.
    assert read[:3] == [40, 60, 80]
    assert 60 < len(read) < 120
    assert all(late / early > 1.049 for early, late in itertools.pairwise(read))


def test_a_buffer_that_is_replaced_comes_back() -> None:
    model = Model()
    calls = model.calls
    with undisturbed(model):
        model.calls = torch.ones(1)
    assert model.calls is calls
    assert model.training
