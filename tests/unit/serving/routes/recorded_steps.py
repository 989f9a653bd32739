"""Answers about a run of some recorded steps, as numbers."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pyarrow
from fastapi import FastAPI

from lamplighter.runfolder.run_folder import RunFolder
from tests.support.asgi import HOST, Answer, call
from tests.support.folders import D

STEPS = 35
"""Steps of the run that the fixture `trainer` has trained."""


async def ask(app: FastAPI, run: RunFolder, path: str, status: int = 200, method: str = "GET") -> Answer:
    address = path if path.startswith("/") else f"/api/runs/{run.id}/{path}"
    answer = await call(app, method, address, {"host": HOST})
    assert answer.status == status, answer.body
    if status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
    return answer


def npy(answer: Answer) -> np.ndarray:
    return np.load(io.BytesIO(answer.body), allow_pickle=False)


def arrow(answer: Answer) -> Any:
    return pyarrow.ipc.open_stream(answer.body).read_all()


def vectors_of(table: Any) -> np.ndarray:
    return table["vector"].combine_chunks().flatten().to_numpy().reshape(-1, D)
