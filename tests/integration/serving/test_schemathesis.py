"""Schemathesis tries every operation of `frontend/openapi.json` on a live server with a finished run."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lamplighter.web.settings import ServerSettings
from tests.support.runs import finish, make_run, start_worker
from tests.support.served import ServerThread

pytestmark = pytest.mark.tour

FILE = Path(__file__).parents[3] / "frontend/openapi.json"
EXAMPLES = 15
SEED = 7


@dataclass(frozen=True)
class Known:
    """A failure that is expected, and why."""

    operations: str
    """A pattern of the operations: `GET /api/runs/{run}/steps`."""
    check: str
    says: str
    """A pattern in the answer."""
    reason: str


VALID = "positive_data_acceptance"
TOGETHER = (
    "OpenAPI cannot say which parameters of a query go together; their descriptions do, and 422 names them"
)
RELATED = "JSON Schema cannot relate two numbers to each other; 422 names both"
KNOWN = (
    Known("GET .*", VALID, "attempt needs a last step", TOGETHER),
    Known("GET .*", VALID, "attempt needs a step", TOGETHER),
    Known("GET .*/geometry/.*", VALID, "at most [0-9]+ (tokens can be named|pairs can be requested) at once", "a pattern of a list counts signs, not entries"),
    Known("GET .*/geometry/ranks.*", VALID, "is one token: name two different ones", "a pattern cannot say that ids differ; the description does"),
    Known("GET .*", VALID, "from=[0-9]+ is after to=[0-9]+", RELATED),
    Known("GET .*/steps", VALID, "a census is a frame: ask for format=frame", TOGETHER),
    Known("GET .*/steps", VALID, "every and most both reduce the steps", TOGETHER),
    Known("GET .*/places", VALID, "a layout frame has every token: leave token_ids out", TOGETHER),
    Known("GET .*/path", VALID, "of=pair needs another token", TOGETHER),
    Known("GET .*", VALID, "token [0-9]+ is named twice", "a pattern cannot say that ids differ; the description does"),
    Known("POST .*/exports", VALID, "holds every step; leave out", "which formats take a step is said in words"),
    Known("POST .*", VALID, "must be a multiple of (heads|passages)", RELATED),
    Known("POST .*", VALID, "min_dist .* must be at most spread", RELATED),
    Known("POST .*", VALID, "planted: each word stands there once", "a pattern cannot compare the words of two entries; the description does"),
    Known("(POST|PATCH) /api/runs.*", VALID, "a name may not hold characters that cannot be seen", "which characters can be seen is no pattern's to say"),
    Known("POST .*", VALID, "tied weights give every row a gradient", "two fields that exclude each other, said in words"),
    Known("POST .*/requests", VALID, "name a setting to change: method, neighbours", "at least one of four fields, said in words"),
    Known("POST /api/runs", VALID, "upload: only the corpus kind 'text' takes an upload", "said in the field's description"),
    Known("POST /api/runs", VALID, "upload: the corpus kind 'text' needs one", "said in the field's description"),
    Known("POST /api/runs", VALID, "runs of the kind 'recorded' are written by", "a recipe that can be read, not asked for"),
    Known("POST /api/runs", VALID, "that upload does not exist", "an upload is kept for a while; it is a field, not a path"),
    Known("POST .*", VALID, "the model would have [0-9,]+ parameters, at most", RELATED),
    Known("POST .*", VALID, "a batch of sequences .* tokens, at most", RELATED),
    Known("POST .*/examinations", VALID, "is out of range for this run", "how large a run's model is, is no schema's to say"),
    Known("POST .*/examinations", VALID, "the model has never read", "which words a text has is no schema's to say"),
    Known("POST /api/class/question", VALID, "Input should be a valid integer", "JSON Schema takes 170.0 for whole; ids are written without a point"),
    Known("POST /api/uploads", VALID, "This (text|file) (is empty|isn.t plain)", "which bytes are text is said in words"),
    Known("PUT /api/imports.*", VALID, "this is not a zip", "which bytes are a zip is said in words"),
)  # fmt: skip


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerThread, str]]:
    """Serve a finished run, with its map and measures, and one to delete. Yields the server and the two ids."""
    runs = tmp_path_factory.mktemp("runs")
    run = make_run(runs)
    for room in ("training", "projection", "analysis"):
        finish(start_worker(run, room), 240)
    # No worker runs: a recipe may ask for anything.
    server = ServerThread(ServerSettings(runs, port=0, roles=(), max_trainers=20)).start()
    yield server, f"{run.id},{make_run(runs).id}"
    server.stop()


@pytest.fixture(scope="module")
def events(
    served: tuple[ServerThread, str], tmp_path_factory: pytest.TempPathFactory
) -> list[dict[str, Any]]:
    """Run schemathesis. Returns the events of its report."""
    server, runs = served
    folder = tmp_path_factory.mktemp("schemathesis")
    (folder / "openapi.json").write_text(
        json.dumps(without_tuples(json.loads(FILE.read_text("utf-8")))), "utf-8"
    )
    token = server.services.gate.credentials.token
    (folder / "schemathesis.toml").write_text(CONFIGURATION.format(token=token), "utf-8")
    done = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            *("--no-color", "run", "openapi.json", "--url", f"http://127.0.0.1:{server.port}"),
            *("--phases", "coverage,fuzzing", "--report", "ndjson", "--report-ndjson-path", "events.ndjson"),
        ],
        cwd=folder,
        env=os.environ
        | {"SCHEMATHESIS_HOOKS": "tests.integration.serving.schemathesis_hooks", "LAMPLIGHTER_RUNS": runs}
        | {"PYTHONPATH": os.pathsep.join([str(FILE.parents[1]), *filter(None, sys.path)])},
        capture_output=True,
        text=True,
        timeout=900,
    )
    # 1: it found failures, which are looked at here.
    assert done.returncode in (0, 1), done.stdout + done.stderr
    lines = (folder / "events.ndjson").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


CONFIGURATION = f"""
seed = {SEED}
continue-on-failure = true
request-timeout = 60
headers = {{{{ Authorization = "Bearer {{token}}" }}}}
cache.enabled = false
output.sanitization.enabled = false

