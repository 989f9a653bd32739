from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from lamplighter.runfolder.run_store import RunStore
from lamplighter.wire.vocabulary import Vocabulary
from tests.browser.address.address_bar import (
    DRAWN,
    EVIL,
    HOSTILE,
    OTHER_DOG,
    STEPS,
    TWICE,
    TwoRuns,
)
from tests.browser.fixtures import FinishedRun, sound_page
from tests.browser.map_page import write_maps
from tests.browser.pages import show_address, wait_for
from tests.support.folders import TOKENS, FakeTrainer, V, make_run


@pytest.fixture(scope="module")
def runs(finished_run: FinishedRun) -> TwoRuns:
    server = finished_run.server
    run = make_run(RunStore(server.runs), steps=STEPS, prepared=False)
    tokens = [*TOKENS]
    tokens[OTHER_DOG], tokens[EVIL] = TWICE, HOSTILE
    ids = np.random.default_rng(0).integers(0, V, size=500).astype(np.uint32)
    classes = {"animals": (1, 2, 3, 5), "marks": (6, 7)}
    run.write_corpus(ids, Vocabulary(tuple(tokens), np.arange(V, 0, -1), classes), "{}")
    trainer = FakeTrainer(run).begin().train(STEPS)
    for path in (run.layouts_path, run.relayouts_path):
        write_maps(path, V, range(0, STEPS + 1, 10), ("animals", "marks"))
    trainer.end()
    return TwoRuns(server, finished_run.run, run.id)


@pytest.fixture(scope="module")
def opened(chromium: Browser) -> Iterator[Page]:
    with sound_page(chromium) as page:
        yield page


@pytest.fixture
def shared(opened: Page, runs: TwoRuns) -> Page:
    """Show the second run in a page that the journeys of a file share, with what they did before in its history."""
    show_address(opened, runs.link())
    wait_for(opened, DRAWN)
    return opened


@pytest.fixture
def page(chromium: Browser, runs: TwoRuns) -> Iterator[Page]:
    """Open the second run with an empty history; fail if the page reports an error."""
    with sound_page(chromium) as opened:
        opened.goto(runs.link())
        wait_for(opened, DRAWN)
        yield opened
