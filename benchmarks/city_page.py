"""The page that draws the lamps beside Plotly's scattergl: its build, made-up frames and server.

A plain file server serves it: scattergl compiles code at run time, which Lamplighter's content security
policy forbids (so the product could not use it in any case).
"""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import build_frontend
import numpy as np
from numpy.typing import NDArray

from lamplighter.serving.http.assets import Assets
from lamplighter.wire.district_frames import Districts
from lamplighter.wire.frames import encode
from lamplighter.wire.layout_frames import Layout, Method

CLUSTERS = 40
_VIEW = 11.0
"""Half the width of the made-up map, in map units."""


def build_page(folder: Path) -> None:
    """Build the page into a folder, with plotly.js beside it."""
    frontend = build_frontend.ROOT / "frontend"
    build_frontend.install(frontend)
    config = str(frontend / "benchmark" / "vite.config.ts")
    build_frontend.node(
        frontend,
        build_frontend.VITE,
        "build",
        "--config",
        config,
        "--outDir",
        str(folder),
        "--logLevel",
        "warn",
    )
    script = Assets().plotly()
    assert script is not None
    (folder / "plotly.min.js").write_bytes(script.plain.read_bytes())


def made_up_city(tokens: int, seed: int = 7) -> tuple[NDArray[np.float32], NDArray[np.uint16]]:
    """Return clustered positions, shape (tokens, 2), and each token's cluster number, counted from 1."""
    random = np.random.default_rng(seed)
    centres = random.uniform(-0.8 * _VIEW, 0.8 * _VIEW, (CLUSTERS, 2))
    wide = random.uniform(0.25, 1.1, (CLUSTERS, 1))
    of = random.choice(CLUSTERS, tokens, p=random.dirichlet(np.full(CLUSTERS, 2.0)))
    places = centres[of] + random.standard_normal((tokens, 2)) * wide[of]
    return np.clip(places, -_VIEW, _VIEW).astype(np.float32), (of + 1).astype(np.uint16)


def made_up_words(tokens: int) -> list[str]:
    """Return distinct words of two to four syllables."""
    sounds = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]
    many = len(sounds)
    return ["".join(sounds[(i // many**k) % many] for k in range(2 + i % 3)) + str(i) for i in range(tokens)]


def write_frames(folder: Path, tokens: int, count: int) -> None:
    """Write a vocabulary, its districts and `count` layouts, each moved a little from the one before."""
    folder.mkdir()
    places, of = made_up_city(tokens)
    random = np.random.default_rng(11)
    for i in range(count):
        places = places + random.normal(0, 0.05, places.shape).astype(np.float32)
        layout = Layout(1, i, 0.0, Method.UMAP, places)
        (folder / f"{i}.bin").write_bytes(encode(layout))
    ids = np.arange(1, CLUSTERS + 1, dtype=np.uint32)
    names = tuple(f"district {i}" for i in ids)
    (folder / "districts.bin").write_bytes(encode(Districts(1, 0, 0.0, ids, names, of)))
    words = [
        {"token_id": i, "token": word, "count": 1 + 10**6 // (i + 2)}
        for i, word in enumerate(made_up_words(tokens))
    ]
    (folder / "tokens.json").write_text(json.dumps(words), encoding="utf-8")


@contextmanager
def serve_folder(folder: Path) -> Generator[str]:
    """Serve the folder over HTTP. Yields its URL."""
    handler = functools.partial(_Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Discard the message: the benchmark's output is JSON lines."""