[generation]
max-examples = {EXAMPLES}
no-shrink = true
database = "none"

[dictionaries]
steps.values = [0, 1, 20, 60]
tokens.values = ["0", "3,17,99"]
pairs.values = ["0-1", "3-17,4-99"]

[parameters]
"path.step" = {{{{ dictionary = "steps", probability = 0.5 }}}}
"query.step" = {{{{ dictionary = "steps", probability = 0.5 }}}}
"query.pairs" = {{{{ dictionary = "pairs", probability = 0.5 }}}}
"query.token_ids" = {{{{ dictionary = "tokens", probability = 0.5 }}}}
"""


def without_tuples(value: Any) -> Any:
    """Return a document in which pairs are lists of two: schemathesis misreads `prefixItems` in answers."""
    if isinstance(value, list):
        return [without_tuples(one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {key: without_tuples(one) for key, one in value.items()}
    if "prefixItems" in found:
        found["items"] = {"anyOf": found.pop("prefixItems")}
    return found


def scenarios(events: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for event in events:
        if "ScenarioFinished" in event:
            yield event["ScenarioFinished"]["recorder"]


def answer_text(interaction: dict[str, Any]) -> str:
    content = (interaction.get("response") or {}).get("content") or {}
    return base64.b64decode(content.get("$base64", "")).decode("utf-8", "replace")


def is_known(operation: str, check: str, text: str) -> bool:
    return any(
        re.fullmatch(known.operations, operation) and check == known.check and re.search(known.says, text)
        for known in KNOWN
    )


def test_no_operation_fails_a_check_but_for_a_reason_that_is_known(events: list[dict[str, Any]]) -> None:
    found: dict[tuple[str, str, str], str] = {}
    for recorder in scenarios(events):
        for case, checks in recorder["checks"].items():
            text = answer_text(recorder["interactions"][case])
            for check in checks:
                if check["status"] == "failure" and not is_known(recorder["label"], check["name"], text):
                    message = check["failure_info"]["failure"]["message"]
                    found[recorder["label"], check["name"], message] = (
                        f"{recorder['cases'][case]['value']}\n    {text[:500]}"
                    )
    assert not found, "\n".join(f"{key}\n    {case}" for key, case in found.items())


def test_schemathesis_itself_had_no_error(events: list[dict[str, Any]]) -> None:
    assert [event for event in events if {"NonFatalError", "FatalError"} & event.keys()] == []


def test_every_operation_was_answered_with_success(events: list[dict[str, Any]]) -> None:
    paths = json.loads(FILE.read_text("utf-8"))["paths"]
    wanted = {f"{method.upper()} {path}" for path, item in paths.items() for method in item}
    answered = {
        recorder["label"]
        for recorder in scenarios(events)
        for interaction in recorder["interactions"].values()
        if (interaction.get("response") or {}).get("status_code", 0) // 100 == 2
    }
    # No class listens here, no browser has begun a session, and no bytes that it makes up are a zip: tests of their own ask these.
    unreached = re.compile(r"\w+ /api/(class|sessions/|imports/)")
    assert {one for one in wanted - answered if not unreached.match(one)} == set()
