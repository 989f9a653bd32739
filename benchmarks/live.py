"""A step on its way to those who watch: how soon they have it, and what they cost the training."""

from __future__ import annotations

import contextlib
import time

import numpy as np
import psutil
from playwright.sync_api import Page

from benchmarks.support.browser import DARK, chromium
from benchmarks.support.class_run import ClassRun
from benchmarks.support.crowd import Crowd
from benchmarks.support.report import report
from benchmarks.support.server import serving, stop
from benchmarks.support.training import BareTraining, pace_of
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import decode
from lamplighter.wire.pulse_frames import Pulse
from tests.browser.pages import wait_for
from tests.support.application import Follower
from tests.support.folders import FakeTrainer, make_run
from tests.support.runs import wait_for_step
from tests.support.served import PacedTrainer
from tests.support.waiting import wait_until

VIEWERS = 10
CLIENT_SECONDS, BROWSER_SECONDS, CALM = 15, 20, 5
SECONDS, STEPS_PER_SECOND = 10.0, 70
PAGES, WORDS, BATCH = 20, 50_000, 1_000
ROUNDS, BARE_WARM, BARE_STEPS, LOADED_SECONDS = 4, 30, 150, 6.0


def measure_latency() -> None:
    """Latency of a step: until a local websocket client has decoded it, and until a browser has painted it.

    The clock starts when the step's training ends, so observing, recording and sending are included. The browser
    is a real Chromium that draws in software, as in the tests. Painting is measured at a light training pace, so
    that the browser has its cores to itself, and beside training at full speed.
    """
    with serving() as application:
        run = application.only_run()
        wait_for_step(run, 50)
        with Follower(application, run.id) as viewer:
            time.sleep(CLIENT_SECONDS)
        since = time.time() - CLIENT_SECONDS + 1
        pulses = [(at, pulse) for at, pulse in _pulses(viewer) if at > since]
        with chromium() as browser:
            page = browser.new_page(**DARK)
            page.goto(application.launch_url)
            wait_for(page, "window.__lamplighter?.litPixels?.() > 0", 60)
            page.wait_for_timeout(3_000)
            loaded = _painted(page)
            # A steady, light pace leaves the browser's cores free.
            application.ask(run, "pace", steps_per_second=CALM)
            page.wait_for_timeout(2_000)
            calm = _painted(page)
        stop(application, run)
        with StepsReader(run.steps_path) as reader:
            ended = {step: decode(record).time for step, record in reader.pulses_at([*loaded, *calm])}
    median, p95, p99 = np.percentile([1e3 * (at - pulse.time) for at, pulse in pulses], (50, 95, 99))
    unit = "ms after the step ended, p95"
    report("latency_decoded", p95, unit, median=median, p99=p99, frames=len(pulses))
    for name, painted, pace in (
        ("latency_painted", calm, str(CALM)),
        ("latency_painted_at_full_speed", loaded, "full"),
    ):
        median, p95 = np.percentile([1e3 * (at - ended[step]) for step, at in painted.items()], (50, 95))
        report(name, p95, unit, median=median, beats=len(painted), pace=pace)


def measure_viewers() -> None:
    """Measure the delay until each of ten viewers of one run receives a committed step, all on these cores."""
    with serving("serve", "--no-workers") as application:
        trainer = FakeTrainer(make_run(RunStore(application.runs), steps=1_000_000)).begin()
        with contextlib.ExitStack() as stack:
            viewers = [
                stack.enter_context(Follower(application, trainer.run.id, ("pulse",))) for _ in range(VIEWERS)
            ]
            process = psutil.Process(application.process.pid)
            before = sum(process.cpu_times()[:2])
            with PacedTrainer(trainer, STEPS_PER_SECOND):
                time.sleep(SECONDS)
            spent = sum(process.cpu_times()[:2]) - before
        trainer.crash()
    pulses = [found for viewer in viewers for found in _pulses(viewer)]
    conditions = {
        "viewers": VIEWERS,
        "steps_per_second": STEPS_PER_SECOND,
        "frames": len(pulses),
        "server_seconds": spent,
    }
    median, p99 = np.percentile([1e3 * (at - pulse.time) for at, pulse in pulses], (50, 99))
    report("viewers_median", median, "ms after the step, median", **conditions)
    report("viewers_p99", p99, "ms after the step, p99", **conditions)


