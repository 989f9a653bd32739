"""Reads for the tools: calls the reading routes in this process, within the limits of any reader."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import anyio.to_thread
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, TextContent

from lamplighter.lessons.library import course_library
from lamplighter.platform.printable import escape_unprintable
from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.run_store import NoSuchRunError
from lamplighter.serving.apps.reading_app import AnswerError, ask, create_reading_app
from lamplighter.serving.reading.token_table import TokenTable
from lamplighter.serving.services import ReadingServices
from lamplighter.web.http.problems import RefusedError

MAX_CHARACTERS = 60_000
"""Maximum characters of an answer: about a tenth of what an agent can keep in mind."""
_DIGITS = 5
"""Significant digits of a number: an agent pays for each."""
_SHOWN = 60
"""Maximum characters of a token."""
_NEAR = 5


class AgentReader:
    """Reads the runs of a folder for an agent. Raises ToolError, whose text says why, for what is refused or
    unknown."""

    def __init__(self, runs: Path) -> None:
        self._app = create_reading_app(runs, course_library(None))
        self._services: ReadingServices = self._app.state.services

    async def read_route(self, address: str, **query: Any) -> Any:
        """Return the JSON of the answer to `GET` of an address with a query, whose null values are left out."""
        given = {name.rstrip("_"): value for name, value in query.items() if value is not None}
        try:
            return json.loads(await ask(self._app, f"{address}?{urlencode(given, doseq=True)}"))
        except AnswerError as error:
            raise ToolError(str(error)) from error

    async def run_facts(self, run: str) -> dict[str, Any]:
        facts = await self.read_route(f"/api/runs/{run}")
        if not facts["readable"]:
            raise ToolError(f"{run} cannot be read: {facts['problem']}")
        return facts

    async def words(self, run: str) -> RunWords:
        catalog = self._services.catalog
        try:
            table = await anyio.to_thread.run_sync(lambda: catalog.token_table(catalog.find_run(run)))
        except (NoSuchRunError, RefusedError, *READ_ERRORS) as error:
            raise ToolError(str(error)) from error
        return RunWords(run, table)


class RunWords:
    """The words of a run, by id and by text."""

    def __init__(self, run: str, table: TokenTable) -> None:
        self._run, self._table = run, table

    def __len__(self) -> int:
        return len(self._table)

    def shown(self, token_id: int) -> str:
        """Return the text of a token as people read it, cut if it is long."""
        text = self._table.token(token_id).text
        return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"

    def find(self, word: str) -> int:
        """Return the id of a word. If the run has none, the error names some that contain it."""
        found = self._table.find_token(word)
        if found is not None:
            return found
        near = [self.shown(one.token_id) for one in self._table.search(word, _NEAR, 0)]
        told = f"; words that contain it: {', '.join(near)}" if near else ""
        raise ToolError(f"{self._run} has no word {word[:_SHOWN]!r}{told}")


def make_result(facts: dict[str, Any]) -> CallToolResult:
    """Return facts as the result of a tool, once as an object and once as text. Raises ToolError if there are
    too many."""
    short = _clean(facts)
    text = json.dumps(short, ensure_ascii=False, separators=(",", ":"))
    if len(text) > MAX_CHARACTERS:
        raise ToolError(
            f"the answer has {len(text):,} characters, and {MAX_CHARACTERS:,} is the most: ask for fewer, with a lower limit"
        )
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=short)


def _clean(value: Any) -> Any:
    """Return facts with rounded numbers, and with texts of strangers in which nothing is hidden."""
    rounders: dict[type, Callable[[Any], Any]] = {
        float: lambda number: float(f"{number:.{_DIGITS}g}"),
        str: escape_unprintable,
        list: lambda items: [_clean(item) for item in items],
        dict: lambda facts: {escape_unprintable(name): _clean(item) for name, item in facts.items()},
    }
    rounder = rounders.get(type(value))
    return value if rounder is None else rounder(value)
