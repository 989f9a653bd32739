"""The commands of `lamplighter`, each imported on first use."""

from __future__ import annotations

import importlib
from typing import Any

import click

_WHERE = {
    "train": "train:train_command",
    "fork": "fork:fork_command",
    "project": "workers:project_command",
    "analyse": "workers:analyse_command",
    "examine": "asking.examine:examine_command",
    "claims": "asking.claims:claims_command",
    "lessons": "asking.lessons:lessons_group",
    "diff": "asking.differences:diff_command",
    "why": "asking.why:why_command",
    "hidden-states": "asking.hidden_states:hidden_states_command",
    "planted": "asking.planted:planted_command",
    "serve": "serve:serve_command",
    "push": "pushing:push_command",
    "tokens": "pushing:tokens_command",
    "doctor": "doctor.command:doctor_command",
    "self-check": "doctor.self_check:self_check_command",
    "sessions": "sessions:sessions_command",
    "still": "checkpoints.still:still_command",
    "series": "checkpoints.series:series_command",
    "check": "checkpoints.check:check_command",
    "runs": "runs:runs_group",
    "sweep": "sweeping.command:sweep_command",
    "export": "exports:export_command",
    "gallery": "exports:gallery_command",
    "broadcast": "published.broadcast:broadcast_command",
    "import": "exports:import_command",
    "publish": "published.command:publish_command",
    "mcp": "agents.command:mcp_command",
}
"""The module in `lamplighter.cli` and the attribute that hold each command."""


class CommandTable(click.Group):
    """A group that imports its commands lazily, so that the server starts without the modules of the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return sorted(_WHERE)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command, or None if the name is unknown."""
        if cmd_name not in _WHERE:
            return None
        module, _, name = _WHERE[cmd_name].partition(":")
        found: Any = getattr(importlib.import_module(f"lamplighter.cli.{module}"), name)
        return found
