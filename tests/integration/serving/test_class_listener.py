"""The class's listener, on real sockets: it opens, closes, survives a kill, and knows no presenter."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.classroom.class_file import CLASS_FILE
from tests.support.application import Application
from tests.support.classroom.class_client import CLASSROOM, ClassClient
from tests.support.folders import FakeTrainer, make_run
from tests.support.waiting import wait_until

BEGINNING = "dear diary"
"""A beginning of a sentence that the model is asked to continue."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    run = make_run(RunStore(folder))
    recipe = run.recipe.model_copy(update={"prompts": (BEGINNING,)})
    (run.path / "recipe.json").write_text(recipe.model_dump_json(), encoding="utf-8")
    FakeTrainer(run).begin().train(5).end()
    return folder


@pytest.fixture(scope="module")
def application(runs: Path) -> Iterator[Application]:
    with Application(runs, "serve", "--no-workers", *CLASSROOM) as started:
        yield started


def test_a_viewer_joins_sees_the_run_and_loses_access_when_removed(application: Application) -> None:
    viewer = ClassClient(application)
    assert viewer.ask("GET", "/api/runs")[0] == 401
    assert viewer.join("wrong") == 401
    assert viewer.join(viewer.code.lower()) == 204
    (run,) = viewer.get("/api/runs")["items"]
    assert viewer.get(f"/api/runs/{run['id']}/steps/3")["step"] == 3
    assert viewer.get("/api/session")["role"] == "viewer"
    assert viewer.ask("GET", "/api/sessions")[0] == 404
    member = application.get("/api/class")["members"][-1]
    application.change("DELETE", f"/api/class/members/{member['id']}")
    assert viewer.ask("GET", "/api/runs")[0] == 401


def test_a_stretch_of_the_past_is_sent_as_it_was_recorded_and_may_be_kept_for_good(
    application: Application,
) -> None:
    viewer = ClassClient(application)
    assert viewer.join() == 204
    run = application.only_run()
    path = f"/api/runs/{run.id}/steps?from=1&to=5&every=1&format=frame&attempt=1"
    status, body, headers = viewer.ask("GET", path)
    assert status == 200
    assert headers["cache-control"] == "private, max-age=31536000, immutable"
    with closing(StepsReader(run.steps_path)) as steps:
        assert body == b"".join(frame for _, frame in steps.pulses_at([1, 2, 3, 4, 5]))
    again, _, _ = viewer.ask("GET", path, known=headers["etag"])
    assert again == 304


def test_beginnings_of_a_text_that_is_withheld_are_not_in_its_description(application: Application) -> None:
    run = application.only_run()
    viewer = ClassClient(application)
    assert viewer.join() == 204
    for given in (True, False, True):
        application.change("POST", f"/api/class/texts/{run.id}", {"given": given})
        prompts = [BEGINNING] if given else []
        (listed,) = viewer.get("/api/runs")["items"]
        described = viewer.get(f"/api/runs/{run.id}")
        assert (listed["recipe"]["prompts"], described["recipe"]["prompts"]) == (prompts, prompts)
        (seen,) = application.get("/api/runs")["items"]
        assert seen["recipe"]["prompts"] == [BEGINNING]


def test_the_terminal_shows_the_way_in(application: Application) -> None:
    viewer = ClassClient(application)
    said = application.log
    assert f"at {viewer.url}  with the code  {viewer.code}" in said
    assert "Without TLS" in said
    assert "█" in said
    # Who reads over a shoulder, or a log, cannot join by it.
    assert viewer.secret not in said


def test_going_local_takes_one_request_and_coming_back_keeps_the_address(application: Application) -> None:
    viewer = ClassClient(application)
    assert viewer.join() == 204
    application.change("PATCH", "/api/class", {"listening": False})
    with pytest.raises(OSError, match="refused"):
        viewer.ask("GET", "/healthz")
    shown = application.change("PATCH", "/api/class", {"listening": True})
    assert (shown["listening"], shown["addresses"][0]) == (True, viewer.url)
    assert viewer.get("/api/session")["role"] == "viewer"


def test_a_class_is_there_again_after_a_kill(tmp_path: Path) -> None:
    with Application(tmp_path, "serve", "--no-workers", *CLASSROOM) as first:
        viewer = ClassClient(first)
        assert viewer.join() == 204
        # Sessions are written once a second.
        number = first.get("/api/class")["members"][-1]["id"]
        file = tmp_path / CLASS_FILE
        wait_until(lambda: file.exists() and number in file.read_text(), "the session in its file")
        port = viewer.url.rpartition(":")[2]
        first.kill()
    words = [*CLASSROOM[:-1], port]
    with Application(tmp_path, "serve", "--no-workers", *words) as second:
        again = ClassClient(second)
        assert again.url == viewer.url
        assert viewer.get("/api/session")["role"] == "viewer"
        second.process.send_signal(signal.SIGTERM)
        assert second.process.wait(10) == 0
