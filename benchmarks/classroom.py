"""A class of five hundred on one machine: delays, bytes, the presenter's answers, and the remaining pace of training.

The application trains the default run with its map, all on the same cores. The viewers are bare sockets in separate
processes at the lowest priority, and a delay ends when the kernel has received a beat, as on a phone with its own
processor. Then fifty of the viewers are hostile (`hostile_clients.py`), compared with the peaceful class.

Last a phone joins together with 49 others: a page of its size in a Chromium that draws in software, on the cores of the server.
The others are threads of a process at the lowest priority: each fetches the page and its first files, joins by the code, and
takes a seat, within the same ten seconds. Loopback only; about four minutes.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser

from benchmarks.support.browser import chromium
from benchmarks.support.class_run import ClassRun, join
from benchmarks.support.crowd import Seat, following
from benchmarks.support.processes import processor_seconds
from benchmarks.support.report import report
from benchmarks.support.server import Requester, WatchedServer, attacked, serving, start_presenter, stop
from benchmarks.support.training import pace_of
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.wire.layout_frames import Method
from tests.browser.first_visit import returning_visitors
from tests.support.application import Application
from tests.support.classroom.class_client import CLASSROOM, ClassClient
from tests.support.runs import wait_for_step
from tests.support.waiting import wait_until

VIEWERS, HOSTILE, PROCESSES = 500, 50, 4
WARM_STEPS, QUIET_SECONDS, SECONDS = 300, 20.0, 40.0
OTHERS, JOINING_SECONDS, ROUNDS = 49, 10.0, 10
TOKENS, BATCH = 2_000, 160
_LIT = "window.__lamplighter?.lit?.length > 0"


def main() -> None:
    """Measure and print."""
    peaceful, attacked_ms = _measure_class(hostile=False), _measure_class(hostile=True)
    unit = "of the peaceful class's p99"
    report(
        "classroom_hostile_ratio",
        attacked_ms / peaceful,
        unit,
        peaceful_ms=peaceful,
        hostile_ms=attacked_ms,
    )
    _measure_joining()


def _measure_class(*, hostile: bool) -> float:
    """Return the 99th percentile of the delays in ms."""
    with serving("serve", *CLASSROOM) as application:
        run = application.start_run({"corpus": {"kind": "lamptown"}, "steps": 100_000})
        wait_for_step(run, WARM_STEPS, 240)
        wait_until(lambda: _has_map(run), "a map", 240)
        client = ClassClient(application)
        cookies = [join(client) for _ in range(VIEWERS)]
        before = pace_of(run, QUIET_SECONDS)
        honest = cookies[HOSTILE:] if hostile else cookies
        server = WatchedServer(application)
        with contextlib.ExitStack() as stack:
            if hostile:
                stack.enter_context(attacked("class", client.url, run.id, *cookies[:HOSTILE]))
            crowd = stack.enter_context(following(client.url, run.id, honest, PROCESSES))
            presenter = _start_presenter(application, run)
            time.sleep(3)
            crowd.count()
            used, first, begun = processor_seconds(server.process), read_status(run).step, time.monotonic()
            while time.monotonic() - begun < SECONDS:
                time.sleep(0.25)
                server.look()
            lasted, last = time.monotonic() - begun, read_status(run).step
            used = processor_seconds(server.process) - used
            tally, client_seconds = crowd.end()
            presenter.stop()
        server.look()
        time.sleep(2)
        after = pace_of(run, QUIET_SECONDS)
        stop(application, run)
    meanwhile = (last - first) / lasted
    name, p99 = "classroom_hostile" if hostile else "classroom", tally.percentile(0.99)
    report(
        name,
        p99,
        "ms from the end of a step to its viewers, p99",
        median=tally.percentile(0.5),
        viewers=len(honest),
        hostile=HOSTILE if hostile else 0,
        beats=tally.beats,
        beats_a_second=tally.beats / lasted / len(honest),
        server_processor_share=used / lasted,
        client_processor_share=client_seconds / lasted,
        load=os.getloadavg()[0],
    )
    report(
        f"{name}_lost",
        tally.missed + tally.skips + tally.closed,
        "beats out of order, skips and closed viewers",
        not_in_order=tally.missed,
        skipped=tally.skips,
        closed=tally.closed,
    )
    report(f"{name}_bytes_each", tally.bytes / lasted / len(honest), "bytes a second for each viewer")
    median, slow = np.percentile(presenter.milliseconds, (50, 99))
    report(f"{name}_presenter", slow, "ms, the presenter's requests, p99", median=median)
    report(f"{name}_presenter_failed", presenter.failed, "of the presenter's requests failed")
    share, unit = meanwhile / ((before + after) / 2), "of the steps/s without viewers"
    report(f"{name}_training", share, unit, before=before, meanwhile=meanwhile, after=after)
    report(f"{name}_memory", server.peak, "MB of the server at most")
    report(f"{name}_log", server.log_bytes, "bytes logged")
    return p99


def _start_presenter(application: Application, run: RunFolder) -> Requester:
    view = ("POST", "/api/class/view", f'{{"query": "run={run.id}"}}')
    reading = [
        ("GET", "/api/session", None),
        ("GET", f"/api/runs/{run.id}", None),
        ("GET", "/api/class", None),
    ]
    return start_presenter(application, [*reading, view, *reading, ("GET", "/static/lamp.svg", None)])


def _has_map(run: RunFolder) -> bool:
    with contextlib.suppress(FileNotFoundError), LayoutsReader(run.layouts_path) as layouts:
        return any(entry.method is Method.UMAP for entry in layouts.layout_entries(0))
    return False


def _measure_joining() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        ClassRun(RunStore(Path(folder)), TOKENS, BATCH) as class_run,
        Application(Path(folder), "serve", "--no-workers", *CLASSROOM, "--class-size", "1000") as application,
        chromium() as browser,
    ):
        returning_visitors(browser)
        took = [_join_once(application, browser, class_run.run.id) for _ in range(ROUNDS)]
    report(
        "classroom_joining",
        np.median(took),
        "s from the code to the first lit lamp, median",
        others=OTHERS,
        each=[round(one, 2) for one in took],
    )


def _join_once(application: Application, browser: Browser, run: str) -> float:
    client = ClassClient(application)
    context = browser.new_context(
        color_scheme="dark", viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True
    )
    page = context.new_page()
    page.goto(client.url)
    page.get_by_role("textbox").fill(client.code)
    words = [sys.executable, "-m", "benchmarks.classroom", client.authority, client.code, run]
    with subprocess.Popen(words) as others:
        # In the middle of the ten seconds.
        time.sleep(0.4 * JOINING_SECONDS)
        begun = time.perf_counter()
        page.get_by_role("button", name="Join").click()
        page.wait_for_url(lambda url: "join" not in url)
        page.locator("#page header").wait_for()
        while not page.evaluate(_LIT):
            time.sleep(0.01)
        took = time.perf_counter() - begun
        if others.wait():
            raise AssertionError("not all of the others could join")
    context.close()
    application.change("DELETE", "/api/class/members")
    return took


def _join_as_others(authority: str, code: str, run: str) -> None:
    os.nice(19)
    failed: list[str] = []

    def join(number: int) -> None:
        time.sleep(JOINING_SECONDS * number / OTHERS)
        try:
            _join_as_one(authority, code, run)
        except (OSError, AssertionError, http.client.HTTPException) as error:
            failed.append(repr(error))

    threads = [threading.Thread(target=join, args=(number,)) for number in range(OTHERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        sys.exit(f"{len(failed)} could not join: {failed[0]}")


def _join_as_one(authority: str, code: str, run: str) -> None:
    connection = http.client.HTTPConnection(authority, timeout=30)
    origin = f"http://{authority}"
    body = f'{{"code": "{code}"}}'
    headers = {"Origin": origin, "Content-Type": "application/json", "Accept-Encoding": "gzip"}
    connection.request("POST", "/api/class/join", body, headers)
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 204, answer.status
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    given = {"Cookie": cookie, "Accept-Encoding": "gzip"}
    connection.request("GET", "/", headers={"Cookie": cookie})
    text = connection.getresponse().read().decode()
    for path in re.findall(r'(?:src|href)="\.?/?(app/[^"]+|static/[^"]+)"', text):
        connection.request("GET", f"/{path}", headers=given)
        assert connection.getresponse().read()
    connection.request("GET", f"/api/runs/{run}", headers=given)
    connection.getresponse().read()
    Seat(int(authority.rpartition(":")[2]), f"/api/runs/{run}/beats", cookie)
    connection.close()


if __name__ == "__main__":
    _join_as_others(*sys.argv[1:])
