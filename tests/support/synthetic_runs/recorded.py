"""Runs written directly for the tests of exports: no trainer, arbitrary tokens."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lamplighter.contract.recipe import Recipe
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.layouts import LayoutsWriter
from lamplighter.runfolder.tables.measures import MeasuresWriter
from lamplighter.runfolder.tables.requests import Request
from lamplighter.runfolder.tables.steps import StepRecord, StepsWriter
from lamplighter.wire.district_frames import Districts
from lamplighter.wire.frames import encode
from lamplighter.wire.layout_frames import Layout, Method
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import NEVER, Census, Rows
from lamplighter.wire.vocabulary import Relation, Vocabulary
from tests.support.runs import batch_counts

HOSTILE = (
    "the",
    "tab\there",
    "line\nbreak\r\n",
    "\u202egnirts",
    "</script><img src=x onerror=alert(1)>",
    "nul\x00\x1b[31m",
    "",
    "\u2028separator\u2029",
    '"quoted", =1+1',
    "naïve ☃ 🏮",
)
DIM = 4


def record(
    runs: Path,
    tokens: tuple[str, ...] = HOSTILE,
    *,
    steps: int = 30,
    phase: str = "finished",
    classes: bool = True,
    layouts: bool = True,
    held_out: bool = False,
) -> RunFolder:
    """Write a run of `steps` steps; step n lights the rows n % V and (n + 1) % V, each by n / 10.

    With `held_out`, it has held-out text with its losses, and a family of classes.
    """
    size = len(tokens)
    recipe = Recipe.model_validate(
        {
            "corpus": {"kind": "text", "name": "../../etc/passwd", "vocabulary_size": 400},
            "model": {"dim": DIM, "heads": 2, "layers": 1, "context": 8},
            "cadence": {"keyframe_every": 10},
            "steps": steps,
        }
    )
    run = RunStore(runs).create(recipe, "the text")
    counts = np.arange(size, 0, -1, dtype=np.int64)
    planted = {"odd": tuple(range(1, size, 2)), "even": tuple(range(0, size - 2, 2))} if classes else {}
    relations = (Relation("next", ((0, 1),)),) if classes else ()
    families = {"numbers": ("odd", "even")} if held_out else {}
    run.write_corpus(
        np.arange(size, dtype=np.uint32),
        Vocabulary(tokens, counts, planted, relations, families),
        '{"kind": "words"}',
        np.arange(size - 1, -1, -1, dtype=np.uint32) if held_out else None,
    )
    vectors = np.random.default_rng(0).normal(size=(size, DIM)).astype(np.float32)
    touched, last = np.zeros(size, np.uint32), np.full(size, NEVER, np.uint32)
    with StepsWriter(run.steps_path) as writer:
        writer.start_attempt(0)
        writer.add_keyframe(0, _matrix(0, vectors), encode(Census(1, 0, 1e9, touched, last)))
        for step in range(1, steps + 1):
            ids = np.unique([step % size, (step + 1) % size]).astype(np.uint32)
            vectors[ids] += np.float32(0.1)
            touched[ids] += 1
            last[ids] = step
            size_of = np.full(len(ids), step / 10, np.float32)
            pulse = Pulse(
                attempt=1, step=step, time=1e9 + step, vocabulary=size, loss=5 - step / 10, learning_rate=0.01,
                tokens_per_second=1e3, step_seconds=0.01, observe_seconds=0.001,
                batch_ids=ids, batch_counts=batch_counts(len(ids), recipe.batch_tokens), gradient_ids=ids, gradient_norms=size_of,
                moved_ids=ids, moved_distances=size_of, layer_norms=np.ones(3, np.float32),
            )  # fmt: skip
            key = step % 10 == 0
            writer.commit(
                StepRecord(
                    step,
                    encode(pulse),
                    b"digest",
                    encode(Rows(1, step, 1e9 + step, size, ids, vectors[ids])),
                    _matrix(step, vectors) if key else None,
                    encode(Census(1, step, 1e9 + step, touched, last)) if key else None,
                    5.5 - step / 10 if key and held_out else None,
                )
            )
        writer.set_facts({"layers": ["embedding", "block", "unembedding"], "parameters": 9, "steps": steps})
        writer.add_event(steps, phase, "", {"phase": phase, "message": "so it ended", "changed": 1e9})
        writer.add_applied(Request("cli", 1, 1e9, "pause", {}), 1, 5)
        writer.close(sealed=True)
    if layouts:
        with LayoutsWriter(run.layouts_path) as maps:
            for step in range(0, steps + 1, 10):
                places = np.random.default_rng(step).normal(size=(size, 2)).astype(np.float32)
                maps.commit(Layout(1, step, 1e9 + step, Method.UMAP, places, trust=0.9))
            of = np.arange(size, dtype=np.uint16) % 3
            found = Districts(1, steps, 1e9, np.array([2, 5], np.uint32), ("odd", "a · <b>"), of)
            maps.commit_districts(found, [("district-born", "A neighbourhood came together: odd, 4 words.")])
            maps.set_facts({"next_district": 6})
            maps.close(sealed=True)
        with MeasuresWriter(run.measures_path) as measures:
            measures.commit(1, 0, {"purity": 0.1})
            measures.commit(1, steps, {"purity": 0.9, "=rank": 3.0})
            measures.close(sealed=True)
    return run


def _matrix(step: int, vectors: np.ndarray) -> bytes:
    return encode(Rows.of_matrix(1, step, 1e9 + step, vectors))
