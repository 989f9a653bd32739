"""The table that is watched has a row for each token: never that of the positions, however many rows it has."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import lamplighter
from tests.unit.client.watching.guests.own_record import OwnRecord
from tests.unit.client.watching.small_model import D


class CharModel(nn.Module):
    """A model of characters as nanoGPT has it: tied, with positions up to the block size."""

    def __init__(self, rows: int = 65, block: int = 256, *, tied: bool = True) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.wte, self.wpe = nn.Embedding(rows, D), nn.Embedding(block, D)
        self.head = nn.Linear(D, rows, bias=False)
        if tied:
            self.head.weight = self.wte.weight

    def forward(self, ids: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        logits = self.head(self.wte(ids) + self.wpe(torch.arange(ids.shape[1])))
        return logits, functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


def train(model: CharModel, own: OwnRecord | None = None) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(3):
        for _ in range(2):
            ids = torch.randint(0, 65, (4, 16))
            loss = model(ids, ids)[1]
            (loss / 2).backward()
            if own is not None:
                own.note_pass(ids, loss.item())
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        if own is not None:
            own.note_gradient(optimizer)
        optimizer.step()
        optimizer.zero_grad()
        if own is not None:
            own.note_step()


TOKENS = [chr(48 + number) for number in range(65)]


@pytest.mark.parametrize(
    ("rows", "tied", "tokens"),
    [(65, True, TOKENS), (65, False, TOKENS), (128, True, TOKENS), (128, False, TOKENS), (65, True, None)],
)
def test_the_rows_fit_the_tokens_or_the_output_layer(watched: Any, rows: int, tied: bool, tokens: Any):
    model = CharModel(rows, tied=tied)
    own = OwnRecord(model.wte.weight)
    with watched(model, tokens=tokens) as watcher:
        train(model, own)
    own.assert_equals(watcher.folder)


def test_a_table_that_is_read_in_order_is_one_of_positions(watched: Any):
    model = CharModel(tied=False)
    watcher = watched(model, tokens=None)
    with pytest.raises(lamplighter.InputError, match=r"wpe.*positions.*wte \(65 x 8\)"):
        train(model)
    assert watcher.closed
    assert lamplighter.open(watcher.folder).status.step == 0


def test_where_no_table_fits_the_candidates_are_named(watched: Any):
    with pytest.raises(lamplighter.InputError, match=r"65 tokens.*wte \(40 x 8\), wpe \(256 x 8\)"):
        watched(CharModel(40), tokens=TOKENS)


def test_two_tables_that_fit_are_not_guessed_between(watched: Any):
    with pytest.raises(lamplighter.InputError, match=r"name one.*wte \(65 x 8\), wpe \(65 x 8\)"):
        watched(CharModel(block=65, tied=False), tokens=TOKENS)
