"""Drawing cost of the map beside Plotly's, in a browser that draws in software; and the size of the scripts.

Both sides draw the same 20,000 positions, tints and lit batches in one page, frame by frame. The goals
compare the lamps with scattergl, which draws points alone; the whole map, with land and names on both sides,
is reported beside them. `benchmarks.city_time` measures scrubbing and the time to the first map. A plain file server
serves the page: scattergl compiles code at run time, which Lamplighter's content security policy forbids.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import build_frontend
import numpy as np
from numpy.typing import NDArray

from benchmarks.support.browser import chromium
from benchmarks.support.page_size import measure_page
from benchmarks.support.processes import hear, running
from benchmarks.support.report import report
from lamplighter.wire.district_frames import Districts
from lamplighter.wire.frames import encode
from lamplighter.wire.layout_frames import Layout, Method

TOKENS, LARGE = 20_000, 50_000
FRAMES, WARM_UP = 15, 3
"""Number of frames; the first few are not counted, because they compile code and allocate buffers."""
CLUSTERS = 40
_VIEW = 11.0
"""Half the width of the synthetic map, in map units."""
Costs = dict[str, list[dict[str, float]]]


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        _build_page(folder)
        _write_frames(folder / "frames", TOKENS, FRAMES)
        _write_frames(folder / "large", LARGE, FRAMES)
        costs, glide = _measured(folder, "frames", "compared")
        large, large_glide = _measured(folder, "large", "alone")
    _compared(costs, "main", "city_main_thread", "times less than Plotly's react")
    _compared(costs, "pixels", "city_pixels", "times sooner than Plotly's")
    report(
        "city_moving_frame",
        float(glide["uploaded"]),
        "bytes uploaded",
        frames=len(glide["frames"]),
        main_thread_ms=np.median(glide["frames"]),
    )
    # The time on a graphics card cannot be measured here.
    report(
        "city_large",
        _median(large, "main"),
        "ms of the main thread, land and names included, for a data frame: half of a sixtieth of a second",
        tokens=LARGE,
        moving_frame_ms=np.median(large_glide["frames"]),
        uploaded_moving=large_glide["uploaded"],
    )
    build_frontend.build()
    size = measure_page(build_frontend.ROOT / "static" / "app")
    first, whole = size.first / 1e3, size.whole / 1e3
    report("city_javascript_first", first, "kB gzipped")
    report("city_javascript", whole, "kB gzipped", first=first)


def _measured(folder: Path, frames: str, what: str) -> tuple[Any, dict[str, Any]]:
    """Run the page's function `what` on these frames, then a glide. Returns both results."""
    with _serve_folder(folder) as url, chromium() as browser:
        page = browser.new_page(color_scheme="dark", viewport={"width": 1280, "height": 1440})
        page.goto(url)
        page.evaluate("([folder, count]) => sides.begin(folder, count)", [frames, FRAMES])
        costs, glide = page.evaluate(f"sides.{what}()"), page.evaluate("sides.gliding()")
    return costs, glide


def _median(costs: list[dict[str, float]], what: str) -> float:
    """Return the median of one cost over the frames after warm-up, ms."""
    return float(np.median([cost[what] for cost in costs[WARM_UP:]]))


def _compared(costs: Costs, what: str, name: str, unit: str) -> None:
    """Report the lamps against scattergl, and the whole map against Plotly: medians over the frames, ms."""
    ms = {side: _median(each, what) for side, each in costs.items()}
    report(
        name,
        ms["scattergl"] / ms["lamps"],
        unit,
        lamps_ms=ms["lamps"],
        scattergl_ms=ms["scattergl"],
        lamps_painted_ms=_median(costs["lamps"], "pixels"),
        scattergl_painted_ms=_median(costs["scattergl"], "pixels"),
        whole_city=ms["plotly"] / ms["city"],
        city_ms=ms["city"],
        plotly_ms=ms["plotly"],
        tokens=TOKENS,
        frames=FRAMES - WARM_UP,
    )


def _build_page(folder: Path) -> None:
    """Build the page into a folder, with plotly.js beside it."""
    frontend = build_frontend.ROOT / "frontend"
    build_frontend.install(frontend)
    words = ("--config", str(frontend / "benchmark" / "vite.config.ts"), "--outDir", str(folder))
    build_frontend.node(frontend, build_frontend.VITE, "build", *words, "--logLevel", "warn")
    # The page's own has no scattergl.
    script = resources.files("plotly") / "package_data" / "plotly.min.js"
    (folder / "plotly.min.js").write_bytes(script.read_bytes())


def _made_up_city(tokens: int, seed: int = 7) -> tuple[NDArray[np.float32], NDArray[np.uint16]]:
    """Return clustered positions, shape (tokens, 2), and each token's cluster number, counted from 1."""
    random = np.random.default_rng(seed)
    centres = random.uniform(-0.8 * _VIEW, 0.8 * _VIEW, (CLUSTERS, 2))
    wide = random.uniform(0.25, 1.1, (CLUSTERS, 1))
    of = random.choice(CLUSTERS, tokens, p=random.dirichlet(np.full(CLUSTERS, 2.0)))
    places = centres[of] + random.standard_normal((tokens, 2)) * wide[of]
    return np.clip(places, -_VIEW, _VIEW).astype(np.float32), (of + 1).astype(np.uint16)


def _made_up_words(tokens: int) -> list[str]:
    """Return distinct words of two to four syllables."""
    sounds = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]
    many = len(sounds)
    return ["".join(sounds[(i // many**k) % many] for k in range(2 + i % 3)) + str(i) for i in range(tokens)]


def _write_frames(folder: Path, tokens: int, count: int) -> None:
    """Write a vocabulary, its districts and `count` layouts, each moved a little from the previous one."""
    folder.mkdir()
    places, of = _made_up_city(tokens)
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
        for i, word in enumerate(_made_up_words(tokens))
    ]
    (folder / "tokens.json").write_text(json.dumps(words), encoding="utf-8")


@contextmanager
def _serve_folder(folder: Path) -> Generator[str]:
    """Serve the folder over HTTP. Yields its URL."""
    words = ("--bind", "127.0.0.1", "--directory", folder, 0)
    with running("http.server", *words, stderr=subprocess.DEVNULL) as server:
        yield hear(server).partition("(")[2].partition(")")[0]
