"""The command `lamplighter sessions`: the sessions of presenting browsers."""

from __future__ import annotations

import time
from pathlib import Path

import click

from lamplighter.cli.common import common_options
from lamplighter.cli.terminal import print_line
from lamplighter.web.access.session_store import open_sessions


@click.command("sessions")
@click.option("--end", "ended", metavar="ID", multiple=True, help="End this session; may be repeated.")
@click.option("--end-all", is_flag=True, help="End every session.")
@common_options()
def sessions_command(runs_dir: Path, ended: tuple[str, ...], end_all: bool) -> None:
    """List the presenting browsers, or end their sessions on every server of the runs.

    A session begins with a launch link. Servers notice its end within seconds.
    """
    if not runs_dir.is_dir():
        raise click.UsageError(f"there is no folder {runs_dir}")
    store = open_sessions(runs_dir)
    sessions = store.list_sessions()
    known = [session.id for session in sessions]
    if unknown := set(ended) - set(known):
        raise click.UsageError(
            f"there is no session {', '.join(sorted(unknown))}; lamplighter sessions lists them"
        )
    if ended or end_all:
        ending = known if end_all else list(dict.fromkeys(ended))
        count = sum(store.end_session(session_id) for session_id in ending)
        print_line(f"ended: {count}")
        return
    for session in sessions:
        print_line(
            f"{session.id}  {session.browser}  at {session.address}  since {_clock(session.created)}"
            f"  last used {_clock(session.used)}"
        )
    if not sessions:
        print_line("no browser presents; open the launch link that lamplighter prints to present")


def _clock(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
