"""The frequencies of a run's numbers over REST."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lamplighter.contract.recipe import Recipe
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.serving.apps.app import create_app
from lamplighter.training.worker import train
from lamplighter.web.settings import ServerSettings
from tests.support.asgi import HOST, PORT, Answer, call

P = 11


async def ask(run: RunFolder, query: str) -> Answer:
    app = create_app(ServerSettings(run.path.parent, port=PORT, roles=()))
    return await call(app, "GET", f"/api/runs/{run.id}/geometry/fourier?{query}", headers={"host": HOST})


async def test_shares_and_places_are_those_of_the_rows(tmp_path: Path) -> None:
    fields = {"corpus": {"kind": "modular", "modulus": P}, "model": {"dim": 8, "heads": 2}}
    rest = {"sequences": 16, "cadence": {"keyframe_every": 2}, "steps": 4}
    run = RunStore(tmp_path).create(Recipe.model_validate(fields | rest))
    train(run)
    with MatrixHistory(run) as history:
        rows = history.snapshot(2).vectors[[run.vocabulary.tokens.index(str(a)) for a in range(P)]]
    answer = (await ask(run, "step=2")).json
    power = (np.abs(np.fft.fft(rows - rows.mean(axis=0), axis=0)) ** 2).sum(axis=1)
    shares = [(power[k] + power[P - k]) / power.sum() for k in range(1, P // 2 + 1)]
    assert answer["shares"] == pytest.approx(shares, rel=1e-4)
    strongest = [plane["frequency"] for plane in answer["planes"]]
    assert strongest == (1 + np.argsort(shares)[:-3:-1]).tolist()
    for plane in answer["planes"]:
        variance = np.var(plane["coordinates"], axis=0).sum() / np.var(rows, axis=0).sum()
        assert plane["variance"] == pytest.approx(variance, rel=1e-4)
    assert answer["chance"]["largest_share"] > 1 / (P // 2)
    asked = (await ask(run, "frequency=3")).json
    assert [plane["frequency"] for plane in asked["planes"]] == [3]
    refused = await ask(run, "frequency=6")
    assert refused.status == 422
    assert "frequencies 1 to 5" in refused.json["detail"]
