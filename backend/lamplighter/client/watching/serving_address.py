"""The address at which a run is to be seen: of a server that has it, or the command that starts one."""

from __future__ import annotations

import json
import shlex
import urllib.request
from pathlib import Path
from urllib.parse import quote

from lamplighter.loopback import LOCAL_ADDRESS

_PATIENCE = 0.3
"""Seconds for a server of this machine to answer; a training waits for it once, before its first step."""
_MOST_BYTES = 1 << 20


def say_where(run: Path) -> str:
    """Return a sentence that says where a run is to be seen."""
    if _is_served(run):
        return f"Lamplighter: {LOCAL_ADDRESS}/?run={quote(run.name)}"
    command = f"lamplighter --runs {shlex.quote(str(run.parent))}"
    return f"Lamplighter records {run}; to watch it: {command}"


def _is_served(run: Path) -> bool:
    """Return whether the server at the usual address has this very run, and not another of its id."""
    request = urllib.request.Request(f"{LOCAL_ADDRESS}/api/runs/{quote(run.name)}")
    # No proxy: the address is this machine's.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_PATIENCE) as answer:
            said = json.loads(answer.read(_MOST_BYTES))
        return said["id"] == run.name and said["created"] == (run / "recipe.json").stat().st_mtime
    except (OSError, ValueError, KeyError, TypeError):
        return False
