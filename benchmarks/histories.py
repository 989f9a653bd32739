"""Reading a history of checkpoints from a hub, beside curl; checking one on this machine; opening one, and packing it.

The hub is a process here that answers after 20 ms and sends 400 Mbit/s in all: 38 checkpoints of 50,304 x 128 in float16.
curl reads the same bytes of the same addresses, as many at a time, and knows their places beforehand.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.async_api import async_playwright
from safetensors.numpy import save_file

from benchmarks.city_time import open_page, wait_for
from benchmarks.support.made_history import make_history
from benchmarks.support.report import report
from benchmarks.support.slow_hub import TABLE
from lamplighter.cli.checkpoints.remote.address import StepChoice, parse_address
from lamplighter.cli.checkpoints.remote.fetch import CONNECTIONS, Fetch
from lamplighter.cli.checkpoints.remote.ranged_client import RangedClient
from lamplighter.client.histories.checked_sources import check_sources
from lamplighter.exports.export import export_run
from lamplighter.runfolder.run_folder import RunFolder
from tests.browser.chromium import launch_arguments
from tests.support.application import Application

ROWS, WIDTH = 50_304, 128
READ, CHECKED, DISTINCT, OPENED = 38, 154, 8, 5


def main() -> bool:
    """Measure and print. Returns whether the goals are met."""
    with tempfile.TemporaryDirectory() as folder:
        met = _measure_reading(Path(folder)) & _measure_check(Path(folder))
        run = make_history(Path(folder) / "runs" / "history", READ, ROWS, WIDTH)
        return met & _measure_opening(run) & _measure_page(run, Path(folder))


def _measure_reading(folder: Path) -> bool:
    command = [sys.executable, "-m", "benchmarks.support.slow_hub", str(READ), str(ROWS), str(WIDTH)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            place = json.loads(server.stdout.readline())
            curl = _read_by_curl(place, folder / "curl")
            ours = _read_by_us(place["endpoint"], folder / "ours")
        finally:
            server.terminate()
    size = READ * (place["end"] - place["start"])
    return report(
        "histories_reading",
        ours / curl,
        "times curl",
        ours_s=ours,
        curl_s=curl,
        megabytes=size / 1e6,
        at_once=CONNECTIONS,
    )


def _read_by_us(endpoint: str, folder: Path) -> float:
    started = time.perf_counter()
    with RangedClient(connections=CONNECTIONS) as client:
        fetch = Fetch(client, parse_address("hf://org/model@step*"), endpoint, folder, choice=StepChoice())
        fetched = fetch.fetch_all()
    assert len(fetched.folders) == READ
    return time.perf_counter() - started


def _read_by_curl(place: dict[str, str], folder: Path) -> float:
    folder.mkdir()
    lines = ["parallel", f"parallel-max = {CONNECTIONS}", "silent"]
    for at in range(READ):
        lines += [
            f'url = "{place["endpoint"]}/org/model/resolve/step{1000 * at}/model.safetensors"',
            f'output = "{folder / str(at)}"',
            f'range = "{place["start"]}-{int(place["end"]) - 1}"',
            "next" if at < READ - 1 else "",
        ]
    config = folder / "config"
    # A range holds for all that comes before the next "next", and is the same for all.
    config.write_text("\n".join(line for line in lines if line != "next"), encoding="utf-8")
    started = time.perf_counter()
    subprocess.run(["curl", "--config", str(config)], check=True)
    return time.perf_counter() - started


def _measure_check(folder: Path) -> bool:
    random = np.random.default_rng(0)
    table = random.normal(size=(ROWS, WIDTH)).astype(np.float32)
    source = folder / "history"
    for at in range(CHECKED):
        checkpoint = source / f"checkpoint-{at}"
        checkpoint.mkdir(parents=True)
        file = checkpoint / "model.safetensors"
        if at < DISTINCT:
            save_file({TABLE: (table + 0.01 * at).astype(np.float16)}, file)
        else:
            # Another name of the same bytes: 2 GB need not be written to be read.
            file.hardlink_to(source / f"checkpoint-{at % DISTINCT}" / "model.safetensors")
    size = sum(path.stat().st_size for path in source.glob("*/model.safetensors"))
    started, processor = time.perf_counter(), time.process_time()
    check_sources(source)
    seconds = time.perf_counter() - started
    return report(
        "histories_check",
        size / 1e6 / seconds,
        "MB/s",
        seconds=seconds,
        processor_seconds=time.process_time() - processor,
        megabytes=size / 1e6,
        tables=CHECKED,
    )


def _measure_opening(run: RunFolder) -> bool:
    """Measure the time from navigation to the first map, by a server that was asked before."""
    with Application(run.path.parent, "serve", "--no-workers") as application:
        firsts = asyncio.run(_open_repeatedly(f"{application.url}/?run={run.id}"))
    return report(
        "histories_opening",
        float(np.median(firsts)) / 1e3,
        "s after navigation, median",
        each=[round(one / 1e3, 2) for one in firsts],
        load=os.getloadavg()[0],
    )


async def _open_repeatedly(url: str) -> list[float]:
    firsts: list[float] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(**launch_arguments())  # pyright: ignore[reportArgumentType]
        for _ in range(OPENED + 1):
            async with open_page(browser, url) as page:
                await wait_for(page, "window.watch?.city")
                firsts.append(await page.evaluate("window.watch.city - window.watch.begun"))
        await browser.close()
    # The first page of a browser compiles shaders.
    return firsts[1:]


def _measure_page(run: RunFolder, folder: Path) -> bool:
    page = export_run(run, "html", out=folder / "history.html")
    return report("histories_page", page.stat().st_size / 1e6, "MB in one file", checkpoints=READ, words=ROWS)
