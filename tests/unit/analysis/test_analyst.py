"""The analyst of a run's measures: what it measures, and what it writes."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lamplighter.analysis import analyst
from lamplighter.analysis.analyst import Analyst
from lamplighter.analysis.measures import measure
from lamplighter.geometry.neighbours import nearest_cosine_by_chance
from lamplighter.processes import follow_loop
from lamplighter.runfolder.role_lock import RoleLock
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.measures import MeasuresReader
from lamplighter.wire.vocabulary import Relation, Vocabulary
from tests.support.synthetic_runs.growing_run import GrowingRun
from tests.support.waiting import wait_until


def measured(folder: RunFolder) -> dict[int, dict[str, float]]:
    try:
        with MeasuresReader(folder.measures_path) as reader:
            return reader.by_step()
    except FileNotFoundError:
        return {}


def test_measures_new_keyframes_and_the_end(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path, size=48)
    process = subprocess.Popen([sys.executable, "-m", "lamplighter.analysis.worker", str(run.folder.path)])
    with RoleLock(run.folder.path, "trainer"):
        wait_until(lambda: measured(run.folder))
        run.grow(124, pause=0.01)
    assert run.end()
    assert process.wait(30) == 0
    found = measured(run.folder)
    assert min(found) == 0
    assert max(found) == 124
    assert all(step % 10 == 0 for step in found if step != 124)
    assert found[124]["purity_10nn"] > found[0]["purity_10nn"]
    assert found[124]["coverage"] == 1
    assert not list(run.folder.path.glob("*.sqlite-wal"))


def test_a_finished_run_is_measured_once(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path, size=48)
    run.grow(15)
    run.end()
    sizes: set[tuple[int, int]] = set()
    for _ in range(2):
        Analyst(run.folder).run()
        with MeasuresReader(run.folder.measures_path) as reader:
            assert reader.newest() == (1, 15)
            assert list(reader.by_step()) == [0, 10, 15]
            sizes.add(reader.size())
    assert len(sizes) == 1


def test_a_new_attempt_is_measured_again(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path, size=48)
    run.grow(15)
    run.end()
    Analyst(run.folder).run()
    with analyst.StepsReader(run.folder.steps_path) as reader:
        assert reader.newest_step() == (1, 15)
    again = analyst.RunFolder(run.folder.path)
    run.writer = type(run.writer)(again.steps_path)
    run.resume_from(12)
    run.grow(3)
    run.end()
    Analyst(again).run()
    with MeasuresReader(again.measures_path) as reader:
        assert reader.newest() == (2, 15)


def test_keeps_the_losses_of_skipped_keyframes(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path, size=48)
    run.held_out_loss = lambda step: 5 - step / 100
    run.grow(35)
    run.end()
    Analyst(run.folder).run()
    found = measured(run.folder)
    assert list(found) == [0, 10, 20, 30, 35]
    assert (found[20]["loss_held_out"], found[20]["loss_read"]) == (4.8, 1.0)
    assert "purity_10nn" in found[35]
    assert "loss_held_out" not in found[35], "35 has no keyframe"


def test_a_new_attempt_has_separate_losses(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path, size=48)
    run.held_out_loss = lambda step: 5 - step / 100
    run.grow(30)
    run.end()
    Analyst(run.folder).run()
    run.writer = type(run.writer)(run.folder.steps_path)
    run.held_out_loss = lambda step: 3.0
    run.resume_from(12)
    run.grow(28)
    run.end()
    Analyst(run.folder).run()
    found = measured(run.folder)
    assert {step: found[step]["loss_held_out"] for step in (10, 20, 30, 40)} == {10: 4.9, 20: 3, 30: 3, 40: 3}


def test_stops_without_a_trainer_or_on_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = GrowingRun(tmp_path, size=12)
    monkeypatch.setattr(follow_loop, "PATIENCE", 0.3)
    Analyst(run.folder).run()
    assert measured(run.folder)
    monkeypatch.setattr(follow_loop, "PATIENCE", 60)
    told = Analyst(run.folder)
    thread = threading.Thread(target=told.run)
    thread.start()
    told.stop()
    thread.join(10)
    assert not thread.is_alive()
    run.writer.close()


def test_a_resting_analyst_does_not_prevent_sealing(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path, size=48)
    run.grow(12)
    # A share so small that the analyst sleeps during the whole test.
    resting = Analyst(run.folder, share=1e-5)
    thread = threading.Thread(target=resting.run)
    thread.start()
    wait_until(lambda: measured(run.folder))
    assert run.end()
    resting.stop()
    thread.join(10)
    assert not thread.is_alive()


OF_ANY_MATRIX = {
    "coverage",
    "never_lit",
    "nearest_cosine",
    "nearest_cosine_chance",
    "anisotropy",
    "anisotropy_chance",
}
"""Measures of a matrix with recorded batches, finite or not."""


def vocabulary(*, planted: bool) -> Vocabulary:
    return Vocabulary(
        tuple(f"word{i}" for i in range(40)),
        np.arange(40, 0, -1),
        {"left": tuple(range(20)), "right": tuple(range(20, 40))} if planted else {},
        (Relation("mirror", tuple((i, 20 + i) for i in range(20))),) if planted else (),
    )


def named(words: dict[int, str]) -> tuple[str, ...]:
    return tuple(words.get(i, f"word{i}") for i in range(40))


def mirrored_town() -> np.ndarray:
    left = np.random.default_rng(0).normal(size=(20, 30))
    return np.concatenate((left, left + 9)).astype(np.float32)


def test_a_planted_town_has_every_measure() -> None:
    touches = np.zeros(40, dtype=np.uint32)
    touches[:10] = 3
    values = measure(mirrored_town(), vocabulary(planted=True), touches)
    assert values["purity_10nn"] > 0.75
    assert values["purity_chance"] == pytest.approx(19 / 39)
    assert values["analogy mirror"] > 0.9
    assert values["analogy_chance"] == pytest.approx(1 / 37)
    assert 1 < values["effective_rank"] < values["effective_rank_chance"] < 30
    assert values["length_log_count_spearman"] < -0.5
    assert (values["coverage"], values["never_lit"]) == (0.25, 30)
    assert values["neighbour_information_most"] == 1
    assert values["neighbour_information_chance"] < values["neighbour_information"] < 1
    assert values["consistency mirror"] > 0.999 > values["consistency_chance mirror"] > 0.9
    assert values["nearest_cosine"] > values["nearest_cosine_chance"] == nearest_cosine_by_chance(40, 30)


def test_ranks_kindred_words_that_the_text_has() -> None:
    vectors = mirrored_town()
    vectors[7] = vectors[3]
    values = measure(
        vectors, replace(vocabulary(planted=False), tokens=named({3: "dog", 7: "cat", 9: "joy"})), None
    )
    assert {name: value for name, value in values.items() if name.startswith("rank")} == {"rank dog/cat": 1}
    vectors[7] = -vectors[3]
    values = measure(vectors, replace(vocabulary(planted=False), tokens=named({3: "dog", 7: "cat"})), None)
    assert values["rank dog/cat"] == 39


def test_real_text_has_only_applicable_measures() -> None:
    values = measure(mirrored_town(), vocabulary(planted=False), np.ones(40, dtype=np.uint32))
    assert set(values) == OF_ANY_MATRIX | {
        "effective_rank",
        "effective_rank_chance",
        "length_log_count_spearman",
    }


def test_unrecorded_batches_give_no_coverage() -> None:
    assert "coverage" not in measure(mirrored_town(), vocabulary(planted=False), None)


def test_a_matrix_that_is_not_finite_keeps_independent_measures() -> None:
    vectors = mirrored_town()
    vectors[3, 3] = np.inf
    values = measure(vectors, vocabulary(planted=True), np.ones(40, dtype=np.uint32))
    assert set(values) == OF_ANY_MATRIX
