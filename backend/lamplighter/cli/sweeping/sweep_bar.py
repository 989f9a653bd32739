"""The progress of a sweep on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from lamplighter.platform.printable import escape_unprintable
from lamplighter.processes.sweep import SweptMember
from lamplighter.runfolder.run_set import RunSet, describe_settings

_BARS = 24
"""Maximum number of members with a bar of their own."""


class SweepBar:
    """The progress of a sweep on the terminal: a bar for each member, up to `_BARS` of them, and one for all."""

    def __init__(self, run_set: RunSet, *, quiet: bool) -> None:
        """Show nothing yet; `quiet`: show nothing at all."""
        self._quiet, self._told = quiet, set[str]()
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[what]}"),
            console=Console(stderr=True),
            disable=quiet,
            refresh_per_second=4,
        )
        self._tasks: dict[str, TaskID] = {}
        self._all = self._bar.add_task(run_set.id, total=len(run_set.facts.members), what="")

    def __enter__(self) -> SweepBar:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, members: Sequence[SweptMember]) -> None:
        """Show the members as they are now, and tell once of each that is over."""
        over = [one for one in members if one.over]
        failed = sum(not one.is_finished for one in over)
        self._bar.update(self._all, completed=len(over), what=f"{failed} failed" if failed else "")
        for one in members:
            if one.over and one.run.id not in self._told:
                self._told.add(one.run.id)
                if not self._quiet:
                    self._bar.console.print(escape_unprintable(_tell_end(one)), markup=False, highlight=False)
                if (task := self._tasks.pop(one.run.id, None)) is not None:
                    self._bar.remove_task(task)
            elif not one.over and one.status is not None and one.status.alive:
                self._show_one(one, one.status.step, one.status.steps, one.status.loss)

    def _show_one(self, one: SweptMember, step: int, steps: int, loss: float | None) -> None:
        if one.run.id not in self._tasks:
            if len(self._tasks) >= _BARS:
                return
            told = escape_unprintable(describe_settings(one.member.settings))
            self._tasks[one.run.id] = self._bar.add_task(told, total=steps, what="starting")
        what = "" if loss is None else f"loss {loss:.3f}"
        self._bar.update(self._tasks[one.run.id], completed=step, total=steps, what=what)


def _tell_end(one: SweptMember) -> str:
    told = f"{one.run.id} ({describe_settings(one.member.settings)})"
    if one.status is not None and one.is_finished:
        loss = "" if one.status.loss is None else f", loss {one.status.loss:.3f}"
        return f"{told}: {one.status.step:,} steps{loss}"
    return f"{told}: {one.problem}"