def measure_pages() -> None:
    """Measure the server's processor time while twenty of the presenter's pages follow a run of many words."""
    with (
        serving("serve", "--no-workers") as application,
        ClassRun(RunStore(application.runs), WORDS, BATCH, STEPS_PER_SECOND) as written,
    ):
        crowd = Crowd([{"port": application.port, "run": written.run.id, "pages": PAGES}])
        process = psutil.Process(application.process.pid)
        crowd.count()
        before = sum(process.cpu_times()[:2])
        time.sleep(SECONDS)
        spent = sum(process.cpu_times()[:2]) - before
        tally, _ = crowd.end()
    report(
        "pages",
        spent / SECONDS,
        "of a core",
        pages=PAGES,
        words=WORDS,
        steps_per_second=STEPS_PER_SECOND,
        beats=tally.beats,
        missed=tally.missed,
        closed=tally.closed,
        bytes=tally.bytes,
        p99_ms=tally.percentile(0.99),
    )


def measure_load() -> None:
    """Training speed under load, against the bare loop on a quiet machine.

    The load is server, projector, analyst and ten viewers on the same cores. The two sides alternate in blocks:
    the run is paused while the bare loop is measured, then it resumes and its own record gives its speed.
    """
    bare: list[float] = []
    loaded: list[float] = []
    with serving() as application:
        run = application.only_run()
        # UMAP's first layout compiles code; that is start-up, not the steady state measured here.
        wait_for_step(run, 600, 120)
        with contextlib.ExitStack() as stack:
            for _ in range(VIEWERS):
                stack.enter_context(Follower(application, run.id))
            for _ in range(ROUNDS):
                application.ask(run, "pause")
                wait_until(lambda: read_status(run).phase == "paused", "pause")
                _wait_for_quiet(run)
                bare.append(_bare(run))
                application.ask(run, "resume")
                time.sleep(1)
                loaded.append(pace_of(run, LOADED_SECONDS))
        stop(application, run)
    report(
        "load",
        np.median(np.array(loaded) / np.array(bare)),
        "of the bare loop's steps/s",
        bare_steps_per_second=np.median(bare),
        loaded_steps_per_second=np.median(loaded),
        viewers=VIEWERS,
    )


def _pulses(viewer: Follower) -> list[tuple[float, Pulse]]:
    """Return the steps that a viewer has received, each with the time."""
    return [(at, frame) for at, frame in viewer.frames if isinstance(frame, Pulse)]


def _painted(page: Page) -> dict[int, float]:
    """Watch the page for some seconds. Returns when each beat was painted, Unix seconds by step."""
    painted: dict[int, float] = {}
    deadline = time.monotonic() + BROWSER_SECONDS
    while time.monotonic() < deadline:
        beat = page.evaluate("__lamplighter.beat")
        # Skip beats read from the record, whose steps ended long before they were requested.
        if beat and beat["paintedAt"] and beat["decodedAt"]:
            painted.setdefault(beat["step"], beat["paintedAt"] / 1e3)
        page.wait_for_timeout(50)
    return painted


def _wait_for_quiet(run: RunFolder) -> None:
    """Wait until the map has settled: no new layout for three seconds."""
    newest, since = -1, time.monotonic()
    while time.monotonic() - since < 3:
        with LayoutsReader(run.layouts_path) as layouts:
            entries = layouts.layout_entries(max(newest, 0))
        if entries:
            newest, since = entries[-1].id, time.monotonic()
        time.sleep(0.2)


def _bare(run: RunFolder) -> float:
    training = BareTraining(run.recipe, run.token_ids, run.vocabulary)
    training.train(BARE_WARM)
    begun = time.monotonic()
    training.train(BARE_STEPS)
    return BARE_STEPS / (time.monotonic() - begun)
