"""The difference between two runs over REST: its numbers, its limits, and who may read what."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI

from lamplighter.differences.difference import compare_folders
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.lines import SpokenLine, encode_lines
from lamplighter.serving.reading import difference_cache
from lamplighter.serving.reading.difference_cache import DifferenceCache
from lamplighter.wire.frames import decode_as, encode
from lamplighter.wire.layout_frames import Layout
from tests.support.asgi import HOST, Answer, call
from tests.support.classroom.class_apps import CLASS_HOST, PUPIL, make_class_apps
from tests.support.folders import FakeTrainer, V, finished_run, layout, make_run, write_layouts
from tests.support.synthetic_runs.compared_runs import fork_of, recorded, trained_parent


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[FakeTrainer, FakeTrainer]]:
    """Train a run, and a fork of its step 12 that differs from its step 6 on."""
    parent = trained_parent(tmp_path, steps=30)
    fork = fork_of(parent, 12, lambda step: 3.8 - step / 10 if step < 6 else 1.0).train(5)
    fork.matrix[[3, 9]] += np.float32(0.5)
    fork.train(8)
    for trainer, step in ((fork, 2), (parent, 14)):
        trainer.writer.add_lines(step, encode_lines([SpokenLine((1,), (2, 3), (0.5, 0.25), False)]))
    yield fork, parent
    fork.crash()
    parent.crash()


async def ask(
    app: FastAPI,
    run: RunFolder,
    other: str,
    query: str = "",
    status: int = 200,
    rows: str = "",
    **headers: str,
) -> Answer:
    given = {"host": HOST} | {name.replace("_", "-"): value for name, value in headers.items()}
    answer = await call(app, "GET", f"/api/runs/{run.id}/difference{rows}?with={other}{query}", given)
    assert answer.status == status, answer.body
    return answer


async def test_it_is_what_the_folders_say(app: FastAPI, pair: tuple[FakeTrainer, FakeTrainer]) -> None:
    fork, parent = (trainer.run for trainer in pair)
    answer = await ask(app, fork, parent.id, "&step=13&by=raw&limit=1")
    told = compare_folders(fork, parent, 13).to_answer("raw", 1)
    assert answer.body.decode() == told.model_dump_json(by_alias=True)
    assert (told.first_difference.step, len(told.items)) == (6, 1)  # pyright: ignore[reportOptionalMemberAccess]
    facts = ("step", "other-step", "attempt", "exact")
    assert [answer.headers[f"x-lamplighter-{name}"] for name in facts] == ["13", "25", "1", "true"]
    back = (await ask(app, parent, fork.id, "&step=9")).json
    assert (back["step"], back["other_step"], back["moved"]) == (12, 0, "before_first")
    apart = (await ask(app, fork, parent.id, "&step=13&other_step=1")).json
    assert (apart["step"], apart["other_step"], apart["first_difference"]) == (13, 1, None)


async def test_each_row_as_an_array_and_as_lists(app: FastAPI, pair: tuple[FakeTrainer, FakeTrainer]) -> None:
    fork, parent = pair
    answer = await ask(app, fork.run, parent.run.id, "&step=13", rows="/rows")
    table = np.load(io.BytesIO(answer.body), allow_pickle=False)
    assert (table.dtype, table.shape) == (np.float32, (3, V))
    expected = compare_folders(fork.run, parent.run, 13).rows
    np.testing.assert_array_equal(table, [expected.raw(), expected.aligned(), expected.kept()])
    np.testing.assert_allclose(
        table[0], np.linalg.norm(fork.matrices[13] - parent.matrices[25], axis=1), rtol=1e-6
    )
    assert answer.headers["x-lamplighter-other-step"] == "25"
    lists = (await ask(app, fork.run, parent.run.id, "&step=13&format=json", rows="/rows")).json
    assert [lists[name] for name in ("raw", "aligned", "kept")] == table.tolist()
    assert (lists["step"], lists["other_step"], lists["neighbours"]) == (13, 25, 10)


async def test_the_map_of_the_other_is_drawn_like_the_first_and_equal_where_the_rows_are(
    app: FastAPI, pair: tuple[FakeTrainer, FakeTrainer]
) -> None:
    fork, parent = (trainer.run for trainer in pair)
    write_layouts(fork, layout(1, 0), layout(1, 9))
    first = decode_as(encode(layout(1, 9)), Layout)
    control = await ask(app, fork, parent.id, "&step=4&layout=12", rows="/layout")
    drawn = decode_as(control.body, Layout)
    assert (drawn.step, drawn.method, control.headers["x-lamplighter-other-step"]) == (16, first.method, "16")
    np.testing.assert_array_equal(drawn.coordinates, first.coordinates)
    changed = await ask(app, fork, parent.id, "&step=13&layout=12", rows="/layout")
    again = await ask(app, fork, parent.id, "&step=13&layout=12", rows="/layout")
    assert (changed.body, changed.headers["etag"]) == (again.body, again.headers["etag"])
    assert changed.headers["etag"] != control.headers["etag"]
    await ask(app, fork, parent.id, "&step=13&layout=12&method=linear", 404, "/layout")
    alone = trained_parent(parent.path.parent, steps=2)
    alone.crash()
    assert "common origin" in (await ask(app, fork, alone.run.id, "&layout=9", 422, "/layout")).json["detail"]


async def test_words_that_the_other_lacks_have_no_number(app: FastAPI, tmp_path: Path) -> None:
    draw = np.random.default_rng(0).standard_normal((2, 30, 4)).astype(np.float32)
    words = tuple("abcdefghijklmnopqrstuvwxyz1234")
    run = recorded(tmp_path / "one", list(draw), words)
    other = recorded(tmp_path / "other", list(draw), (*words[:-1], "new"))
    rows = (await ask(app, run, other.id, "&format=json", rows="/rows")).json
    assert [rows[name][-1] for name in ("raw", "aligned", "kept")] == [None, None, None]
    assert rows["raw"][:-1] == [0] * 29


async def test_a_measurement_tells_how_far_it_is(
    app: FastAPI, pair: tuple[FakeTrainer, FakeTrainer], monkeypatch: pytest.MonkeyPatch
) -> None:
    fork, parent = (trainer.run for trainer in pair)
    cache: DifferenceCache = app.state.services.differences
    shares: list[float | None] = []

    def read_rows(*asked: Any) -> object:
        asked[-1](0.25)
        shares.extend((cache.share_done(fork.id, parent.id), cache.share_done(parent.id, fork.id)))
        return real(*asked)

    real = difference_cache.read_rows
    monkeypatch.setattr(difference_cache, "read_rows", read_rows)
    await ask(app, fork, parent.id, "&step=13")
    assert shares == [0.25, None]
    assert (await ask(app, fork, parent.id, rows="/progress")).json == {"share": None}


async def test_an_answer_is_kept_until_one_of_the_two_goes_on(
    app: FastAPI, pair: tuple[FakeTrainer, FakeTrainer]
) -> None:
    fork, parent = pair
    for rows in ("", "/rows"):
        first = await ask(app, fork.run, parent.run.id, "&step=10", rows=rows)
        held = first.headers["etag"]
        await ask(app, fork.run, parent.run.id, "&step=10", 304, rows, if_none_match=held)
        again = await ask(app, fork.run, parent.run.id, "&step=11", rows=rows, if_none_match=held)
        assert again.headers["etag"] != first.headers["etag"]
    # The parent goes another way from step 20 on: that is step 8 of the fork.
    known = await ask(app, fork.run, parent.run.id, "&step=10", rows="/rows")
    parent.start_attempt_after(20).train(6)
    found = await ask(
        app, fork.run, parent.run.id, "&step=10", rows="/rows", if_none_match=known.headers["etag"]
    )
    table = np.load(io.BytesIO(found.body), allow_pickle=False)
    np.testing.assert_allclose(
        table[0], np.linalg.norm(fork.matrices[10] - parent.matrices[22], axis=1), rtol=1e-6
    )
    assert (await ask(app, fork.run, parent.run.id, "&step=10")).json["other_attempt"] == 2


async def test_what_both_said_is_for_those_who_may_see_both_texts(
    tmp_path: Path, pair: tuple[FakeTrainer, FakeTrainer]
) -> None:
    apps = make_class_apps(tmp_path)
    fork, parent = (trainer.run for trainer in pair)
    said = (await ask(apps.presenting, fork, parent.id)).json["said"]
    assert (said["run"]["step"], said["other"]["step"]) == (2, 14)
    _, cookie = apps.join()

    async def viewed() -> dict[str, object]:
        headers = {"host": CLASS_HOST, "cookie": cookie}
        answer = await call(
            apps.watching, "GET", f"/api/runs/{fork.id}/difference?with={parent.id}", headers, peer=PUPIL
        )
        assert answer.status == 200
        return answer.json["said"]

    nothing = {"run": None, "other": None}
    for shared in ((), (fork,), (parent,), (fork, parent)):
        for run in (fork, parent):
            apps.classroom.give_text(run, run in shared)
        assert await viewed() == (said if len(shared) == 2 else nothing)


async def test_rejects_what_cannot_be_compared(app: FastAPI, tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    assert (
        "has not begun" in (await ask(app, run, make_run(RunStore(tmp_path)).id, status=404)).json["detail"]
    )
    unread = make_run(RunStore(tmp_path), prepared=False)
    assert "corpus" in (await ask(app, run, unread.id, status=404)).json["detail"]
    strange = np.zeros((2, 5, 4), dtype=np.float32)
    stranger = recorded(tmp_path / "stranger", list(strange), tuple("vwxyz"))
    assert (await ask(app, run, stranger.id, status=422)).json["code"] == "no_common_words"
    assert (await ask(app, run, stranger.id, status=422, rows="/rows")).json["code"] == "no_common_words"
    damaged = finished_run(tmp_path)
    damaged.steps_path.write_bytes(b"no database")
    assert "cannot be read" in (await ask(app, run, damaged.id, status=409)).json["detail"]


async def test_runs_without_a_common_step_and_large_ones(
    app: FastAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = finished_run(tmp_path, steps=9, rows=False)
    trainer = FakeTrainer(parent)
    trainer.matrices[5] = trainer.matrix
    fork = fork_of(trainer, 5)
    fork.crash()
    assert (await ask(app, fork.run, parent.id, status=422)).json["code"] == "no_common_step"
    monkeypatch.setattr("lamplighter.serving.routes.difference.MAX_NUMBERS", V)
    refused = (await ask(app, parent, fork.run.id, status=422)).json
    assert (refused["code"], "lamplighter.open" in refused["detail"]) == ("too_large_to_compare", True)
