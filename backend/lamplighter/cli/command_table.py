"""The commands of `lamplighter`, each imported on first use."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click

COMMANDS = {
    "train": "train:train_command",
    "fork": "train:fork_command",
    "project": "workers:project_command",
    "analyse": "workers:analyse_command",
    "examine": "asking.examine:examine_command",
    "claims": "asking.claims:claims_command",
    "lessons": "asking.lessons:lessons_group",
    "class-report": "asking.class_report:class_report_command",
    "diff": "asking.differences:diff_command",
    "why": "asking.why:why_command",
    "hidden-states": "asking.examine:hidden_states_command",
    "planted": "asking.examine:planted_command",
    "serve": "serve:serve_command",
    "push": "pushing:push_command",
    "tokens": "pushing:tokens_command",
    "doctor": "doctor.command:doctor_command",
    "self-check": "doctor.self_check:self_check_command",
    "sessions": "sessions:sessions_command",
    "still": "checkpoints.series:still_command",
    "series": "checkpoints.series:series_command",
    "check": "checkpoints.series:check_command",
    "runs": "runs:runs_group",
    "sweep": "sweep:sweep_command",
    "export": "exports:export_command",
    "gallery": "exports:gallery_command",
    "broadcast": "published.command:broadcast_command",
    "import": "exports:import_command",
    "publish": "published.command:publish_command",
    "mcp": "agents.command:mcp_command",
    "completion": "completion:completion_command",
}
"""The module in `lamplighter.cli` and the attribute that hold each command."""


class CommandTable(click.Group):
    """A group that imports commands lazily, so that the server starts without the modules of the others.
    `table`: the module in `lamplighter.cli` and the attribute of each command, by its name."""

    def __init__(self, *arguments: Any, table: Mapping[str, str], **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*self._table, *super().list_commands(ctx)])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._table:
            return super().get_command(ctx, cmd_name)
        module, _, name = self._table[cmd_name].partition(":")
        found: Any = getattr(importlib.import_module(f"lamplighter.cli.{module}"), name)
        return found
