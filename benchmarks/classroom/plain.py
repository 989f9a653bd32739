"""The plain way to show a run to many: a server that sends each viewer the same JSON in turn, each message deflated anew.

`python -m benchmarks.classroom.plain TOKENS BATCH FRAMES` prints its port, sends a frame as often as a class gets a beat, or as
often as it can, and prints how many it sent in all, and in how many seconds of processor time, once it has sent so many.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from typing import Any

import numpy as np
import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from lamplighter.serving.classroom.beats.beat_maker import BEAT_SECONDS


def frame(step: int, tokens: int, batch: int) -> dict[str, Any]:
    """Return what a page shows of a step: where every token lies, and the rows that the step lit."""
    random = np.random.default_rng(step)
    places = random.standard_normal((tokens, 2)).astype(np.float32)
    norms = random.random(batch).astype(np.float32)
    return {
        "step": step,
        "loss": 2.5,
        "places": places.tolist(),
        "touches": (step // 10 + np.arange(tokens) % 50).tolist(),
        "last_lit": (step - np.arange(tokens) % 97).tolist(),
        "lit": random.choice(tokens, batch, replace=False).tolist(),
        "norms": norms.tolist(),
    }


def serve(tokens: int, batch: int, frames: int) -> None:
    """Serve on a free port."""
    app = FastAPI()
    clients: list[WebSocket] = []
    ready = asyncio.Event()

    @app.websocket("/ws")
    async def join(websocket: WebSocket) -> None:
        await websocket.accept()
        clients.append(websocket)
        ready.set()
        try:
            while True:
                await websocket.receive_text()
        except WebSocketDisconnect:
            clients.remove(websocket)

    async def send(server: uvicorn.Server) -> None:
        # The parent says when everybody is there.
        await asyncio.to_thread(sys.stdin.readline)
        begun, sent = time.process_time(), 0
        for step in range(frames):
            due = time.monotonic() + BEAT_SECONDS
            data = frame(step, tokens, batch)
            for client in list(clients):
                await client.send_json(data)
                sent += 1
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        print(sent, time.process_time() - begun, flush=True)
        server.should_exit = True

    async def run() -> None:
        listening = socket.create_server(("127.0.0.1", 0), backlog=256)
        print(listening.getsockname()[1], flush=True)
        server = uvicorn.Server(
            uvicorn.Config(app, ws="websockets-sansio", ws_per_message_deflate=True, log_level="error")
        )
        sending = asyncio.create_task(send(server))
        await server.serve([listening])
        await sending

    asyncio.run(run())


if __name__ == "__main__":
    serve(*map(int, sys.argv[1:]))
