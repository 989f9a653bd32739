"""A layout's full trust beside its estimate, and districts, over REST."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fastapi import FastAPI

from lamplighter.geometry.neighbours import all_nearest
from lamplighter.geometry.trust import compute_full_trust
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.layouts import LayoutsWriter
from lamplighter.wire.district_frames import Districts
from lamplighter.wire.frames import encode
from lamplighter.wire.layout_frames import Layout, Method
from living_map.trust import TrustProbe, nearest_on_map, trust_by_token
from tests.support.folders import FakeTrainer, V, make_run, write_layouts
from tests.unit.serving.routes.recorded_steps import ask


@pytest.fixture
def trainer(tmp_path: Path) -> Iterator[FakeTrainer]:
    made = FakeTrainer(make_run(RunStore(tmp_path))).begin().train(20)
    yield made
    made.crash()


def drawn(vectors: np.ndarray, step: int, sample: int) -> Layout:
    places = vectors[:, :2] + 0.3 * np.random.default_rng(step).standard_normal((V, 2)).astype(np.float32)
    probe = TrustProbe(V, sample=sample)
    probe.set_space(vectors)
    found = probe.estimate(places)
    by_token = trust_by_token(nearest_on_map(places, probe.neighbours), all_nearest(vectors, 39)[0])
    return Layout(1, step, 1.0, Method.UMAP, places, found.trust, found.error, found.recall, sample, by_token)


async def test_the_estimate_holds_against_all_tokens(app: FastAPI, trainer: FakeTrainer) -> None:
    write_layouts(trainer.run, drawn(trainer.matrices[5], 5, 20), drawn(trainer.matrices[15], 15, V))
    partly = (await ask(app, trainer.run, "layouts/14/trust?full=true")).json
    assert (partly["step"], partly["full"]["tokens"], partly["estimate"]["sample"]) == (5, V, 20)
    apart = abs(partly["full"]["trust"] - partly["estimate"]["trust"])
    assert 0 < apart < 5 * partly["estimate"]["trust_error"]
    # An estimate over all tokens equals the full value, except for the rounding to the frame's 16 bits.
    wholly = (await ask(app, trainer.run, "layouts/15/trust?full=true")).json
    assert wholly["full"]["trust"] == pytest.approx(wholly["estimate"]["trust"], abs=2e-3)
    assert wholly["full"]["recall"] == pytest.approx(wholly["estimate"]["recall"], abs=5e-3)
    assert wholly["doubtful"]["count"] == len(wholly["doubtful"]["token_ids"])


async def test_it_is_computed_only_when_asked_for_and_not_for_too_many(
    app: FastAPI, trainer: FakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_layouts(trainer.run, drawn(trainer.matrices[5], 5, 20))
    answer = await ask(app, trainer.run, "layouts/5/trust")
    assert answer.json["full"] is None
    await ask(app, trainer.run, "layouts/4/trust", 404)
    monkeypatch.setattr("lamplighter.serving.routes.districts.MAX_TOKENS", V - 1)
    refused = await ask(app, trainer.run, "layouts/5/trust?full=true", 422)
    assert f"at most {V - 1}" in refused.json["detail"]
    await ask(app, trainer.run, "layouts/5/trust")


def test_in_full_it_is_what_the_probe_says_of_all() -> None:
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(700, 8)).astype(np.float32)
    places = (vectors[:, :2] + rng.normal(size=(700, 2))).astype(np.float32)
    probe = TrustProbe(700, sample=700)
    probe.set_space(vectors)
    expected, found = probe.estimate(places), compute_full_trust(vectors, places)
    assert (found.trust, found.recall) == (pytest.approx(expected.trust), pytest.approx(expected.recall))
    for few in (1, 2):
        assert np.isnan(compute_full_trust(vectors[:few], places[:few]).trust)
    assert compute_full_trust(vectors[:3], vectors[:3, :2]).neighbours == 1


def districts(step: int, names: dict[int, str], attempt: int = 1) -> Districts:
    of = np.zeros(V, dtype=np.uint16)
    for place in range(1, len(names) + 1):
        of[place * 8 : place * 8 + 4] = place
    return Districts(attempt, step, 1.0, np.array(list(names), np.uint32), tuple(names.values()), of)


async def test_districts_and_what_became_of_them(app: FastAPI, trainer: FakeTrainer) -> None:
    run = trainer.run
    await ask(app, run, "districts", 404)
    assert (await ask(app, run, "districts/events")).json == {"items": []}
    with LayoutsWriter(run.layouts_path) as writer:
        writer.commit_districts(districts(5, {1: "animals"}), [("district-born", "It came.")])
        writer.commit_districts(districts(15, {1: "animals", 3: "/ · <b>"}), [("district-born", "Another.")])
        writer.commit_districts(districts(16, {9: "of no attempt"}, attempt=7), [("district-gone", "Never.")])
    newest = (await ask(app, run, "districts")).json
    assert (newest["step"], [item["name"] for item in newest["items"]]) == (15, ["animals", "/ · <b>"])
    assert newest["items"][1] == {"id": 3, "name": "/ · <b>", "token_ids": [16, 17, 18, 19]}
    before = await ask(app, run, "districts?step=14")
    assert (before.json["step"], len(before.json["items"])) == (5, 1)
    await ask(app, run, "districts?step=4", 404)
    told = (await ask(app, run, "districts/events")).json["items"]
    assert [(event["step"], event["message"]) for event in told] == [(5, "It came."), (15, "Another.")]
    assert (await ask(app, run, f"districts/events?after={told[0]['id']}")).json["items"] == told[1:]


async def test_layouts_with_and_without_the_trust_of_each_token_come_whole(
    app: FastAPI, trainer: FakeTrainer
) -> None:
    plain = replace(drawn(trainer.matrices[5], 5, 20), by_token=None)
    trusted = drawn(trainer.matrices[15], 15, 20)
    write_layouts(trainer.run, plain, trusted)
    together = (await ask(app, trainer.run, "places?format=frame")).body
    assert together == encode(plain) + encode(trusted)
    one = await ask(app, trainer.run, "layouts/15?format=frame")
    assert one.body == encode(trusted)
