"""Loops in strange company: threads, profilers, warnings that are errors, modes of torch."""

from __future__ import annotations

import contextlib
import cProfile
import io
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import nn

from tests.unit.client.watching.guests.guest import Loop, a_guest, ends, guest, whole
from tests.unit.client.watching.guests.models import D, Tiny, V, batch, sgd


@contextmanager
def warnings_as_errors() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@contextmanager
def a_closed_terminal() -> Iterator[None]:
    closed = io.StringIO()
    closed.close()
    with contextlib.redirect_stdout(closed):
        yield


@contextmanager
def a_debugger() -> Iterator[None]:
    before = sys.gettrace()

    def trace(*_: Any) -> Any:
        return trace

    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


@contextmanager
def deterministic_algorithms() -> Iterator[None]:
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


@contextmanager
def a_default_device_and_precision() -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with torch.device("cpu"):
            yield
    finally:
        torch.set_default_dtype(before)


def inside(enter: Callable[[], AbstractContextManager[Any]]) -> Callable[[Loop], None]:
    """Watch and train in a context."""

    def body(loop: Loop) -> None:
        with enter():
            loop.model = Tiny()
            loop.optimizer = sgd(loop.model)
            loop.begin()
            loop.train()

    return body


CONTEXTS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "warnings as errors": warnings_as_errors,
    "a terminal that is gone": a_closed_terminal,
    "a debugger": a_debugger,
    "deterministic algorithms only": deterministic_algorithms,
    "a default device and precision": a_default_device_and_precision,
    "a profiler of Python": cProfile.Profile,
    "a profiler of torch": lambda: torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]),
}
for name, enter in CONTEXTS.items():
    guest(name, body=inside(enter), late=True)


@a_guest(ends("replaced", steps=2))
def warnings_as_errors_when_a_record_ends(loop: Loop) -> None:
    loop.train(2)
    loop.model.wte.weight = nn.Parameter(torch.randn(V, D))
    loop.optimizer = sgd(loop.model)
    with warnings_as_errors():
        loop.train(2)


@a_guest()
def training_in_a_thread(loop: Loop) -> None:
    thread = threading.Thread(target=loop.train)
    thread.start()
    thread.join()


@a_guest()
def evaluation_in_a_thread_meanwhile(loop: Loop) -> None:
    over, ids = threading.Event(), batch()

    def evaluate() -> None:
        with torch.no_grad():
            while not over.is_set():
                loop.model(ids)

    thread = threading.Thread(target=evaluate)
    thread.start()
    try:
        loop.train()
    finally:
        over.set()
        thread.join()


@a_guest(whole(3), whole(3), late=True)
def two_trainings_in_two_threads(loop: Loop) -> None:
    loops = [Loop(loop.visit, Tiny()) for _ in range(2)]
    batches = torch.randint(0, V, (2, 3, 2, 5))
    notes = loop.visit.notes
    for one in loops:
        one.optimizer = sgd(one.model)
        one.begin()

    def train(one: Loop, own: torch.Tensor) -> None:
        for ids in own:
            one.loss(ids).backward()
            one.end()

    threads = [threading.Thread(target=train, args=pair) for pair in zip(loops, batches, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    notes.sort(key=repr)
    for one in loops:
        loop.visit.note_model(one.model)


@a_guest()
def numbers_that_a_loop_logs(loop: Loop) -> None:
    for number in range(4):
        loss = loop.loss()
        loss.backward()
        loop.end()
        loop.watcher.log(loss=loss, accuracy=number / 4)
