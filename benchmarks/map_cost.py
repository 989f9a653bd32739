"""Cost of a frame of the living map by vocabulary size, and its chart.

`python -m benchmarks.map_cost docs/map-cost.svg` draws the chart. The figures are seconds of processor time
of one frame (neighbours, graph, optimiser, alignment, trust), on one thread, on made-up spaces of 64
dimensions, with 200 rows and with a twentieth of all rows moved since the frame before.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

SIZES = (2_000, 5_000, 10_000, 20_000, 50_000)
DIM, FEW, SHARE, FRAMES = 64, 200, 0.05, 5
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OPENBLAS", "OMP", "MKL", "NUMBA")}
Curve = list[float]


def main() -> bool:
    """Measure and print how the cost grows. Returns whether it grows nearly linearly."""
    return (
        subprocess.run([sys.executable, "-m", "benchmarks.map_cost"], env=os.environ | ONE_THREAD).returncode
        == 0
    )


def measure() -> tuple[Curve, Curve]:
    """Return the median seconds of a frame by size: with `FEW` rows moved, and with a share of them moved."""
    import numpy as np

    from benchmarks.map_space import made_up_clusters, move_rows
    from lamplighter.projection.methods.incremental_umap import IncrementalUmap
    from lamplighter.projection.quality.trust import TrustProbe

    few: Curve = []
    many: Curve = []
    for size in SIZES:
        rng = np.random.default_rng(0)
        vectors = made_up_clusters(rng, size, DIM)
        layout, probe = IncrementalUmap(), TrustProbe(size)
        layout.draw_frame(vectors)
        probe.set_space(vectors)
        for curve, moved in ((few, FEW), (many, int(SHARE * size))):
            took: list[float] = []
            for _ in range(FRAMES):
                move_rows(rng, vectors, moved)
                begun = time.process_time()
                places = layout.draw_frame(vectors)
                probe.set_space(vectors)
                probe.estimate(places)
                took.append(time.process_time() - begun)
            curve.append(float(np.median(took[1:])))
    return few, many


def draw(few: Curve, many: Curve) -> str:
    """Draw both curves as an SVG on logarithmic scales."""
    import math

    width, height, left, top = 640, 400, 70, 40
    low, high = 0.01, 10.0

    def x(size: float) -> float:
        return left + (width - left - 30) * math.log(size / SIZES[0]) / math.log(SIZES[-1] / SIZES[0])

    def y(seconds: float) -> float:
        return height - 50 - (height - 50 - top) * math.log(seconds / low) / math.log(high / low)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13">',
        "<title>Seconds of processor time a frame of the living map takes, by tokens</title>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for seconds in (0.01, 0.1, 1.0, 10.0):
        parts.append(f'<path d="M{left} {y(seconds):.1f}H{width - 30}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 8}" y="{y(seconds) + 4:.1f}" text-anchor="end">{seconds:g} s</text>')
    for size in SIZES:
        parts.append(f'<text x="{x(size):.1f}" y="{height - 28}" text-anchor="middle">{size:,}</text>')
    parts.append(f'<text x="{width / 2}" y="{height - 8}" text-anchor="middle">tokens</text>')
    line = " ".join(f"{x(size):.1f},{y(few[0] * size / SIZES[0]):.1f}" for size in (SIZES[0], SIZES[-1]))
    parts.append(f'<polyline points="{line}" fill="none" stroke="#999" stroke-dasharray="5 4"/>')
    names = (f"{FEW} rows moved", f"{SHARE:.0%} of the rows moved", "proportional to tokens")
    for curve, colour in ((few, "#1f5fa8"), (many, "#b4541a")):
        points = " ".join(f"{x(size):.1f},{y(cost):.1f}" for size, cost in zip(SIZES, curve, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{p.split(",")[0]}" cy="{p.split(",")[1]}" r="3.5" fill="{colour}"/>'
            for p in points.split()
        ]
    for n, (name, colour) in enumerate(zip(names, ("#1f5fa8", "#b4541a", "#777"), strict=True)):
        parts.append(f'<text x="{left + 14}" y="{top + 18 * n}" fill="{colour}">{name}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _report(few: Curve, many: Curve) -> bool:
    from benchmarks.report import report

    steepness = (few[-1] / few[1]) / (SIZES[-1] / SIZES[1])
    return report(
        "map_cost", steepness, "of ten times the cost, for ten times the tokens (5,000 to 50,000)",
        tokens=list(SIZES), seconds_200_rows=[round(s, 4) for s in few],
        seconds_twentieth=[round(s, 4) for s in many], dim=DIM, made_up=True,
    )  # fmt: skip


if __name__ == "__main__":
    if len(sys.argv) > 1 and not ONE_THREAD.items() <= os.environ.items():
        sys.exit(
            subprocess.run(
                [sys.executable, "-m", "benchmarks.map_cost", *sys.argv[1:]], env=os.environ | ONE_THREAD
            ).returncode
        )
    measured = measure()
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(draw(*measured))
    sys.exit(0 if _report(*measured) else 1)
