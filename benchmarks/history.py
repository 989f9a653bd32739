"""Random access to the past: any step of a 5,000-step run as a snapshot, and one token through all steps.

Snapshots are requested from a real server over HTTP in random order, each step once, so that no response is cached. A
token's path is compared with two ways of scanning: rebuilding every snapshot separately (as a client of the REST
interface would; timed on a sample and multiplied), and one pass over all steps that applies only the moved rows, which
is the best that is possible without tiles.
"""

from __future__ import annotations

import http.client
import time

import numpy as np

from benchmarks.support.finished import finished_run
from benchmarks.support.report import report
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from tests.support.application import Application

SNAPSHOTS, PATHS = 100, 21


def main() -> bool:
    """Measure and print. Returns whether the goals are met."""
    run = finished_run()
    with MatrixHistory(run) as history:
        last = history.steps.newest_step()[1]
    steps = np.random.default_rng(0).choice(last, SNAPSHOTS, replace=False).tolist()
    asked = _over_http(run, steps)
    rebuilt = [_timed(lambda step=step: _snapshot(run, step)) for step in steps]
    met = report(
        "history_snapshot",
        1e3 * float(np.median(asked)),
        "ms to answer a snapshot, median",
        p95_ms=1e3 * float(np.percentile(asked, 95)),
        rebuilding_alone_ms=1e3 * float(np.median(rebuilt)),
        steps=last,
        bytes=4 * len(run.vocabulary) * run.recipe.model.dim,
    )
    tokens = np.linspace(0, len(run.vocabulary) - 1, PATHS).round().astype(int).tolist()
    paths = [_timed(lambda token=token: _path(run, token)) for token in tokens]
    walked = _timed(lambda: _walk(run, tokens[0], last))
    path, each = float(np.median(paths)), float(np.median(rebuilt)) * (last + 1)
    met &= report(
        "history_path",
        each / path,
        "times faster than scanning snapshots",
        path_ms=1e3 * path,
        path_slowest_ms=1e3 * max(paths),
        scan_seconds=each,
        steps=last,
    )
    return report("history_path_walk", walked / path, "times faster than a walk", walk_seconds=walked) and met


def _over_http(run: RunFolder, steps: list[int]) -> list[float]:
    """Return the seconds for each snapshot over one kept-alive connection, as in a browser."""
    took: list[float] = []
    with Application(run.path.parent, "serve") as app:
        connection = http.client.HTTPConnection("127.0.0.1", app.port)
        for step in steps:
            begun = time.perf_counter()
            connection.request("GET", f"/api/runs/{run.id}/snapshots/{step}?format=frame")
            answer = connection.getresponse()
            answer.read()
            took.append(time.perf_counter() - begun)
            if answer.status != 200:
                raise AssertionError(f"step {step} was answered {answer.status}")
        connection.close()
    return took


def _timed(call: object) -> float:
    begun = time.perf_counter()
    call()  # pyright: ignore[reportCallIssue]
    return time.perf_counter() - begun


def _snapshot(run: RunFolder, step: int) -> None:
    with MatrixHistory(run) as history:
        history.snapshot(step)


def _path(run: RunFolder, token: int) -> None:
    with MatrixHistory(run) as history:
        history.token_history(token)


def _walk(run: RunFolder, token: int, last: int) -> None:
    with MatrixHistory(run) as history:
        rows = [at.vectors[token].copy() for at in history.snapshots(0, last)]
    if len(rows) != last + 1:
        raise AssertionError("the walk left steps out")
