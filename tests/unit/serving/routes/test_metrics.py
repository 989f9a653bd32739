"""The counters of a server, and who may know them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from lamplighter.serving.metrics.process_facts import count_descriptors, descriptor_limit
from tests.unit.serving.asgi import HOST, call
from tests.unit.serving.metrics.test_counters import require_format

pytestmark = pytest.mark.anyio
DOCUMENT = Path(__file__).parents[4] / "docs" / "rest.md"


@pytest.mark.parametrize("path", ["/metrics", "/api/metrics"])
async def test_only_the_presenter_may_know(app: FastAPI, bearer: dict[str, str], path: str) -> None:
    assert (await call(app, "GET", path)).status == 401
    assert (await call(app, "GET", path, {"host": HOST, "authorization": "Bearer no"})).status == 401
    assert (await call(app, "GET", path, bearer)).status == 200


async def test_both_forms_tell_the_same(app: FastAPI, bearer: dict[str, str]) -> None:
    for _ in range(3):
        assert (await call(app, "GET", "/healthz")).status == 200
    assert (await call(app, "POST", "/api/runs")).status == 401
    found = {
        metric["name"]: metric for metric in (await call(app, "GET", "/api/metrics", bearer)).json["items"]
    }
    assert found["lamplighter_http_responses_total"]["samples"] == [
        {"labels": {"class": "2xx"}, "value": 3.0},
        {"labels": {"class": "4xx"}, "value": 1.0},
    ]
    assert found["lamplighter_http_refusals_total"]["samples"] == [
        {"labels": {"status": "401"}, "value": 1.0}
    ]
    assert found["lamplighter_viewers"]["samples"] == [{"labels": {}, "value": 0.0}]
    answer = await call(app, "GET", "/metrics", bearer)
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    text = answer.body.decode()
    require_format(text)
    assert 'lamplighter_http_refusals_total{status="401"} 1\n' in text
    assert set(re.findall(r"^# TYPE (\S+)", text, re.M)) == set(found)


async def test_every_metric_is_in_the_reference(app: FastAPI) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    counters = app.state.services.instruments.counters
    for name in named(counters):
        assert f"`{name}`" in text, f"docs/rest.md does not mention {name}"


def named(counters: object) -> Iterator[str]:
    yield from vars(counters)["_metrics"]


def test_descriptors(tmp_path: Path) -> None:
    before = count_descriptors()
    if before is None:
        pytest.skip("this system does not list them")
    with (tmp_path / "one").open("w"), (tmp_path / "two").open("w"):
        assert count_descriptors() == before + 2
    limit = descriptor_limit()
    assert limit is None or limit > before
