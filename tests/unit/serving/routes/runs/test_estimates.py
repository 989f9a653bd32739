"""Size estimates of runs not yet made, over REST and on the command line."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from lamplighter.contract.recipe import Recipe
from lamplighter.runfolder.writing.size_estimate import estimate_size
from tests.support.asgi import Answer, call

pytestmark = pytest.mark.anyio


async def ask(app: FastAPI, bearer: dict[str, str], **content: Any) -> Answer:
    headers = bearer | {"content-type": "application/json"}
    return await call(app, "POST", "/api/estimates", headers, json.dumps(content).encode())


async def test_an_estimate_makes_nothing(app: FastAPI, bearer: dict[str, str], tmp_path: Path):
    there = sorted(os.listdir(tmp_path))
    answer = await ask(app, bearer, recipe={"steps": 2_000})
    assert answer.status == 200
    assert answer.json == estimate_size(Recipe(steps=2_000)).as_dict()
    assert sum(answer.json["parts"].values()) == answer.json["whole"]
    assert sorted(os.listdir(tmp_path)) == there


async def test_a_text_counts_by_its_length(app: FastAPI, bearer: dict[str, str]):
    recipe = {"corpus": {"kind": "text"}}
    short = (await ask(app, bearer, recipe=recipe, text_bytes=2_000)).json
    assert short["bytes"] < (await ask(app, bearer, recipe=recipe, text_bytes=50_000_000)).json["bytes"]


@pytest.mark.parametrize(
    "content",
    [
        {"recipe": {"steps": 0}},
        {"recipe": {}, "text_bytes": -1},
        {"recipe": {}, "more": 1},
        {"recipe": {"model": {"dim": 63}}},
        # What JSON tells apart stays apart.
        {"recipe": {"steps": True}},
        {"recipe": {"steps": "2000"}},
        {"recipe": {"model": {"tied": 1}}},
        {"recipe": {"optimiser": {"learning_rate": "0.1"}}},
        {"recipe": {}, "text_bytes": False},
        {"recipe": {"disk_budget": 10**400}},
        {"recipe": {"sequences": 65_536, "passages": 65_536, "model": {"context": 4_096}}},
    ],
)
async def test_an_invalid_recipe_has_no_size(app: FastAPI, bearer: dict[str, str], content: dict[str, Any]):
    answer = await ask(app, bearer, **content)
    assert answer.status == 422
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json["errors"]


async def test_a_whole_number_may_be_written_with_a_point(app: FastAPI, bearer: dict[str, str]):
    answer = await ask(
        app, bearer, recipe={"steps": 2_000.0, "optimiser": {"learning_rate": 1}}, text_bytes=10.0
    )
    assert answer.status == 200
    assert (
        answer.json["parts"] == (await ask(app, bearer, recipe={"steps": 2_000}, text_bytes=10)).json["parts"]
    )
