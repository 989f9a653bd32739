"""Sets of runs, over REST: members, curves with a band, claims, spread, and a word in every member."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI

from lamplighter.claims.intervals import share_interval
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.role_lock import RoleLock
from lamplighter.runfolder.run_set import SET_FILE, SWEEP_ROLE, GridAxis, RunSet
from lamplighter.runfolder.run_store import RunStore
from lamplighter.serving.reading import set_words
from lamplighter.serving.routes import sets
from lamplighter.serving.schemas.runs import UNREADABLE
from tests.support.asgi import HOST, call
from tests.support.folders import TOKENS, FakeTrainer
from tests.support.swept import make_set, recorded_set
from tests.unit.serving.routes.api_calls import get


@pytest.fixture
def run_set(tmp_path: Path) -> RunSet:
    return recorded_set(tmp_path)


async def ask(app: FastAPI, run_set: RunSet, path: str = "", status: int = 200) -> Any:
    return (await get(app, f"/api/sets/{run_set.id}{path}", status)).json


async def test_a_set_names_its_members_with_their_states(app: FastAPI, run_set: RunSet) -> None:
    found = await ask(app, run_set)
    assert (found["name"], found["readable"], found["sweeping"]) == ("Lamptown · 3 runs", True, False)
    assert found["grid"] == [{"field": "seed", "values": [0, 1, 2]}]
    assert found["counts"] == {"finished": 2, "waiting": 1}
    assert [one["settings"] for one in found["members"]] == [{"seed": seed} for seed in range(3)]
    assert [(one["state"], one["step"]) for one in found["members"]] == [
        ("finished", 35),
        ("finished", 35),
        ("waiting", 0),
    ]
    assert found["members"][1]["loss"] == pytest.approx(3.65)
    assert (await get(app, "/api/sets")).json["items"] == [found]
    with RoleLock(run_set.path, SWEEP_ROLE):
        assert (await ask(app, run_set))["sweeping"]
    shutil.rmtree(run_set.path / found["members"][0]["run"])
    (run_set.path / found["members"][1]["run"] / "recipe.json").write_text("{")
    assert (await ask(app, run_set))["counts"] == {"missing": 1, "unreadable": 1, "waiting": 1}


async def test_a_set_is_moved_to_the_trash_with_its_members_unless_it_is_in_use(
    app: FastAPI, run_set: RunSet, bearer: dict[str, str]
) -> None:
    path, folders = f"/api/sets/{run_set.id}", sorted(each.name for each in run_set.path.iterdir())
    held = (
        (run_set.path, SWEEP_ROLE, "set_is_swept"),
        (run_set.path / folders[0], "trainer", "run_is_trained"),
    )
    for folder, role, code in held:
        with RoleLock(folder, role):
            refused = await call(app, "DELETE", path, bearer)
        assert (refused.status, refused.json["code"]) == (409, code)
    assert (await call(app, "DELETE", path)).status == 401
    assert (await call(app, "DELETE", path, bearer)).status == 204
    gone = await call(app, "DELETE", path, bearer)
    assert (gone.status, gone.json["code"]) == (404, "no_such_set")
    assert (await get(app, "/api/sets")).json["items"] == []
    (trashed,) = RunStore(run_set.path.parent).trashed()
    assert {each.name for each in trashed.path.iterdir()} >= set(folders)


async def test_a_set_whose_file_is_damaged_is_listed_with_the_reason(app: FastAPI, run_set: RunSet) -> None:
    (run_set.path / SET_FILE).write_text("{")
    found = await ask(app, run_set)
    assert (found["readable"], found["grid"], len(found["members"])) == (False, [], 3)
    assert found["problem"].startswith(f"this set cannot be read: {SET_FILE}")
    assert (found["code"], list(found["values"])) == ("set_unreadable", ["error"])
    assert len((await ask(app, run_set, "/curves"))["groups"][0]["runs"]) == 3
    for member in run_set.path.iterdir():
        if member.is_dir():
            shutil.rmtree(member)
    # Whose text the reason may quote cannot be told any more.
    assert (await ask(app, run_set))["problem"] == UNREADABLE


async def test_what_is_no_set_is_not_found(app: FastAPI, run_set: RunSet) -> None:
    member = run_set.facts.members[0].run
    for name in ("nothing", member, "..", "%2e%2e", "x" * 90):
        assert (await call(app, "GET", f"/api/sets/{name}", {"host": HOST})).status == 404
        assert (await call(app, "GET", f"/api/sets/{name}/word?token=a", {"host": HOST})).status == 404


async def test_curves_have_quantiles_and_a_line_for_each_member(app: FastAPI, run_set: RunSet) -> None:
    found = await ask(app, run_set, "/curves?name=loss&name=purity_10nn&name=nothing")
    assert found["available"] == ["loss", "loss_held_out", "analogy plural", "analogy_chance", "purity_10nn"]
    [group] = found["groups"]
    assert group["settings"] == {}
    assert len(group["runs"]) == 3
    loss, purity, nothing = group["curves"]
    # The mean of the batches up to the step, at most sixteen.
    at = loss["steps"].index(35)
    expected = [3.0 + number - np.arange(20, 36).mean() / 100 for number in range(2)]
    assert [line[at] for line in loss["lines"][:2]] == pytest.approx(expected)
    assert loss["lines"][2] == [None] * len(loss["steps"])
    assert (loss["steps"][0], loss["count"][at]) == (1, 2)
    assert loss["median"][at] == pytest.approx(np.mean(expected))
    assert loss["q90"][at] == pytest.approx(expected[0] + 0.9)
    assert purity["steps"] == [0, 10, 20, 30]
    assert purity["q10"] == pytest.approx([0.11] * 4)
    assert (nothing["steps"], nothing["lines"]) == ([], [[], [], []])


async def test_members_that_differ_in_more_than_the_seed_have_a_band_of_their_own(
    app: FastAPI, tmp_path: Path
) -> None:
    rates = GridAxis(field="optimiser.learning_rate", values=[0.001, 0.01])
    run_set = make_set(tmp_path, GridAxis(field="seed", values=[0, 1]), rates)
    groups = (await ask(app, run_set, "/curves"))["groups"]
    assert [one["settings"] for one in groups] == [
        {"optimiser.learning_rate": rate} for rate in (0.001, 0.01)
    ]
    assert [len(one["runs"]) for one in groups] == [2, 2]
    assert groups[0]["curves"][0]["steps"] == []


async def test_an_answer_is_about_members_that_differ_only_in_their_seed(
    app: FastAPI, tmp_path: Path
) -> None:
    rates = GridAxis(field="optimiser.learning_rate", values=[0.001, 0.01])
    run_set = recorded_set(tmp_path, 35, rates)
    ids = [member.run for member in run_set.facts.members]
    settings = [one["settings"] for one in (await ask(app, run_set, "/curves"))["groups"]]
    for path in ("/claims?", "/spread?", "/word?token=dogs&"):
        for group in (0, 1):
            found = await ask(app, run_set, f"{path}group={group}")
            assert (found["group"], found["groups"]) == (group, settings)
            told = found["unanswered"] if path == "/claims?" else found["left_out"]
            # Of three seeds and two rates; the last of all has not begun.
            assert [one["run"] for one in told] == ([] if group == 0 else [ids[5]])
            if path != "/claims?":
                members = (
                    found["members"] if "token" in path else found["relations"][0]["accuracy"]["members"]
                )
                assert [one["run"] for one in members] == ids[group : 6 if path == "/spread?" else 5 : 2]
        assert "no group 2" in (await ask(app, run_set, f"{path}group=2", 404))["detail"]
        await ask(app, run_set, f"{path}group=-1", 422)
    claims = await ask(app, run_set, "/claims?group=1")
    assert (claims["members"], claims["answered"]) == (3, 2)


async def test_at_most_so_many_boards_are_made(
    app: FastAPI, run_set: RunSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sets, "MAX_COMPARED", 1)
    found = await ask(app, run_set, "/claims")
    assert (found["members"], found["answered"]) == (3, 1)
    assert {(one["run"], one["reason"]) for one in found["unanswered"]} == {
        (member.run, "too_many") for member in run_set.facts.members[1:]
    }


async def test_claims_count_the_members_in_which_they_hold(app: FastAPI, run_set: RunSet) -> None:
    answer = await get(app, f"/api/sets/{run_set.id}/claims")
    found = answer.json
    ids = [member.run for member in run_set.facts.members]
    assert (found["members"], found["answered"]) == (3, 2)
    assert found["unanswered"] == [{"run": ids[2], "reason": "unfinished"}]
    assert [row["number"] for row in found["items"]] == list(range(1, 29))
    for row in found["items"]:
        states = row["states"]
        assert sum(states.values()) == 2
        # What is not measured is no part of the m of "holds in n of m".
        assert row["measured"] == 2 - states["unmeasured"]
        ends = share_interval(states["holds"] / row["measured"], row["measured"]) if row["measured"] else None
        assert (row["low"], row["high"]) == (ends or (None, None))
        boards = [
            (await get(app, f"/api/runs/{run}/claims")).json["items"][row["number"] - 1] for run in ids[:2]
        ]
        assert [one["state"] for one in row["members"]] == [board["state"] for board in boards]
        assert [one["value"] for one in row["members"]] == [
            board["figures"][0]["value"] if board["figures"] else None for board in boards
        ]
    held = {"if-none-match": answer.headers["etag"]}
    assert (await call(app, "GET", f"/api/sets/{run_set.id}/claims", {"host": HOST} | held)).status == 304


async def test_a_member_that_was_stopped_is_not_counted(app: FastAPI, run_set: RunSet) -> None:
    """It has a board of its own, of an earlier moment than the others."""
    first = run_set.members()[0][1]
    assert first is not None
    first.steps_path.unlink()
    FakeTrainer(first).begin().train(30).end(Phase.INTERRUPTED)
    found = await ask(app, run_set, "/claims")
    assert found["unanswered"][0] == {"run": first.id, "reason": "unfinished"}
    assert found["answered"] == 1
    assert {len(row["members"]) for row in found["items"]} == {1}
    six = found["items"][5]
    assert (six["states"]["conditional"], six["measured"]) == (1, 1)
    assert (six["low"], six["high"]) == pytest.approx((0.0, 0.7935), abs=1e-3)


async def test_members_of_a_damaged_set_are_pooled_by_their_recipes(app: FastAPI, tmp_path: Path) -> None:
    rates = GridAxis(field="optimiser.learning_rate", values=[0.001, 0.01])
    run_set = make_set(tmp_path, GridAxis(field="seed", values=[0, 1]), rates)
    (run_set.path / SET_FILE).write_text("{")
    groups = (await ask(app, run_set, "/curves"))["groups"]
    assert [len(one["runs"]) for one in groups] == [2, 2]


async def test_relations_have_a_spread(app: FastAPI, run_set: RunSet) -> None:
    found = await ask(app, run_set, "/spread?step=25")
    assert found["step"] == 25
    [plural] = found["relations"]
    assert (plural["name"], plural["chance"]) == ("plural", 0.05)
    accuracy = plural["accuracy"]
    assert [one["value"] for one in accuracy["members"]] == [0.2, 1.2, None]
    assert (accuracy["median"], accuracy["low"], accuracy["high"]) == pytest.approx((0.7, 0.2, 1.2))
    assert plural["consistency"]["median"] is None
    assert found["homonyms"] == []
    assert found["left_out"] == [{"run": run_set.facts.members[2].run, "reason": "not_begun"}]
    assert (await ask(app, run_set, "/spread"))["step"] == 35


async def test_a_homonym_leans_to_the_topic_that_its_nearest_are_of(
    app: FastAPI, run_set: RunSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    topics = (frozenset(TOKENS[10:25]), frozenset(TOKENS[25:]))
    planted = set_words.Homonym("dog", ("before", "after"), topics)
    monkeypatch.setattr(set_words, "list_homonyms", lambda: (planted,))
    [dog] = (await ask(app, run_set, "/spread"))["homonyms"]
    assert (dog["word"], dog["senses"]) == ("dog", ["before", "after"])
    for one, lean in zip(dog["members"], dog["lean"]["members"], strict=False):
        nearest = (await get(app, f"/api/runs/{one['run']}/neighbours?token_id=1&limit=10")).json["items"]
        words = [found["token"] for found in nearest]
        assert one["first"] == sum(word in topics[0] for word in words)
        assert one["second"] == sum(word in topics[1] for word in words)
        assert lean["value"] == (one["first"] - one["second"]) / 10
    planted = set_words.Homonym("dog", ("before", "after"), (frozenset(), frozenset()))
    [dog] = (await ask(app, run_set, "/spread?step=34"))["homonyms"]
    # No neighbour of either topic is no lean, and not one between the two.
    assert [one["value"] for one in dog["lean"]["members"]] == [None, None]
    assert dog["lean"]["median"] is None


async def test_a_word_has_its_nearest_in_every_member_and_what_chance_gives(
    app: FastAPI, run_set: RunSet
) -> None:
    found = await ask(app, run_set, "/word?token=DOGS&step=30")
    assert (found["token"], found["step"], found["k"], found["shared_tokens"]) == ("dogs", 30, 10, 40)
    assert [one["run"] for one in found["left_out"]] == [run_set.facts.members[2].run]
    first, second = found["members"]
    lists = [[one["token"] for one in member["neighbours"]] for member in (first, second)]
    for member, words in zip((first, second), lists, strict=True):
        path = f"/api/runs/{member['run']}/neighbours?token_id=3&limit=10&step=30"
        assert [one["token"] for one in (await get(app, path)).json["items"]] == words
    both = set(lists[0]) & set(lists[1])
    assert set(found["same_in_all"]["words"]) == both
    assert found["same_in_all"]["share"] == len(both) / 10
    assert found["same_in_all"]["chance"] == pytest.approx(10 / 39)
    assert found["jaccard"]["mean"] == pytest.approx(len(both) / (20 - len(both)))
    assert 0.1 < found["jaccard"]["chance"] < 0.2
    assert found["typical"]["words"] == 40
    assert {one["token"]: one["members"] for one in found["words"]} == {
        word: 2 if word in both else 1 for word in {*lists[0], *lists[1]}
    }
    # Only the first has a map at or before that step; one map fits itself.
    assert (first["map"]["step"], second["map"]) == (30, None)
    assert first["map"]["residual"] == pytest.approx(0, abs=1e-6)
    assert len(first["map"]["neighbours"]) == 10
    assert len(first["map"]["backdrop"]) == len(found["backdrop_tokens"]) == 40
    frame = found["frame"]
    assert frame["left"] <= first["map"]["x"] <= frame["right"]
    both_mapped = await ask(app, run_set, "/word?token=dogs")
    assert [one["map"]["step"] for one in both_mapped["members"]] == [30, 31]


async def test_a_word_that_no_member_has_and_members_that_have_not_begun_are_told(
    app: FastAPI, run_set: RunSet, tmp_path: Path
) -> None:
    assert "no member" in (await ask(app, run_set, "/word?token=harbour", 404))["detail"]
    assert (await ask(app, run_set, "/word", 422))["errors"]
    fresh = make_set(tmp_path)
    for path in ("/word?token=a", "/spread"):
        assert "has begun" in (await ask(app, fresh, path, 409))["detail"]
    assert (await ask(app, fresh, "/claims"))["answered"] == 0
