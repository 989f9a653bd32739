"""A finished run of 5,000 steps: the disk that it takes, access to any of its steps, and what a page reads of it from a store."""

from __future__ import annotations

import http.client
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.support.browser import chromium
from benchmarks.support.processes import timed
from benchmarks.support.report import report
from benchmarks.support.training import finished_run
from lamplighter.exports.publishing import prepare_publication, publish
from lamplighter.model.checkpoint import list_checkpoints
from lamplighter.runfolder.published.object_store import CountingReader, open_object_store
from lamplighter.runfolder.published.shadow_folder import PublishedRuns
from lamplighter.runfolder.reading.disk_usage import bytes_by_part
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.web.settings import ServerSettings
from lamplighter.wire.frames import decode_as
from lamplighter.wire.pulse_frames import Pulse
from tests.support.application import Application
from tests.support.served import ServerThread

_BATCH = 500
SNAPSHOTS, PATHS = 100, 21
JUMPS = (100, 2_500, 4_000)


def measure_storage() -> None:
    """Measure the disk usage of a run: everything in its finished folder, against a full fp32 matrix per step.

    A second figure excludes the waypoints, which are not part of the record: each holds the whole model and the optimiser's
    two averages of every number, eight times the matrix, for recomputing steps; none is needed for reading.
    """
    run = finished_run()
    size, dim = len(run.vocabulary), run.recipe.model.dim
    lit: list[float] = []
    with MatrixHistory(run) as history:
        last = history.steps.newest_step()[1]
        exact = history.exact_steps()
        for first in range(1, last + 1, _BATCH):
            pulses = history.steps.pulses(first, first + _BATCH - 1)
            lit += [len(decode_as(data, Pulse).batch_ids) / size for _, data in pulses]
    by_file = {path.name: path.stat().st_size for path in sorted(run.path.glob("*.*")) if path.is_file()}
    whole, full = run.bytes_on_disk() / last, 4 * size * dim
    waypoints = bytes_by_part(run)["waypoints"]
    record = whole - waypoints / last
    facts = {
        "full_fp32_bytes_per_step": full,
        "lit_median": np.median(lit),
        "lit_mean": np.mean(lit),
        "exact_steps": len(exact),
        "steps": last,
        "megabytes": {name: size / 1e6 for name, size in by_file.items() if size > 100_000},
        "waypoints": len(list_checkpoints(run.waypoints)),
        "waypoints_megabytes": waypoints / 1e6,
    }
    if len(exact) != last + 1:
        raise AssertionError(f"{last + 1 - len(exact)} steps are not exact")
    unit = "times smaller than full fp32"
    report("storage", full / whole, unit, bytes_per_step=whole, **facts)
    report("storage_without_waypoints", full / record, unit, bytes_per_step=record)


def measure_history() -> None:
    """Measure random access to the past: any step of a run as a snapshot, and one token through all steps.

    Snapshots are requested from a real server over HTTP in random order, each step once, so that no response is cached. A
    token's path is compared with two ways of scanning: rebuilding every snapshot separately (as a client of the REST
    interface would; timed on a sample and multiplied), and one pass over all steps that applies only the moved rows, which
    is the best that is possible without tiles.
    """
    run = finished_run()
    with MatrixHistory(run) as history:
        last = history.steps.newest_step()[1]
    steps = np.random.default_rng(0).choice(last, SNAPSHOTS, replace=False).tolist()
    asked = _over_http(run, steps)
    rebuilt = [timed(lambda step=step: _snapshot(run, step))[1] for step in steps]
    report(
        "history_snapshot",
        1e3 * np.median(asked),
        "ms to answer a snapshot, median",
        p95_ms=1e3 * np.percentile(asked, 95),
        rebuilding_alone_ms=1e3 * np.median(rebuilt),
        steps=last,
        bytes=4 * len(run.vocabulary) * run.recipe.model.dim,
    )
    tokens = np.linspace(0, len(run.vocabulary) - 1, PATHS).round().astype(int).tolist()
    paths = [timed(lambda token=token: _path(run, token))[1] for token in tokens]
    walked = timed(lambda: _walk(run, tokens[0], last))[1]
    path, each = float(np.median(paths)), float(np.median(rebuilt)) * (last + 1)
    report(
        "history_path",
        each / path,
        "times faster than scanning snapshots",
        path_ms=1e3 * path,
        path_slowest_ms=1e3 * max(paths),
        scan_seconds=each,
        steps=last,
    )
    report("history_path_walk", walked / path, "times faster than a walk", walk_seconds=walked)


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


def measure_store() -> None:
    """Measure what opening the page of a published run and jumping to three steps takes from the store, as a share of the run.

    A folder stands for the store, so the seconds of a network are not in it.
    """
    run = finished_run()
    with tempfile.TemporaryDirectory(prefix="lamplighter-bench-") as folder:
        shadow = Path(folder) / "shadow"
        shadow.mkdir()
        store = open_object_store(f"file://{folder}/store", writing=True)
        with prepare_publication(run, store, lambda *_: None) as publication:
            publish(publication, store, lambda *_: None)
            files = publication.manifest.files
        whole = sum(file.size for file in files)
        # States of the model, which no page shows.
        record = sum(file.size for file in files if not file.path.endswith(".safetensors"))
        counted = CountingReader(store)
        read: list[tuple[int, int]] = []
        with PublishedRuns(counted, shadow):
            server = ServerThread(ServerSettings(shadow, port=0, roles=(), published=True)).start()
            try:
                with chromium() as browser:
                    page = browser.new_page()
                    for place in ("", *(f"&at={step}" for step in JUMPS)):
                        page.goto(f"http://127.0.0.1:{server.port}/?run={run.id}{place}")
                        # What the page asks for before it is needed counts as well.
                        page.wait_for_load_state("networkidle")
                        page.wait_for_timeout(3_000)
                        read.append((counted.bytes, counted.requests))
            finally:
                server.stop()
    report(
        "store_opening",
        read[0][0] / whole,
        "of the run's bytes to open its page",
        megabytes=round(read[0][0] / 1e6, 2),
        requests=read[0][1],
    )
    report(
        "store_jumps",
        read[-1][0] / whole,
        "of the run's bytes to open its page and jump to three steps",
        megabytes=round(read[-1][0] / 1e6, 2),
        requests=read[-1][1],
        run_megabytes=round(whole / 1e6, 1),
        share_without_states=round(read[-1][0] / record, 3),
    )
