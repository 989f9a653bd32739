"""An agent reads no character that people do not see: neither in words, classes and names nor in refusals."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest
from mcp.server.mcpserver.exceptions import ToolError

from lamplighter.cli.agents.tools import make_agent_server
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.wire.vocabulary import Vocabulary
from tests.support.synthetic_runs.recorded import record

UNSEEN = "\u202e\x1b\u200b\u2066\U000e0049\U000e0101\u3164\ufe01"
WORDS = tuple(f"{sign}{number}" for number, sign in enumerate(UNSEEN))


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    made = record(tmp_path / "runs", WORDS)
    counts = np.arange(len(WORDS), 0, -1, dtype=np.int64)
    classes = {f"class {UNSEEN}": tuple(range(4)), "plain": (4, 5)}
    (made.path / "vocabulary.json").unlink()
    text = (np.arange(9_000) % len(WORDS)).astype(np.uint32)
    made.write_corpus(text, Vocabulary(WORDS, counts, classes), '{"kind": "words"}')
    return made


def texts(told: Any) -> Iterator[str]:
    """Yield every text in an answer, also the keys."""
    if isinstance(told, str):
        yield told
    elif isinstance(told, dict):
        for key, value in told.items():
            yield from (key, *texts(value))
    elif isinstance(told, list):
        for value in told:
            yield from texts(value)


def test_an_agent_reads_no_unseen_character(run: RunFolder) -> None:
    server = make_agent_server(run.path.parent)

    def call(tool: str, **arguments: Any) -> Any:
        return anyio.run(server.call_tool, tool, arguments)

    seen = ""
    for tool, arguments in (
        ("runs", {}),
        ("step", {}),
        ("neighbours", {"word": WORDS[0]}),
        ("path", {"word": WORDS[4], "of": "pair", "other": WORDS[5]}),
        ("claims", {}),
        ("why", {"step": 12}),
        ("compare", {"other": run.id}),
    ):
        told = call(tool, **arguments, **({"run": run.id} if tool != "runs" else {}))
        seen += "".join([*texts(told.structured_content), told.content[0].text])
    assert not set(seen) & set(UNSEEN)
    for code in ("\\u202e", "\\u001b", "\\u200b", "\\U000e0049", "\\U000e0101", "\\u3164", "class \\u202e"):
        assert code in seen, code
    with pytest.raises(ToolError) as refused:
        call("path", run=run.id, word="\U000e0049\u202ex")
    assert str(refused.value).isprintable()
    assert not set(str(refused.value)) & set(UNSEEN)
