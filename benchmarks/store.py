"""A published run of 5,000 steps in a browser: the bytes and requests that opening its page and jumping to three steps take from
the store, as a share of the run. A folder stands for the store, so the seconds of a network are not in it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from benchmarks.support.finished import finished_run
from benchmarks.support.report import report
from lamplighter.exports.publishing import prepare_publication, publish
from lamplighter.runfolder.published.object_store import CountingReader, open_object_store
from lamplighter.runfolder.published.shadow_folder import PublishedRuns
from lamplighter.web.settings import ServerSettings
from tests.browser.chromium import launch_arguments
from tests.support.served import ServerThread

JUMPS = (100, 2_500, 4_000)


def main() -> bool:
    """Measure and print. Returns whether the goals are met."""
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
                with sync_playwright() as playwright:
                    page = playwright.chromium.launch(**launch_arguments()).new_page()
                    for place in ("", *(f"&at={step}" for step in JUMPS)):
                        page.goto(f"http://127.0.0.1:{server.port}/?run={run.id}{place}")
                        # What the page asks for before it is needed counts as well.
                        page.wait_for_load_state("networkidle")
                        page.wait_for_timeout(3_000)
                        read.append((counted.bytes, counted.requests))
            finally:
                server.stop()
    met = report(
        "store_opening",
        read[0][0] / whole,
        "of the run's bytes to open its page",
        megabytes=round(read[0][0] / 1e6, 2),
        requests=read[0][1],
    )
    return met & report(
        "store_jumps",
        read[-1][0] / whole,
        "of the run's bytes to open its page and jump to three steps",
        megabytes=round(read[-1][0] / 1e6, 2),
        requests=read[-1][1],
        run_megabytes=round(whole / 1e6, 1),
        share_without_states=round(read[-1][0] / record, 3),
    )
