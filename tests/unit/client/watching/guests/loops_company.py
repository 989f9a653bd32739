"""Loops in strange company: threads, profilers, warnings that are errors, modes of torch."""

from __future__ import annotations

import contextlib
import cProfile
import io
import sys
import threading
import warnings
from typing import Any

import torch
from torch import Tensor, nn

from tests.unit.client.watching.guests.guest import Visit, ends, guest, whole
from tests.unit.client.watching.guests.models import D, Tiny, V, batch, sgd, train


@guest(whole(4))
def training_in_a_thread(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    thread = threading.Thread(target=train, args=(visit, model, sgd(model), 4))
    thread.start()
    thread.join()
    visit.note_model(model)


@guest(whole(4))
def evaluation_in_a_thread_meanwhile(visit: Visit) -> None:
    model = Tiny()
    ids = batch()
    visit.begin(model)
    over = threading.Event()

    def evaluate() -> None:
        with torch.no_grad():
            while not over.is_set():
                model(ids)

    thread = threading.Thread(target=evaluate)
    thread.start()
    try:
        train(visit, model, sgd(model), 4)
    finally:
        over.set()
        thread.join()
    visit.note_model(model)


@guest(whole(3), whole(3))
def two_trainings_in_two_threads(visit: Visit) -> None:
    models = [Tiny(), Tiny()]
    batches = torch.randint(0, V, (2, 3, 2, 5))
    for model in models:
        visit.begin(model)

    def loop(model: Tiny, own: Tensor) -> None:
        optimizer = sgd(model)
        for ids in own:
            model(ids, ids)[1].backward()
            optimizer.step()
            optimizer.zero_grad()

    threads = [
        threading.Thread(target=loop, args=(model, own)) for model, own in zip(models, batches, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for model in models:
        visit.note_model(model)


@guest(whole(4))
def warnings_as_errors(visit: Visit) -> None:
    model = Tiny()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        visit.begin(model)
        train(visit, model, sgd(model), 4)
    visit.note_model(model)


@guest(ends("replaced", steps=2))
def warnings_as_errors_when_a_record_ends(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    train(visit, model, sgd(model), 2)
    model.wte.weight = nn.Parameter(torch.randn(V, D))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(visit, model, sgd(model), 2)
    visit.note_model(model)


@guest(whole(4))
def a_terminal_that_is_gone(visit: Visit) -> None:
    closed = io.StringIO()
    closed.close()
    model = Tiny()
    with contextlib.redirect_stdout(closed):
        visit.begin(model)
        train(visit, model, sgd(model), 4)
    visit.note_model(model)


@guest(whole(4))
def a_profiler_of_python(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    with cProfile.Profile():
        train(visit, model, sgd(model), 4)
    visit.note_model(model)


@guest(whole(4))
def a_debugger(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    before = sys.gettrace()

    def trace(*_: Any) -> Any:
        return trace

    sys.settrace(trace)
    try:
        train(visit, model, sgd(model), 4)
    finally:
        sys.settrace(before)
    visit.note_model(model)


@guest(whole(4))
def a_profiler_of_torch(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]):
        train(visit, model, sgd(model), 4)
    visit.note_model(model)


@guest(whole(4))
def under_a_default_device_and_precision(visit: Visit) -> None:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with torch.device("cpu"):
            model = Tiny()
            visit.begin(model)
            train(visit, model, sgd(model), 4)
    finally:
        torch.set_default_dtype(before)
    visit.note_model(model)


@guest(whole(4))
def deterministic_algorithms_only(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    torch.use_deterministic_algorithms(True)
    try:
        train(visit, model, sgd(model), 4)
    finally:
        torch.use_deterministic_algorithms(False)
    visit.note_model(model)


@guest(whole(4))
def numbers_that_a_loop_logs(visit: Visit) -> None:
    model = Tiny()
    watcher = visit.begin(model)
    optimizer = sgd(model)
    for number in range(4):
        ids = batch()
        loss = model(ids, ids)[1]
        visit.note(loss)
        loss.backward()
        optimizer.step()
        watcher.log(loss=loss, accuracy=number / 4)
        optimizer.zero_grad()
    visit.note_model(model)
