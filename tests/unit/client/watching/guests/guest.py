"""Loops as people write them: each is played as it is and with `watch` in it, and `watch` must make no difference.

Nothing here imports lamplighter before a loop is watched: what a loop saves is opened where there is none.
"""

from __future__ import annotations

import logging
import random
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tests.unit.client.watching.guests.models import Tiny, batch, sgd
from tests.unit.client.watching.guests.own_record import OwnRecord


@dataclass(frozen=True)
class Outcome:
    """The fate of one record."""

    steps: int
    says: str | None = None
    """A pattern for its one warning; None: there is none."""
    phase: str = "finished"
    """How it ends; "refused" where it does not begin, "gone" where it cannot be read."""
    exact: bool = False
    """True if it equals what the loop noted of its own steps."""
    kept: bool = False
    """True if it has the matrix of each step."""


def whole(
    steps: int = 4, *, says: str | None = None, exact: bool | None = None, kept: bool = False
) -> Outcome:
    """Expect a record of all steps of a loop.

    Args:
        steps: their number.
        says: a pattern for what it says is missing.
        exact: whether it equals the loop's notes; None: unless something is said.
        kept: whether it has the matrix of each step.
    """
    return Outcome(steps, says, exact=says is None if exact is None else exact, kept=kept)


def ends(says: str, *, steps: int = 0) -> Outcome:
    """Expect a record that ends before its loop does, and says why."""
    return Outcome(steps, says, "interrupted")


def stopped(steps: int) -> Outcome:
    """Expect a record of a loop that an exception ended."""
    return Outcome(steps, None, "interrupted")


def gone(says: str) -> Outcome:
    """Expect no record, since the loop itself deletes it."""
    return Outcome(0, says, "gone")


def refused(says: str) -> Outcome:
    """Expect `watch` to refuse a model, and to say why."""
    return Outcome(0, says, "refused")


class Loop:
    """A loop around a model, its optimiser, and its notes."""

    def __init__(self, visit: Visit, model: Any) -> None:
        self.visit, self.model = visit, model
        self.optimizer: Any = None
        self.watcher: Any = None
        self.own: OwnRecord | None = None
        self.call: Callable[[Any, Tensor], Tensor] = lambda given, ids: self.model(given, ids)[1]
        """Computes a loss of what the model is given, and of the ids."""
        self.give: Callable[[Tensor], Any] = lambda ids: ids
        """Makes what the model is given of the ids."""
        self.count: Callable[[Tensor], Tensor] | None = lambda ids: ids
        """Returns the ids that are read in truth; None: the rows that are read are not to be known."""

    def begin(self, model: Any = None, weight: Any = None, tokens: Any = None, **options: Any) -> OwnRecord:
        """Watch the loop's model or another one, and note what becomes of a weight."""
        model = self.model if model is None else model
        self.watcher = self.visit.begin(model, tokens, **options)
        own = OwnRecord(model.wte.weight if weight is None else weight)
        if self.count is None:
            own.read = None
        self.visit.owns.append(own)
        self.own = self.own or own
        return own

    def loss(self, ids: Tensor | None = None) -> Tensor:
        """Go forwards, with random ids or others."""
        ids = batch() if ids is None else ids
        loss = self.call(self.give(ids), ids)
        self.visit.note(loss)
        if self.own:
            self.own.note_pass(self.count(ids) if self.count else ids, loss.item())
        return loss

    def end(self, *, set_to_none: bool = True) -> None:
        """Take the optimiser's step, and empty the gradients."""
        if self.own:
            self.own.note_gradient(self.optimizer)
        self.optimizer.step()
        self.optimizer.zero_grad(**({} if set_to_none else {"set_to_none": False}))
        if self.own:
            self.own.note_step()

    def train(self, steps: int = 4) -> None:
        """Take steps."""
        for _ in range(steps):
            self.loss().backward()
            self.end()


@dataclass(frozen=True)
class Guest:
    """A loop, and what becomes of its records."""

    play: Callable[[Visit], None]
    outcomes: tuple[Outcome, ...]
    tour: bool
    saves: bool


GUESTS: dict[str, Guest] = {}
Body = Callable[[Loop], None]


def guest(
    name: str,
    *outcomes: Outcome,
    body: Body = Loop.train,
    model: Callable[[], Any] = Tiny,
    optimizer: Callable[[Any], Any] = sgd,
    weight: Callable[[Any], Any] = lambda model: model.wte.weight,
    call: Any = None,
    give: Any = None,
    count: Any = (),
    late: bool = False,
    tour: bool = False,
    saves: bool = False,
    **options: Any,
) -> None:
    """Add a loop to the table.

    Args:
        name: what is unusual about it.
        outcomes: one for each of its calls of `Loop.begin`.
        body: its steps.
        model: makes its model.
        optimizer: makes the optimiser of a model.
        weight: the matrix that is watched.
        call: see `Loop`, as the next two.
        give: likewise.
        count: likewise; what is given unless it is named.
        late: whether the body itself calls `Loop.begin`, or only `Visit.begin`.
        tour: whether it is too slow for `make test`.
        saves: whether it saves files.
        options: those of `watch`.
    """

    def play(visit: Visit) -> None:
        loop = Loop(visit, model())
        loop.call, loop.give = call or loop.call, give or loop.give
        loop.count = loop.give if count == () else count
        loop.optimizer = optimizer(loop.model)
        if not late:
            loop.begin(weight=weight(loop.model), **options)
        body(loop)
        if isinstance(loop.model, nn.Module):
            visit.note_model(loop.model)

    assert name not in GUESTS
    GUESTS[name] = Guest(play, outcomes or (whole(),), tour, saves)


