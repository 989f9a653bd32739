"""The plain way to show a run to many: the messages of a class as JSON, written once and sent to each viewer in turn.

It has the same content and rate as our beats and maps: the rows of the shown step and of the steps since the previous
    one, and once a second the position of every token with four digits. The server's library deflates each message for
    each viewer, its default.

`python -m benchmarks.classroom.plain TOKENS BATCH FRAMES` prints its port, sends FRAMES frames at the rate of beats, or
as fast as it can, and prints the number sent and the processor seconds.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from typing import Any

import numpy as np
import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from benchmarks.classroom.class_run import STEPS_PER_SECOND
from lamplighter.serving.classroom.beats.folder_beats import MAP_SECONDS
from lamplighter.serving.live.beat_picker import BEAT_SECONDS

_STEPS = round(BEAT_SECONDS * STEPS_PER_SECOND)
"""Steps from one beat to the next."""
_BEATS = round(MAP_SECONDS / BEAT_SECONDS)
"""Beats from one map to the next."""


class PlainRun:
    """The frames of a run like that of `class_run.py`."""

    def __init__(self, tokens: int, batch: int) -> None:
        self._tokens, self._batch = tokens, batch
        self._random = np.random.default_rng(0)
        self._places = self._random.standard_normal((tokens, 2))

    def frame(self, number: int) -> dict[str, Any]:
        """Return the content of a beat, by its number from 0."""
        step, random = (number + 1) * _STEPS, self._random
        *between, shown = [random.choice(self._tokens, self._batch, replace=False) for _ in range(_STEPS)]
        touches, last = np.zeros((2, self._tokens), np.int64)
        for ago, ids in zip(range(len(between), 0, -1), between, strict=True):
            touches[ids] += 1
            last[ids] = step - ago
        rows = np.flatnonzero(touches)
        frame = {
            "step": step,
            "first_step": step - len(between),
            "time": round(time.time(), 3),
            "loss": 2.5,
            "learning_rate": 0.003,
            "tokens_per_second": 1_000.0,
            "lit": shown.tolist(),
            "counts": random.integers(1, 9, self._batch).tolist(),
            "norms": _short(random.random(self._batch)),
            "between": {
                "ids": rows.tolist(),
                "touches": touches[rows].tolist(),
                "last_lit": last[rows].tolist(),
                "norms": _short(random.random(len(rows))),
            },
        }
        if number % _BEATS == 0:
            self._places += 0.004 * random.standard_normal(self._places.shape)
            frame["places"] = _short(self._places)
            frame["trust"] = random.integers(200, 256, self._tokens).tolist()
        return frame


def _short(numbers: np.ndarray[Any, Any]) -> list[Any]:
    return np.round(numbers, 4).tolist()


def serve(tokens: int, batch: int, frames: int) -> None:
    """Serve on a free port."""
    app = FastAPI()
    clients: list[WebSocket] = []
    run = PlainRun(tokens, batch)

    @app.websocket("/ws")
    async def join(websocket: WebSocket) -> None:
        await websocket.accept()
        clients.append(websocket)
        try:
            while True:
                await websocket.receive_text()
        except WebSocketDisconnect:
            clients.remove(websocket)

    async def send(server: uvicorn.Server) -> None:
        # The parent reports when all viewers are connected.
        await asyncio.to_thread(sys.stdin.readline)
        begun, sent = time.process_time(), 0
        for number in range(frames):
            due = time.monotonic() + BEAT_SECONDS
            data = json.dumps(run.frame(number), separators=(",", ":"))
            for client in list(clients):
                await client.send_text(data)
                sent += 1
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        print(sent, time.process_time() - begun, flush=True)
        server.should_exit = True

    async def serve_until_sent() -> None:
        listening = socket.create_server(("127.0.0.1", 0), backlog=256)
        print(listening.getsockname()[1], flush=True)
        server = uvicorn.Server(
            uvicorn.Config(app, ws="websockets-sansio", ws_per_message_deflate=True, log_level="error")
        )
        sending = asyncio.create_task(send(server))
        await server.serve([listening])
        await sending

    asyncio.run(serve_until_sent())


if __name__ == "__main__":
    serve(*map(int, sys.argv[1:]))
