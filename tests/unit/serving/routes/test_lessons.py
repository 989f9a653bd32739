"""The course, over REST: its parts, a folder laid over them, and one part with the numbers of a run."""

from __future__ import annotations

from pathlib import Path

from lamplighter.serving.apps.app import create_app
from lamplighter.web.settings import ServerSettings
from tests.support.asgi import HOST, ORIGIN, PORT, call, launch
from tests.support.evidences import store_answer, whole_answer
from tests.support.folders import finished_run

TEXT = """title: A part
minutes: 5
words: dog

# look: A
examine: kind=what_if&sentence=dog&steps=2

{answer.what_if.own.p.last} {run.rows|count} {word.kin.dog@0|count}
"""


async def test_a_part_with_the_numbers_of_a_run(tmp_path: Path) -> None:
    lessons = tmp_path / "lessons"
    lessons.mkdir()
    (lessons / "03-a.md").write_text(TEXT)
    app = create_app(ServerSettings(tmp_path, port=PORT, roles=(), lessons=lessons))
    run = finished_run(tmp_path)
    listed = await call(app, "GET", "/api/lessons", {"host": HOST})
    numbers = [item["number"] for item in listed.json["items"]]
    assert (numbers, {1, 3, 10} <= set(numbers)) == (sorted(numbers), True)
    path = f"/api/runs/{run.id}/lessons/3"
    answer = await call(app, "GET", path, {"host": HOST})
    assert answer.status == 200, answer.body
    part = answer.json
    assert (part["missing_words"], part["step"], part["training"]) == ([], 35, False)
    assert part["numbers"]["run.rows"]["value"] == len(run.vocabulary)
    examination = part["stages"][0]["examination"]
    assert (examination["state"], examination["question"]["step"]) == (None, 35)
    held = {"host": HOST, "if-none-match": answer.headers["etag"]}
    assert (await call(app, "GET", path, held)).status == 304
    store_answer(run, examination["question"], whole_answer("what_if", 35, {"own": {"p": [0.5, 0.75]}}))
    answered = await call(app, "GET", path, held)
    assert answered.json["stages"][0]["examination"] == {**examination, "state": "done", "share": 1}
    assert answered.json["numbers"]["answer.what_if.own.p.last"] == {
        "value": 0.75,
        "step": 35,
        "waits_for": None,
    }
    # A text that changes is another answer; a part about other words says which.
    (lessons / "03-a.md").write_text(TEXT.replace("A part", "Another part"))
    assert (await call(app, "GET", path, held)).json["title"] == "Another part"
    town = (await call(app, "GET", f"/api/runs/{run.id}/lessons/10", {"host": HOST})).json
    assert "barked" in town["missing_words"]
    novels = (await call(app, "GET", f"/api/runs/{run.id}/lessons/12", {"host": HOST})).json
    assert (town["corpus"], novels["corpus"]) == ("lamptown", "novels")
    assert (await call(app, "GET", f"/api/runs/{run.id}/lessons/99", {"host": HOST})).status == 404
    # In another language where there is one, else in English, as the part that replaces ours.
    other = await call(app, "GET", "/api/lessons?lang=de", {"host": HOST})
    assert [item["number"] for item in other.json["items"] if item["language"] != "de"] == [3]
    german = (await call(app, "GET", f"/api/runs/{run.id}/lessons/10?lang=de", {"host": HOST})).json
    assert (german["language"], german["missing_words"]) == ("de", town["missing_words"])
    assert german["title"] != town["title"]
    assert {item["language"] for item in listed.json["items"]} == {"en"}
    assert (await call(app, "GET", f"/api/runs/{run.id}/lessons/1%2F..", {"host": HOST})).status in (404, 422)


async def test_a_page_for_the_teacher_is_the_presenters_alone(tmp_path: Path) -> None:
    lessons = tmp_path / "lessons"
    (lessons / "teacher").mkdir(parents=True)
    (lessons / "03-a.md").write_text(TEXT)
    app = create_app(ServerSettings(tmp_path, port=PORT, roles=(), lessons=lessons))
    listed = {
        one["number"]: one for one in (await call(app, "GET", "/api/lessons", {"host": HOST})).json["items"]
    }
    assert (bool(listed[1]["aim"]), listed[1]["teacher"], listed[11]["teacher"]) == (True, True, False)
    # Our page is about the part that is replaced.
    assert (listed[3]["aim"], listed[3]["teacher"]) == (None, False)
    path = "/api/lessons/2/teacher"
    refused = await call(app, "GET", path, {"host": HOST})
    assert (refused.status, b"Worksheet" in refused.body) == (401, False)
    _, presenter = await launch(app, app.state.services.gate.issue_launch_url().removeprefix(ORIGIN))
    page = (await call(app, "GET", path, presenter)).json
    assert (page["number"], page["language"]) == (2, "en")
    sheet = next(section for section in page["sections"] if section["worksheet"])
    assert sheet["blocks"][0]["rows"][0][0][0]["view"] == "?lesson=2.2"
    for language, told in (("de", "de"), ("fr", "en")):
        first = await call(app, "GET", f"/api/lessons/0/teacher?lang={language}", presenter)
        assert first.json["language"] == told
    for number, status in ((3, 404), (11, 404), (99, 404), (100, 422), (-1, 422)):
        assert (await call(app, "GET", f"/api/lessons/{number}/teacher", presenter)).status == status
    assert (await call(app, "GET", f"{path}?lang=../..", presenter)).status == 422
    (lessons / "teacher" / "03-a.md").write_text("# 3 Mine\n\nAsk them.\n")
    assert (await call(app, "GET", "/api/lessons/3/teacher", presenter)).json["title"] == "3 Mine"
