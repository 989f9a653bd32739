"""A word is found as the tokeniser of its model writes it, as the run keeps it, and as it is shown: by every look-up."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest
from mcp.server.mcpserver.exceptions import ToolError

import lamplighter
from lamplighter.cli.agents.reader import AgentReader
from lamplighter.processes.question_words import find_word
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.reading.token_table import TokenTable
from tests.support.synthetic_runs.recorded import record

DECODED = (" the", "the", " café", "ing", " learn", "s", " of", " a")
BYTES = ("Ġthe", "the", "ĠcafÃ©", "ing", "Ġlearn", "s", "Ġof", "Ġa")
FOUND = {
    "Ġthe": 0,
    "▁the": 0,
    " the": 0,
    "ĠcafÃ©": 2,
    " café": 2,
    "café": 2,
    "##ing": 3,
    "-ing": 3,
    "learn": 4,
}


@pytest.fixture(params=[DECODED, BYTES], ids=["decoded", "bytes"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> RunFolder:
    return record(tmp_path / "runs", request.param)


def test_every_look_up_finds_each_form(run: RunFolder) -> None:
    opened, table = lamplighter.open(run.path), TokenTable(run.vocabulary)
    words = anyio.run(AgentReader(run.path.parent).words, run.id)
    for text, token in FOUND.items():
        assert opened.token_id(text) == token, text
        assert table.find_token(text) == token, text
        assert table.search(text, 1, 0)[0].token_id == token, text
        assert words.find(text) == token, text
    assert find_word(run, "Ġlearn", "word") == 4
    assert table.search("Ġthe", 5, 1) == []
    assert (opened.path("▁learn").vectors == opened.path(4).vectors).all()
    for unknown in ("Ġzebra", "##zebra", ""):
        with pytest.raises(lamplighter.NoSuchTokenError):
            opened.token_id(unknown)
        assert table.find_token(unknown) is None
    with pytest.raises(ToolError):
        words.find("Ġzebra")


def test_the_package_shows_its_public_names_only() -> None:
    shown = {name for name in dir(lamplighter) if not name.startswith("__")}
    assert {"open", "watch", "record", "NoSuchTokenError"} <= shown
    assert not shown & {"Any", "annotations", "importlib", "client", "runfolder"}
    assert all(
        getattr(lamplighter, name).__module__.startswith("lamplighter")
        for name in shown - {"LightningCallback", "TransformersCallback"}
    )
