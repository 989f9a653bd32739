"""Loops whose table is no usual `nn.Embedding`, or whose ids are not what one usually gets."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations, parametrize, prune
from torch.testing._internal.two_tensor import TwoTensor

from tests.unit.client.watching.guests.guest import Loop, a_guest, ends, guest, refused, whole
from tests.unit.client.watching.guests.models import Custom, D, Tiny, V, adamw, batch, cross_entropy, sgd

REPLACED = ends("replaced", steps=2)


def changed(change: Callable[[Tiny], Any]) -> Callable[[], Tiny]:
    """Make a model that is changed before it is watched."""

    def make() -> Tiny:
        change(model := Tiny())
        return model

    return make


def then(change: Callable[[Loop], Any]) -> Callable[[Loop], None]:
    """Train, change something, and train on."""

    def body(loop: Loop) -> None:
        loop.train(2)
        change(loop)
        loop.train(2)

    return body


def of(table: Callable[[], Any]) -> Callable[[], Tiny]:
    """Make a model with another table."""
    return lambda: Tiny(table=table())


@a_guest(REPLACED)
def a_table_that_grows(loop: Loop) -> None:
    loop.train(2)
    weight = loop.model.wte.weight
    loop.model.wte.weight = nn.Parameter(torch.cat([weight.data, torch.randn(6, D)]))
    loop.optimizer, loop.own = sgd(loop.model), None
    loop.call = lambda given, ids: cross_entropy(loop.model.logits(given), ids % V)
    loop.give = lambda ids: ids + 6 * (ids == V - 1)
    loop.train(3)


def put_a_module_in_place(loop: Loop) -> None:
    loop.model.wte = nn.Embedding(V + 6, D)
    loop.optimizer = sgd(loop.model)


def assign_the_state(loop: Loop) -> None:
    loop.model.load_state_dict(copy.deepcopy(loop.model.state_dict()), assign=True)
    loop.optimizer = sgd(loop.model)


class Squared(Custom):
    """A model whose loss has no targets."""

    def forward(self, ids: Tensor, targets: Any = None) -> Any:
        logits = self.logits(ids)
        return logits, logits.square().mean()


class Doubled(nn.Module):
    def forward(self, weight: Tensor) -> Tensor:
        return 2 * weight


guest("a module in place of the embedding", REPLACED, body=then(put_a_module_in_place))
guest("weights assigned from a state", REPLACED, body=then(assign_the_state))
guest(
    "parametrized after two steps",
    REPLACED,
    body=then(lambda loop: parametrize.register_parametrization(loop.model.wte, "weight", Doubled())),
)
guest("frozen after two steps", body=then(lambda loop: loop.model.wte.weight.requires_grad_(False)))


@a_guest(whole(4, exact=False))
def converted_after_it_was_watched(loop: Loop) -> None:
    loop.train(2)
    loop.model.bfloat16()
    loop.train(2)


@a_guest()
def rolled_back_to_a_state(loop: Loop) -> None:
    before = copy.deepcopy(loop.model.state_dict())
    loop.train(2)
    loop.model.load_state_dict(before)
    loop.train(2)


class Several:
    """Optimisers that step side by side."""

    def __init__(self, *optimizers: torch.optim.Optimizer) -> None:
        self.optimizers = optimizers
        self.param_groups = [group for one in optimizers for group in one.param_groups]

    def step(self) -> None:
        for one in self.optimizers:
            one.step()

    def zero_grad(self) -> None:
        for one in self.optimizers:
            one.zero_grad()


def sparse_and_dense(kind: Any) -> Callable[[Tiny], Several]:
    """Make an optimiser of the table, and one of the rest."""
    return lambda model: Several(
        kind([model.wte.weight], lr=0.01),
        torch.optim.AdamW([one for one in model.parameters() if one is not model.wte.weight]),
    )


for kind in (torch.optim.SparseAdam, torch.optim.SGD):
    guest(
        f"sparse gradients, {kind.__name__}",
        whole(kept=True),
        model=of(lambda: nn.Embedding(V, D, sparse=True)),
        optimizer=sparse_and_dense(kind),
    )


class Tagged(Tensor):
    """A tensor with a name of its own for its kind."""


def tag(model: Tiny) -> None:
    model.wte.weight = nn.Parameter(torch.randn(V, D).as_subclass(Tagged))
    assert isinstance(model.wte.weight, Tagged)


def transpose(model: Tiny) -> None:
    model.wte.weight = nn.Parameter(torch.randn(D, V).t())


guest(
    "a frozen table", refused("frozen"), model=changed(lambda model: model.wte.weight.requires_grad_(False))
)
guest(
    "weight norm",
    refused("parametrization"),
    model=changed(lambda model: parametrizations.weight_norm(model.wte)),
)
guest(
    "a pruned table",
    refused("computed from others"),
    model=changed(lambda model: prune.random_unstructured(model.wte, "weight", amount=0.3)),
)
guest("weights of a subclass", model=changed(tag))
guest("a transposed weight", model=changed(transpose))
guest("tied weights", model=lambda: Tiny(tied=True), optimizer=adamw)
for precision in (torch.bfloat16, torch.half, torch.double):
    guest(str(precision), model=lambda precision=precision: Tiny(tied=True).to(precision), optimizer=adamw)
guest("rows of bounded length", model=of(lambda: nn.Embedding(V, D, max_norm=0.5, scale_grad_by_freq=True)))
guest(
    "a padded table of many rows",
    model=lambda: Squared(lambda model, ids: model.mid(model.wte(ids)), table=nn.Embedding(50_304, D)),
    optimizer=lambda model: torch.optim.AdamW([*model.wte.parameters(), *model.mid.parameters()]),
    tokens=[f"token {number}" for number in range(50_257)],
)


@a_guest(refused("without being recorded.*numpy"), late=True)
def weights_that_wrap_two_others(loop: Loop) -> None:
    loop.model.wte.weight = nn.Parameter(TwoTensor(torch.randn(V, D), torch.randn(V, D)))
    loop.visit.begin(loop.model)
    optimizer = sgd(loop.model)
    for _ in range(3):
        loss = loop.model(batch(), batch())[1]
        loop.visit.note(loss.a.detach())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    loop.visit.note(loop.model.wte.weight.a.detach())
    loop.model = None


@a_guest()
def rows_normalised_after_the_step(loop: Loop) -> None:
    weight = loop.model.wte.weight
    for _ in range(4):
        loop.train(1)
        with torch.no_grad():
            weight.div_(weight.norm(dim=1, keepdim=True))


@a_guest()
def data_put_in_place_of_data(loop: Loop) -> None:
    for _ in range(4):
        loop.train(1)
        loop.model.wte.weight.data = loop.model.wte.weight.data * 0.5


def distributed(loop: Loop, train: Callable[[], None]) -> None:
    torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    try:
        train()
    finally:
        torch.distributed.destroy_process_group()


class Summed(Tiny):
    def forward(self, ids: Tensor, targets: Any = None) -> Any:
        return self.wte(ids).sum()


@a_guest(ends("replaced"), model=Summed)
def cut_into_parts_afterwards(loop: Loop) -> None:
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor.parallel import RowwiseParallel, parallelize_module

    def train() -> None:
        model: Any = parallelize_module(loop.model, init_device_mesh("cpu", (1,)), {"wte": RowwiseParallel()})
        optimizer = sgd(model)
        for _ in range(3):
            loss: Any = model(batch())
            loop.visit.note(getattr(loss, "to_local", lambda loss=loss: loss)())
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        loop.visit.note(model.wte.weight.full_tensor())
        loop.model = None

    distributed(loop, train)


@a_guest()
def in_ddp_of_one_process(loop: Loop) -> None:
    def train() -> None:
        whole = nn.parallel.DistributedDataParallel(loop.model)
        loop.call = lambda given, ids: whole(given, ids)[1]
        loop.train()

    distributed(loop, train)


@a_guest(late=True)
def in_data_parallel(loop: Loop) -> None:
    whole = nn.DataParallel(loop.model)
    loop.call = lambda given, ids: whole(given, ids)[1]
    loop.begin(whole, loop.model.wte.weight)
    loop.train()


class SkipGram(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.center, self.context = nn.Embedding(V, D, sparse=True), nn.Embedding(V, D, sparse=True)

    def forward(self, ids: Tensor, others: Tensor) -> tuple[None, Tensor]:
        return None, -functional.logsigmoid((self.center(ids) * self.context(others)).sum(-1)).mean()


class Translator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.src, self.tgt = nn.Embedding(V - 5, D), nn.Embedding(V, D)
        self.body = nn.Transformer(D, 2, 1, 1, 16, dropout=0.0, batch_first=True)

    def forward(self, src: Tensor, tgt: Tensor) -> tuple[None, Tensor]:
        logits = self.body(self.src(src), self.tgt(tgt)) @ self.tgt.weight.T
        return None, cross_entropy(logits, tgt.roll(-1, 1))


def train_both(loop: Loop, one: Any, other: Any, rows: int) -> None:
    """Train with two tables, of which the first has `rows` rows."""
    first, second = (
        loop.begin(weight=one.weight, embedding=one),
        loop.begin(weight=other.weight, embedding=other),
    )
    for _ in range(4):
        ids, others = torch.randint(0, rows, (1, 5)), batch(1)
        loss = loop.model(ids, others)[1]
        loop.visit.note(loss)
        loss.backward()
        for own, read in ((first, ids), (second, others)):
            own.note_pass(read, loss.item())
            own.note_gradient(loop.optimizer)
        loop.optimizer.step()
        loop.optimizer.zero_grad()
        first.note_step()
        second.note_step()


guest(
    "two tables and two watchers",
    whole(kept=True),
    whole(kept=True),
    model=SkipGram,
    optimizer=lambda model: torch.optim.SparseAdam(list(model.parameters()), lr=0.01),
    body=lambda loop: train_both(loop, loop.model.center, loop.model.context, V),
    late=True,
)
guest(
    "an encoder and a decoder",
    whole(),
    whole(),
    model=Translator,
    optimizer=adamw,
    body=lambda loop: train_both(loop, loop.model.src, loop.model.tgt, V - 5),
    late=True,
)


class Table(nn.Module):
    """An embedding that its user wrote."""

    def __init__(self, read: Callable[[Tensor, Any], Tensor], rows: int = V) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(rows, D))
        self.read = read

    def forward(self, ids: Any) -> Tensor:
        return self.read(self.weight, ids)


def mask(weight: Tensor, ids: Tensor) -> Tensor:
    return functional.embedding(ids.clamp(min=0), weight) * (ids >= 0).unsqueeze(-1)


class Bytes(nn.Embedding):
    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.long())


UNKNOWN = "the rows that a step read are unknown"
guest(
    "ids of minus one",
    model=of(lambda: Table(mask)),
    give=lambda ids: torch.where(ids < 3, -1, ids),
    count=lambda ids: ids[ids >= 3],
    embedding="wte",
)
guest(
    "hashed ids",
    whole(says=f"ids beyond the 7 rows.*{UNKNOWN}"),
    model=of(lambda: Table(lambda weight, ids: functional.embedding(ids % 7, weight), 7)),
    count=lambda ids: ids % 7,
    embedding="wte",
)
guest(
    "one-hot",
    whole(says=f"no plain tensor of whole numbers.*{UNKNOWN}"),
    model=of(lambda: Table(lambda weight, ids: ids @ weight)),
    embedding="wte",
    give=lambda ids: functional.one_hot(ids, V).float(),
)
guest(
    "a linear layer on one-hot",
    refused("columns are the 24 tokens"),
    model=of(lambda: nn.Linear(V, D, bias=False)),
    give=lambda ids: functional.one_hot(ids, V).float(),
    tokens=[f"token {number}" for number in range(V)],
    embedding="wte",
)
guest("the output matrix", weight=lambda model: model.head.weight, embedding="head", count=None)
guest(
    "ids in lists",
    model=of(lambda: Table(lambda weight, ids: functional.embedding(torch.tensor(ids), weight))),
    give=lambda ids: ids.tolist(),
    embedding="wte",
    count=lambda ids: ids,
)
guest("bytes as ids", model=of(lambda: Bytes(V, D)), give=lambda ids: ids.to(torch.uint8))
guest("ids of 32 bits", give=lambda ids: ids.int())
guest(
    "padding",
    model=of(lambda: nn.Embedding(V, D, padding_idx=0)),
    give=lambda ids: torch.where(ids < 3, 0, ids),
)
guest("ids by keyword", model=lambda: Custom(lambda model, ids: model.head(model.mid(model.wte(input=ids)))))


@a_guest(whole(3, says="no loss"))
def jagged_nested_tensors(loop: Loop) -> None:
    model = loop.model
    for _ in range(3):
        parts = [torch.randint(0, V, (length,)) for length in (3, 5)]
        ids = torch.nested.nested_tensor(parts, layout=torch.jagged)
        loss = functional.cross_entropy(model.head(model.mid(model.wte(ids))).values(), torch.cat(parts))
        loop.visit.note(loss)
        loss.backward()
        loop.end()


@a_guest(whole(3))
def ids_out_of_range_are_skipped(loop: Loop) -> None:
    for step in range(4):
        ids = batch()
        if step == 1:
            ids[0, 0] = V + 3
        try:
            loss = loop.loss(ids)
        except IndexError as error:
            loop.visit.note(str(error))
            continue
        loss.backward()
        loop.end()


def some_are_empty(empty: int) -> Callable[[Loop], None]:
    def body(loop: Loop) -> None:
        for step in range(4):
            ids = batch(0 if step == empty else 2)
            logits = loop.model.logits(ids).flatten(0, 1)
            loss = functional.cross_entropy(logits, ids.flatten(), reduction="sum")
            loop.visit.note(loss)
            loss.backward()
            loop.end()

    return body


guest("an empty batch", whole(says="no loss"), body=some_are_empty(2))
guest("an empty batch at first", whole(says="no loss"), body=some_are_empty(0))


def sgd_of_table(model: Any) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.wte.parameters(), lr=0.1)


def bags_by_offsets(model: Any, ids: Tensor) -> Tensor:
    return model.head(model.wte(ids.flatten(), torch.tensor([0, 2, 5, 5])))


def bags_with_weights(model: Any, ids: Tensor) -> Tensor:
    flat = ids.flatten()
    weights = torch.arange(len(flat)) / 10
    return model.head(model.wte(input=flat, offsets=torch.tensor([0, 3]), per_sample_weights=weights))


guest(
    "bags with offsets",
    model=lambda: Squared(bags_by_offsets, table=nn.EmbeddingBag(V, D, mode="sum")),
    optimizer=sgd_of_table,
)
guest(
    "bags, sparse, padded, weighted",
    model=lambda: Squared(
        bags_with_weights, table=nn.EmbeddingBag(V, D, mode="sum", sparse=True, padding_idx=0)
    ),
    optimizer=sgd_of_table,
)


class Looked(nn.Module):
    """A module that reads a parameter of its own by index, as TransformerLens has it."""

    def __init__(self) -> None:
        super().__init__()
        self.W_E = nn.Parameter(torch.randn(V, D))

    def forward(self, ids: Tensor) -> Tensor:
        return self.W_E[ids]


class WithParts(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.unembed = Looked(), nn.Linear(D, V)

    def forward(self, ids: Tensor, targets: Any) -> tuple[Tensor, Tensor]:
        logits = self.unembed(self.embed(ids))
        return logits, cross_entropy(logits, ids)


class Alone(Looked):
    """A model with the parameter in itself."""

    def forward(self, ids: Tensor, targets: Any = None) -> Any:
        return {"loss": self.W_E[ids].square().mean()}


for name, choose in {
    "name": lambda _: "embed",
    "whole name": lambda _: "embed.W_E",
    "module": lambda model: model.embed,
    "parameter": lambda model: model.embed.W_E,
}.items():

    def body(loop: Loop, choose: Callable[[WithParts], Any] = choose) -> None:
        loop.begin(weight=loop.model.embed.W_E, embedding=choose(loop.model))
        loop.train()

    guest(f"read by index, named by its {name}", model=WithParts, optimizer=adamw, body=body, late=True)
guest(
    "rows by index",
    whole(says="no ids|the rows"),
    model=lambda: Custom(lambda model, ids: model.head(model.wte.weight[ids])),
)


@a_guest(model=Alone, optimizer=adamw, weight=lambda model: model.W_E, embedding="W_E")
def a_parameter_of_the_model_itself(loop: Loop) -> None:
    loop.call = lambda given, _: loop.model(given)["loss"]
    loop.train()


@dataclass
class Found:
    """The output of a table that is more than a table."""

    vectors: Tensor
    mask: Tensor


class More(nn.Embedding):
    def forward(self, input: Tensor) -> Any:
        return Found(super().forward(input), input == 0)


def unpacked(model: Any, ids: Tensor) -> Tensor:
    found = model.wte(ids)
    return model.head(found.vectors.masked_fill(found.mask.unsqueeze(-1), 0))


class InTwo(Tiny):
    """A model with one weight in two tables."""

    def __init__(self) -> None:
        super().__init__()
        self.target = nn.Embedding(V, D)
        self.target.weight = self.wte.weight

    def forward(self, ids: Tensor, targets: Any = None) -> Any:
        logits = self.head(self.target(ids[:, :2]) + self.wte(ids[:, 2:4]))
        return logits, cross_entropy(logits, ids[:, :2])


class OwnHead(nn.Module):
    """An output layer of the model's own that shares the weight, called with hidden states."""

    def __init__(self, weight: nn.Parameter) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, hidden: Tensor) -> Tensor:
        return hidden @ self.weight.T


def share(model: Any) -> None:
    model.head = OwnHead(model.wte.weight)


guest("a table that returns more", model=lambda: Custom(unpacked, table=More(V, D)))
guest("one weight in two tables", model=InTwo, count=lambda ids: ids[:, :4])
guest("an output layer that shares the weight reads no rows", model=changed(share))
