"""The cost of a run over REST.

Numbers in request bodies are bounded: each has a greatest value, and one of 400 or 5,000 digits is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from lamplighter.platform.energy.energy_method import SpentEnergy
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.energy import METHOD_FACT, encode_energy
from lamplighter.runfolder.tables.exchanges import Exchange, ExchangesWriter, Split
from lamplighter.runfolder.tables.steps import StepsWriter
from tests.support.asgi import Answer, call, openapi_file
from tests.support.folders import FakeTrainer, finished_run, make_run

ESTIMATE = {"name": "processor", "watts": 12.0, "without_card": True, "after": 0, "mixed": False}


async def get(app: FastAPI, run: RunFolder, **headers: str) -> Answer:
    return await call(app, "GET", f"/api/runs/{run.id}/cost", {"host": "127.0.0.1:8600", **headers})


def measure(writer: StepsWriter, method: dict[str, Any] = ESTIMATE) -> None:
    writer.set_facts({METHOD_FACT: [method]})
    for step in (0, 25, 30):
        writer.set_energy(step, encode_energy(SpentEnergy(2.0 * step, step / 6, step / 5, step)))


async def test_energy_comes_with_its_method_and_its_error(app: FastAPI, tmp_path: Path) -> None:
    run = finished_run(tmp_path, 30)
    with StepsWriter(run.steps_path) as writer:
        measure(writer)
    answer = await get(app, run)
    assert answer.status == 200, answer.body
    cost = answer.json
    energy = cost["energy"]
    assert energy["error"]["url"].startswith("https://")
    assert energy["error"]["least"] < 1 < energy["error"]["most"]
    assert {name: energy[name] for name in energy if name != "error"} == {
        "method": "processor", "measured": False, "mixed": False, "without_card": True, "watts_assumed": 12.0,
        "joules": 60.0, "since": 0, "step": 30, "computed": 30, "joules_per_step": 2.0,
        "processor_seconds": 5.0, "seconds": 6.0, "watts_mean": 10.0, "watts_now": None,
    }  # fmt: skip
    assert cost["missing"] is None
    assert cost["shared"] is None
    assert cost["tokens"] == 30 * cost["work"]["tokens"]
    assert [row["joules_basis"] for row in cost["scale"]][:3] == ["estimated", "extrapolated", "extrapolated"]
    assert [row["flops_basis"] for row in cost["scale"]][:3] == ["formula", "formula", "6ND"]
    assert cost["scale"][2]["published"]["url"].startswith("https://arxiv.org/")
    again = await get(app, run, **{"if-none-match": answer.headers["etag"]})
    assert again.status == 304


async def test_counter_readings_are_called_measured(app: FastAPI, tmp_path: Path) -> None:
    run = finished_run(tmp_path, 30)
    with StepsWriter(run.steps_path) as writer:
        measure(writer, {**ESTIMATE, "name": "rapl", "watts": None})
    cost = (await get(app, run)).json
    assert (cost["energy"]["method"], cost["energy"]["measured"]) == ("rapl", True)
    assert cost["scale"][0]["joules_basis"] == "measured"


async def test_a_sum_with_an_estimate_does_not_count_as_measured(app: FastAPI, tmp_path: Path) -> None:
    run = finished_run(tmp_path, 30)
    with StepsWriter(run.steps_path) as writer:
        measure(writer, {**ESTIMATE, "mixed": True})
    cost = (await get(app, run)).json
    energy = cost["energy"]
    assert (energy["method"], energy["measured"], energy["mixed"]) == ("processor", False, True)
    assert energy["error"] is None, "its parts have different ones"
    assert cost["scale"][0]["joules_basis"] == "estimated"


async def test_the_power_of_now_is_told_while_it_trains(app: FastAPI, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(30)
    measure(trainer.writer)
    assert (await get(app, run)).json["energy"]["watts_now"] == pytest.approx(10.0)
    trainer.end()


async def test_a_run_without_energy_says_why_and_a_run_that_has_not_begun_is_not_found(
    app: FastAPI, tmp_path: Path
) -> None:
    cost = (await get(app, finished_run(tmp_path, 30))).json
    assert (cost["energy"], cost["missing"]) == (None, "unmeasured")
    assert cost["work"]["forward"] > 0
    assert (await get(app, make_run(RunStore(tmp_path)))).status == 404
    assert (await get(app, make_run(RunStore(tmp_path), prepared=False))).status == 404


async def test_what_several_processes_handed_over_comes_beside_the_formula(
    app: FastAPI, tmp_path: Path
) -> None:
    run = finished_run(tmp_path, 30)
    writer = ExchangesWriter(run.exchanges_path)
    split = Split(owners=((0, 30), (30, 29)), sequences=4, context=8, dim=16, block_parameters=3_000)
    writer.begin_split(1, 1, split)
    for step in range(1, 31):
        counted = {"batch": 320, "transfer": 7}
        writer.add_exchange(1, step, Exchange(counted, (9, 9), (3, 4), (6, 6), (0.1, 0.3), (0.2, 0.0)))
    writer.close()
    shared = (await get(app, run)).json["shared"]
    assert shared["processes"][1] == {
        "offset": 30,
        "rows": 29,
        "columns": None,
        "worked": 0.3,
        "waited": 0.0,
        "slowest": 30,
    }
    assert (shared["lagging"], shared["steps"]) == (1, 30)
    assert shared["bytes"] == [
        {"kind": "batch", "bytes": 320, "formula": "8 (4 + B (T + 1)) (N - 1)", "expected": 320},
        {"kind": "transfer", "bytes": 7, "formula": None, "expected": None},
    ]
    told = await call(app, "GET", f"/api/runs/{run.id}", {"host": "127.0.0.1:8600"})
    assert told.json["owners"] == [[0, 30], [30, 29]]


UPPER = {"maximum", "exclusiveMaximum", "const", "enum"}


def numbers(
    schema: dict[str, Any], where: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Yield the path of each number in a body, and its schema."""
    if reference := schema.get("$ref"):
        schema = openapi_file()["components"]["schemas"][reference.rsplit("/", 1)[-1]]
    if schema.get("type") in ("integer", "number"):
        yield where, schema
    for name, part in schema.get("properties", {}).items():
        yield from numbers(part, (*where, name))
    for part in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        yield from numbers(part, where)