def a_guest(*outcomes: Outcome, **options: Any) -> Callable[[Body], Body]:
    """Add a loop with a body of its own, which names it."""

    def add(body: Body) -> Body:
        guest(body.__name__.replace("_", " "), *outcomes, body=body, **options)
        return body

    return add


class Unwatched:
    """A stand-in for a watcher where nothing is watched."""

    next_step: int | None = None
    folder: Path | None = None

    def __enter__(self) -> Unwatched:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def log(self, **numbers: Any) -> None:
        """Do nothing."""

    def close(self, error: BaseException | None = None) -> None:
        """Do nothing."""


class Visit:
    """One run of a loop, and what it noted."""

    def __init__(self, folder: Path | None) -> None:
        """Begin a run.

        Args:
            folder: where its records are to be; None: nothing is watched.
        """
        self._folder = folder
        self.notes: list[Any] = []
        self.files: dict[str, bytes] = {}
        self.watchers: list[Any] = []
        self.owns: list[OwnRecord] = []
        """What the loop noted of each record's steps."""
        self.refusals: list[str] = []

    def begin(self, model: Any, tokenizer: Any = None, **options: Any) -> Any:
        """Stand where `lamplighter.watch` does. Returns the watcher."""
        if self._folder is None:
            return Unwatched()
        import lamplighter

        try:
            watcher = lamplighter.watch(
                model, tokenizer, self._folder / f"record-{len(self.watchers)}", **options
            )
        except lamplighter.InputError as error:
            self.refusals.append(str(error))
            watcher = Unwatched()
        self.watchers.append(watcher)
        return watcher

    def note(self, *values: Any) -> None:
        """Note numbers, tensors by their bits."""
        for value in values:
            self.notes.append(_bits(value) if isinstance(value, Tensor) else value)

    def note_model(self, model: nn.Module) -> None:
        """Note all parameters and buffers of a model, the gradients too."""
        for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
            gradient = None if tensor.grad is None else _bits(tensor.grad)
            self.notes.append((name, _bits(tensor), gradient))

    def save(self, name: str, data: bytes) -> None:
        """Keep what a loop wrote to a file."""
        self.files[name] = data


@dataclass
class Played:
    """One run of a loop, and its outcome."""

    visit: Visit
    ended: tuple[type[BaseException], str] | None = None
    """The exception that ended it."""
    said: list[tuple[str, str]] = field(default_factory=list)
    """The warnings about records, each with the file of the line that it names."""
    warned: set[str] = field(default_factory=set)
    """Other warnings."""
    hooks_left: int = 0
    randomness: Any = None
    """The states of the random generators at its end."""


def play(loop: Callable[[Visit], None], folder: Path | None = None) -> Played:
    """Play a loop.

    Args:
        loop: the loop.
        folder: where its records are to be; None: it is played as it is.
    """
    torch.manual_seed(0)
    random.seed(0)
    np.random.seed(0)
    played = Played(Visit(folder))
    hooks = count_global_hooks()
    with _listening(played):
        error: BaseException | None = None
        try:
            loop(played.visit)
        except (Exception, KeyboardInterrupt, SystemExit) as raised:  # noqa: BLE001 (compared with that of the other)
            error = raised
            played.ended = type(raised), str(raised)
        played.randomness = (_bits(torch.get_rng_state()), random.getstate(), str(np.random.get_state()))
        for watcher in played.visit.watchers:
            watcher.close(error)
    played.hooks_left = count_global_hooks() - hooks
    return played


@contextmanager
def _listening(played: Played) -> Iterator[None]:
    """Collect the warnings; those about a record are logged where warnings are errors."""

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            played.said.append((record.getMessage(), ""))

    log, listener = logging.getLogger("lamplighter"), Listener(logging.WARNING)
    log.addHandler(listener)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
    finally:
        log.removeHandler(listener)
    for one in caught:
        if one.category.__name__ == "RecordWarning":
            played.said.append((str(one.message), one.filename))
        else:
            played.warned.add(f"{one.category.__name__}: {one.message}")


def count_global_hooks() -> int:
    """Return how many hooks there are on all modules and all optimisers."""
    import torch.nn.modules.module as module
    import torch.optim.optimizer as optimizer

    return sum(
        len(hooks)
        for of in (module, optimizer)
        for name, hooks in vars(of).items()
        if name.startswith("_global_") and isinstance(hooks, dict)
    )


def _bits(tensor: Tensor) -> tuple[str, tuple[int, ...], bytes]:
    tensor = tensor.detach()
    if tensor.layout is not torch.strided:
        tensor = tensor.to_dense()
    data = tensor.contiguous().reshape(-1).view(torch.uint8) if tensor.numel() else torch.empty(0)
    return str(tensor.dtype), tuple(tensor.shape), data.numpy().tobytes()
