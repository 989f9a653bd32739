"""The curves of a set whose members end at different steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.reading.set_curves import last_common_step, read_curves
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.measures import MeasuresWriter
from tests.support.folders import FakeTrainer, make_run


def record(folder: Path, ends: dict[int, Phase | None], whole: int = 230) -> list[RunFolder]:
    """Record a run for each last step, with a measure at every twentieth step and at the last."""
    runs: list[RunFolder] = []
    for end, phase in ends.items():
        trainer = FakeTrainer(
            make_run(RunStore(folder), steps=whole), loss_of=lambda step, end=end: end + step / 100
        )
        trainer.begin().train(end)
        if phase is None:
            trainer.crash()
        else:
            trainer.end(phase)
        with MeasuresWriter(trainer.run.measures_path) as writer:
            for step in sorted({*range(0, end + 1, 20), end}):
                writer.commit(1, step, {"purity_10nn": float(end)})
        runs.append(trainer.run)
    return runs


def test_a_member_that_ended_early_bends_no_band(tmp_path: Path) -> None:
    runs = record(tmp_path, {230: Phase.FINISHED, 229: None, 41: Phase.FAILED})
    loss, purity = read_curves(runs, ["loss", "purity_10nn"])
    # Every third step; the last of all is the longest run's. 41 and 229 are steps of one run alone.
    assert loss.steps.tolist() == [1, *range(3, 230, 3), 230]
    assert loss.count.tolist() == [3 if step <= 41 else 2 if step <= 229 else 1 for step in loss.steps]
    assert purity.steps.tolist() == [*range(0, 221, 20), 230]
    assert np.isnan(purity.lines[2, 3:]).all()
    # Measured in one of three so far, a band is not drawn to that one alone.
    with MeasuresWriter(runs[0].measures_path) as writer:
        writer.commit(1, 30, {"purity_10nn": 1.0})
    assert 30 not in read_curves(runs, ["purity_10nn"])[0].steps


def test_a_member_that_failed_early_does_not_hold_the_others_at_its_last_step(tmp_path: Path) -> None:
    failed, going, *finished = record(
        tmp_path, {5: Phase.FAILED, 20: None, 30: Phase.FINISHED, 31: Phase.FINISHED}
    )
    fresh = make_run(RunStore(tmp_path), prepared=False)
    assert last_common_step([failed, going, *finished, fresh]) == 30
    assert last_common_step([going, failed, fresh]) == 5
    assert last_common_step([fresh]) is None