def bodies() -> list[tuple[str, tuple[str, ...], dict[str, Any]]]:
    return [
        (path, *found)
        for path, operations in openapi_file()["paths"].items()
        for content in [operations.get("post", {}).get("requestBody", {}).get("content", {})]
        if "application/json" in content
        for found in numbers(content["application/json"]["schema"])
    ]


def test_every_number_has_a_greatest_value() -> None:
    found = bodies()
    assert {path for path, _, _ in found} >= {"/api/runs", "/api/estimates", "/api/runs/{run}/requests"}
    assert len(found) > 50
    assert [(path, where) for path, where, schema in found if not UPPER & set(schema)] == []


@pytest.mark.parametrize("path", ["/api/runs", "/api/estimates"])
async def test_numbers_of_many_digits_are_refused(path: str, app: FastAPI, bearer: dict[str, str]) -> None:
    headers = bearer | {"content-type": "application/json"}
    for where in sorted({where for of, where, _ in bodies() if of == path}):
        # Python itself reads no number of 5,000 digits, so that such a body is no JSON to it.
        for digits, status in ((400, 422), (5_000, 400)):
            body: Any = "@"
            for name in reversed(where):
                body = {name: body}
            text = json.dumps(body).replace('"@"', "9" * digits)
            answer = await call(app, "POST", path, headers, text.encode())
            assert answer.status == status, (where, digits)
            assert len(answer.body) < 20_000
