"""The command `lamplighter mcp`: tools that only read, on standard input and output."""

from __future__ import annotations

from pathlib import Path

import click

from lamplighter.cli.common import common_options


@click.command("mcp")
@common_options()
def mcp_command(runs_dir: Path) -> None:
    """Let an agent read the runs, over the Model Context Protocol on standard input and output. An agent's program starts
    this command by itself (docs/client.md). Nothing can be changed through it.
    """
    if not runs_dir.is_dir():
        raise click.ClickException(
            f"there is no folder {runs_dir}: name the folder of runs, best by its whole path, with --runs"
        )
    try:
        # An extra, and slow to import.
        from lamplighter.cli.agents.tools import make_agent_server
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("mcp", "mcp_types"):
            raise
        raise click.ClickException(
            "this needs the extra agents: pip install -e '.[agents]' in the checkout"
        ) from error
    make_agent_server(runs_dir).run("stdio")
