"""Runs of the current format, recorded by earlier code, open with exactly the same numbers."""

from __future__ import annotations

import zipfile
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

import lamplighter

EARLIER = Path(__file__).parents[2] / "golden" / "runs-format-2.zip"
"""A trained run (60 steps, tiles, maps, a reprojection), and one recorded from a loop (50 steps)."""

MATRICES = {
    "trained": (61, "eb8d95734cb97a0701fe9f8e85e407239d9a24a542c3f278b7e7fee49948414b"),
    "recorded": (51, "85f022b2f53fd534588631b36ce082d9b5a2a96ae9b727531953e18dfca47aad"),
}
LOSSES = {
    "trained": "1bd1120448bc97abb4348ecbd5be284943341eb2831221f15e6c29203cf0f2c8",
    "recorded": "eb13685632933fa5112faaccb2a010db1205cdf3ccbaf885dcb37f9ccbc68962",
}
LAYOUT = "a96b24f6b0b16c35b2d5b53372f26b60cc665d104a8a8dcb5a25cbe63a819798"


@pytest.fixture(params=["trained", "recorded"])
def earlier(request: pytest.FixtureRequest, tmp_path: Path) -> lamplighter.Run:
    with zipfile.ZipFile(EARLIER) as packed:
        packed.extractall(tmp_path)
    return lamplighter.open(tmp_path / request.param)


def test_matrices_and_losses_are_unchanged(earlier: lamplighter.Run):
    matrices = [earlier.snapshot(step).tobytes() for step in earlier.snapshot_steps()]
    assert (len(matrices), sha256(b"".join(matrices)).hexdigest()) == MATRICES[earlier.id]
    losses = np.array([pulse.loss for pulse in earlier.steps()], dtype="<f8")
    assert sha256(losses.tobytes()).hexdigest() == LOSSES[earlier.id]
    assert [event.kind for event in earlier.events()] == ["started", "finished"]
    assert earlier.status.phase == "finished"


def test_the_map_and_the_measures_exist(tmp_path: Path):
    with zipfile.ZipFile(EARLIER) as packed:
        packed.extractall(tmp_path)
    run = lamplighter.open(tmp_path / "trained")
    layout = run.layout()
    assert (layout.step, sha256(layout.coordinates.tobytes()).hexdigest()) == (60, LAYOUT)
    assert 60 in run.measures()
