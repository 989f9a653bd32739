"""A phone that joins together with 49 others: milliseconds from the code to the first lit lamp.

The phone is a page of its size in a Chromium that draws in software, on the cores of the server. The others are threads of a
process at the lowest priority: each fetches the page and its first files, joins by the code, and takes a seat, within
    the same ten seconds.
"""

from __future__ import annotations

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
from playwright.sync_api import Browser, sync_playwright

from benchmarks.classroom.class_run import ClassRun
from benchmarks.classroom.seat import Seat
from benchmarks.support.report import report
from lamplighter.runfolder.run_store import RunStore
from tests.browser.chromium import launch_arguments
from tests.browser.first_visit import returning_visitors
from tests.support.application import Application
from tests.support.classroom.class_client import CLASSROOM, ClassClient

OTHERS, SECONDS, ROUNDS = 49, 10.0, 10
TOKENS, BATCH = 2_000, 160
_LIT = "window.__lamplighter?.lit?.length > 0"


def measure_joining() -> bool:
    """Measure and print. Returns whether the goal is met."""
    with (
        tempfile.TemporaryDirectory() as folder,
        ClassRun(RunStore(Path(folder)), TOKENS, BATCH) as class_run,
        Application(Path(folder), "serve", "--no-workers", *CLASSROOM, "--class-size", "1000") as application,
        sync_playwright() as playwright,
    ):
        browser = returning_visitors(playwright.chromium.launch(**launch_arguments()))
        took = [_join_once(application, browser, class_run.run.id) for _ in range(ROUNDS)]
        browser.close()
    return report(
        "classroom_joining",
        float(np.median(took)),
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
    words = [sys.executable, "-m", "benchmarks.classroom.joining", client.authority, client.code, run]
    with subprocess.Popen(words) as others:
        # In the middle of the ten seconds.
        time.sleep(0.4 * SECONDS)
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
        time.sleep(SECONDS * number / OTHERS)
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
