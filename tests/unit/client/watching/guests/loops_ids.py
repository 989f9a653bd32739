"""Loops whose ids are not what an embedding usually gets."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.unit.client.watching.guests.guest import Visit, guest, refused, whole
from tests.unit.client.watching.guests.models import D, Tiny, V, batch, cross_entropy, sgd, train


class Table(nn.Module):
    """An embedding that its user wrote."""

    def __init__(self, rows: int = V) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(rows, D))


class Masking(Table):
    def forward(self, ids: Tensor) -> Tensor:
        return functional.embedding(ids.clamp(min=0), self.weight) * (ids >= 0).unsqueeze(-1)


class Hashing(Table):
    def forward(self, ids: Tensor) -> Tensor:
        return functional.embedding(ids % len(self.weight), self.weight)


class OneHot(Table):
    def forward(self, ids: Tensor) -> Tensor:
        return ids @ self.weight


class Listing(Table):
    def forward(self, ids: list[list[int]]) -> Tensor:
        return functional.embedding(torch.tensor(ids), self.weight)


class Bytes(nn.Embedding):
    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.long())


def train_on(visit: Visit, model: Tiny, read: Any, *, embedding: Any = "wte", tokens: Any = None) -> None:
    """Train with the ids that `read` makes of a batch."""
    visit.begin(model, tokens, embedding=embedding)
    optimizer = sgd(model)
    for _ in range(4):
        ids = batch()
        loss = model(read(ids), ids)[1]
        visit.note(loss)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    visit.note_model(model)


@guest(whole(4))
def ids_of_minus_one(visit: Visit) -> None:
    train_on(visit, Tiny(table=Masking()), lambda ids: torch.where(ids < 3, -1, ids))


@guest(whole(4, says="ids beyond the 7 rows.*the rows that a step read are unknown"))
def hashed_ids(visit: Visit) -> None:
    train_on(visit, Tiny(table=Hashing(7)), lambda ids: ids)


@guest(whole(4, says="no plain tensor of whole numbers.*the rows that a step read are unknown"))
def one_hot(visit: Visit) -> None:
    train_on(visit, Tiny(table=OneHot()), lambda ids: functional.one_hot(ids, V).float())


@guest(refused("columns are the 24 tokens"))
def a_linear_layer_on_one_hot(visit: Visit) -> None:
    tokens = [f"token {number}" for number in range(V)]
    train_on(
        visit,
        Tiny(table=nn.Linear(V, D, bias=False)),
        lambda ids: functional.one_hot(ids, V).float(),
        tokens=tokens,
    )


@guest(whole(4, known=False))
def the_output_matrix(visit: Visit) -> None:
    model = Tiny()
    train_on(visit, model, lambda ids: ids, embedding=model.head)


@guest(whole(4))
def ids_in_lists(visit: Visit) -> None:
    train_on(visit, Tiny(table=Listing()), lambda ids: ids.tolist())


@guest(whole(4))
def bytes_as_ids(visit: Visit) -> None:
    train_on(visit, Tiny(table=Bytes(V, D)), lambda ids: ids.to(torch.uint8))


@guest(whole(4))
def ids_of_32_bits(visit: Visit) -> None:
    train_on(visit, Tiny(), lambda ids: ids.int())


@guest(whole(4))
def padding(visit: Visit) -> None:
    train_on(visit, Tiny(table=nn.Embedding(V, D, padding_idx=0)), lambda ids: torch.where(ids < 3, 0, ids))


@guest(whole(4))
def ids_by_keyword(visit: Visit) -> None:
    class ByKeyword(Tiny):
        def logits(self, ids: Tensor) -> Tensor:
            return self.head(self.mid(self.wte(input=ids)))

    model = ByKeyword()
    visit.begin(model)
    train(visit, model, sgd(model), 4)
    visit.note_model(model)


@guest(whole(3, says="no loss"))
def jagged_nested_tensors(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    optimizer = sgd(model)
    for _ in range(3):
        parts = [torch.randint(0, V, (length,)) for length in (3, 5)]
        ids = torch.nested.nested_tensor(parts, layout=torch.jagged)
        logits = model.head(model.mid(model.wte(ids))).values()
        loss = functional.cross_entropy(logits, torch.cat(parts))
        visit.note(loss)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    visit.note_model(model)


@guest(whole(3))
def ids_out_of_range_are_skipped(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    optimizer = sgd(model)
    for step in range(4):
        ids = batch()
        if step == 1:
            ids[0, 0] = V + 3
        try:
            loss = model(ids, ids)[1]
        except IndexError as error:
            visit.note(str(error))
            continue
        visit.note(loss)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    visit.note_model(model)


def some_batches_are_empty(visit: Visit, empty: int) -> None:
    model = Tiny()
    visit.begin(model)
    optimizer = sgd(model)
    for step in range(4):
        ids = batch(0 if step == empty else 2)
        loss = functional.cross_entropy(model.logits(ids).flatten(0, 1), ids.flatten(), reduction="sum")
        visit.note(loss)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    visit.note_model(model)


@guest(whole(4, says="no loss"))
def an_empty_batch(visit: Visit) -> None:
    some_batches_are_empty(visit, 2)


@guest(whole(4, says="no loss"))
def an_empty_batch_at_first(visit: Visit) -> None:
    some_batches_are_empty(visit, 0)


@guest(whole(4))
def bags_with_offsets(visit: Visit) -> None:
    class Bags(Tiny):
        def logits(self, ids: Tensor) -> Tensor:
            offsets = torch.tensor([0, 2, 5, 5])
            return self.head(self.wte(ids.flatten(), offsets))

        def forward(self, ids: Tensor, targets: Any = None) -> Any:
            logits = self.logits(ids)
            return logits, cross_entropy(logits, ids.flatten()[:4])

    model = Bags(table=nn.EmbeddingBag(V, D, mode="sum"))
    visit.begin(model)
    train(visit, model, sgd(model), 4)
    visit.note_model(model)


@guest(whole(3, says="no ids|the rows"))
def rows_by_index(visit: Visit) -> None:
    class ByIndex(Tiny):
        def logits(self, ids: Tensor) -> Tensor:
            return self.head(self.wte.weight[ids])

    model = ByIndex()
    visit.begin(model)
    train(visit, model, sgd(model), 3)
    visit.note_model(model)
