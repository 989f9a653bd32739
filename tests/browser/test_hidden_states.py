"""The page of a run of hidden states: the sentence of a light, its layers, and the way to the run that is read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

import lamplighter
from lamplighter.analysis.analyst import Analyst
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.training.worker import train
from tests.browser.fixtures import sound_page
from tests.browser.pages import open_panel, wait_for
from tests.support.application import Application
from tests.support.runs import make_run

pytestmark = [pytest.mark.browser, pytest.mark.tour]


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    run = make_run(tmp_path_factory.mktemp("probed") / "runs", steps=40, corpus={"kind": "lamptown"})
    train(run)
    made = lamplighter.open(run.path).hidden_states(words=["bank", "star"])
    Analyst(RunFolder(made.folder)).run()
    return run


@pytest.fixture
def page(chromium: Browser, parent: RunFolder) -> Iterator[Page]:
    with Application(parent.path.parent, "serve", "--no-workers") as app, sound_page(chromium) as page:
        page.goto(app.launch_url)
        page.goto(f"{app.url}/?run={parent.id}-probes&panel=token&token=30")
        wait_for(page, "window.__lamplighter?.shown")
        yield page


def test_a_light_has_its_sentence_and_leads_to_its_layers_and_its_run(page: Page, parent: RunFolder) -> None:
    sentence = page.get_by_test_id("probe-text")
    expect(sentence).to_contain_text("bank")
    text = sentence.inner_text()
    first, second = page.get_by_test_id("probe-layers").get_by_role("button").all()
    expect(second).to_have_attribute("aria-pressed", "true")
    first.click()
    expect(first).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("token")).to_contain_text("· 0")
    assert sentence.inner_text() == text
    open_panel(page, "measures")
    expect(page.get_by_text("How far meanings are apart")).to_be_visible()
    open_panel(page, "run")
    page.get_by_test_id("open-related").click()
    page.wait_for_url(f"**run={parent.id}*")
    expect(page.get_by_test_id("hidden-states")).to_contain_text(f"lamplighter hidden-states {parent.id}")
