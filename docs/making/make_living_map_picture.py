"""The picture in the README of living-map: `python docs/making/make_living_map_picture.py`."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from living_map import LivingMap

OUT = Path(__file__).parents[2] / "backend/living-map/picture.svg"
SIZE, DIM, KINDS, FRAMES = 600, 16, 12, 4
BETWEEN = 12
"""Updates from one shown frame to the next."""
WANDERERS = SIZE // 20
SIDE, GAP, TOP = 200, 8, 24
DARK, CALM, LIT, TEXT = "#0d1220", "#6d83b8", "#ffc457", "#c8d0e4"


def frames() -> list[NDArray[np.float32]]:
    """Return matrices between which a few rows wander from their cluster to another."""
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(KINDS, DIM))
    kind = np.arange(SIZE) % KINDS
    noise = 0.35 * rng.normal(size=(SIZE, DIM))
    found: list[NDArray[np.float32]] = []
    for share in np.linspace(0, 1, (FRAMES - 1) * BETWEEN + 1):
        places = centres[kind].copy()
        there = centres[(kind[:WANDERERS] + 5) % KINDS]
        places[:WANDERERS] = (1 - share) * places[:WANDERERS] + share * there
        found.append((places + noise).astype(np.float32))
    return found


def refitted(matrices: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """Return a cold fit of each matrix."""
    import umap

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = umap.UMAP(n_neighbors=20, min_dist=1.0, spread=1.5, metric="cosine")
        return [np.asarray(model.fit_transform(vectors), dtype=np.float32) for vectors in matrices]


def living(matrices: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """Return the frames of one map; the first and the last have settled."""
    model = LivingMap(n_neighbors=20)
    found: list[NDArray[np.float32]] = []
    for number, vectors in enumerate(matrices):
        model.update(vectors)
        while number in (0, len(matrices) - 1) and not model.settled_:
            model.update(vectors)
        found.append(model.embedding_)
    return found[::BETWEEN]


def panel(places: NDArray[np.float32], left: int, top: int) -> str:
    """Return the dots of one map, in a square."""
    middle = (places.min(axis=0) + places.max(axis=0)) / 2
    scale = (SIDE - 16) / float(np.ptp(places, axis=0).max())
    shown = (places - middle) * scale + SIDE / 2 + np.array([left, top])
    drawn = [f'<rect x="{left}" y="{top}" width="{SIDE}" height="{SIDE}" rx="6" fill="{DARK}"/>']
    for some, colour, width in ((slice(WANDERERS, None), CALM, 2.4), (slice(WANDERERS), LIT, 4)):
        path = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in shown[some])
        drawn.append(f'<path d="{path}" stroke="{colour}" stroke-width="{width}" stroke-linecap="round"/>')
    return "".join(drawn)


def main() -> None:
    """Write the picture."""
    matrices = frames()
    width, height = FRAMES * (SIDE + GAP) - GAP, 2 * (TOP + SIDE) + GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f'<rect width="{width}" height="{height}" fill="#161c2c"/>',
    ]
    for row, (title, maps) in enumerate(
        (
            ("refitted: umap.UMAP().fit", refitted(matrices[::BETWEEN])),
            ("living-map: LivingMap.update", living(matrices)),
        )
    ):
        top = row * (TOP + SIDE + GAP)
        parts.append(
            f'<text x="8" y="{top + 17}" font-family="sans-serif" font-size="13" fill="{TEXT}">{title}</text>'
        )
        parts += [panel(places, n * (SIDE + GAP), top + TOP) for n, places in enumerate(maps)]
    OUT.write_text("\n".join([*parts, "</svg>\n"]), encoding="utf-8")


if __name__ == "__main__":
    main()
