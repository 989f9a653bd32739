"""The commands `lamplighter push`, which sends a run to another server, and `lamplighter tokens` there."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from lamplighter.cli.common import common_options
from lamplighter.cli.named_run import RUN_ID, find_named_run
from lamplighter.cli.terminal import print_line, show_progress
from lamplighter.client.errors import InputError
from lamplighter.client.pushing.push_client import PushClient, PushRefusedError, check_server, check_token
from lamplighter.client.pushing.pusher import RunPusher, describe_pushed
from lamplighter.client.pushing.worker import TOKEN_VARIABLE
from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.web.access.credentials import PusherStore

Command = TypeVar("Command", bound=Callable[..., Any])

_DAY = 86_400.0
_insecure_option = click.option(
    "--insecure-http", is_flag=True, help="Allow plain http to another machine, on a network that you trust."
)


def push_options(command: Command) -> Command:
    """Add the options that send a run while it is trained."""
    push = click.option(
        "--push",
        metavar="URL",
        help=f"Also send the run to a server, with the token in {TOKEN_VARIABLE}, while it grows.",
    )
    return push(_insecure_option(command))


def read_server(url: str, *, insecure_http: bool) -> tuple[str, str]:
    """Return the checked address of a server and the token for it, which is in the environment."""
    try:
        server = check_server(url, insecure_http=insecure_http)
        token = check_token(os.environ.get(TOKEN_VARIABLE))
    except InputError as error:
        raise click.UsageError(str(error)) from error
    if server.startswith("http:") and insecure_http:
        print_line("Warning: over plain http anyone on the way can read the token and the run.", err=True)
    return server, token


@click.command("push")
@click.argument("name", metavar="RUN", type=RUN_ID)
@click.argument("url", metavar="URL")
@_insecure_option
@common_options()
def push_command(runs_dir: Path, name: str, url: str, insecure_http: bool) -> None:
    """Send a run to a server: one that is over, or one that grows, to its end.

    Begins where the last push ended, even one from another machine. RUN is its id or folder; the token of the server is read from
    LAMPLIGHTER_PUSH_TOKEN.
    """
    server, token = read_server(url, insecure_http=insecure_http)
    run = find_named_run(runs_dir, name)
    if not run.steps_path.exists():
        raise click.ClickException(f"{run.id} has not begun: there is nothing to send yet")
    pusher = RunPusher(run, PushClient(server, token), say=lambda message: print_line(message, err=True))
    try:
        with show_progress(f"sending {run.id}"):
            whole = pusher.push()
    except (PushRefusedError, *READ_ERRORS) as error:
        raise click.ClickException(f"{run.id} is not sent: {error}") from error
    print_line(f"{describe_pushed(pusher, run, whole=whole)}. See it at {server}/?run={pusher.name}")


@click.command("tokens")
@click.option(
    "--for", "prefix", metavar="PREFIX", help="Make a token for the runs whose ids begin with PREFIX."
)
@click.option(
    "--days",
    default=90.0,
    show_default=True,
    type=click.FloatRange(0, 3_650, min_open=True),
    help="Its time.",
)
@click.option(
    "--most-runs", default=100, show_default=True, type=click.IntRange(1), help="Runs that it may begin."
)
@click.option(
    "--gigabytes-a-day",
    default=20.0,
    show_default=True,
    type=click.FloatRange(0.001, 1_000_000),
    help="What it may send.",
)
@click.option("--revoke", "revoked", metavar="ID", multiple=True, help="Revoke this token; may be repeated.")
@common_options()
def tokens_command(
    runs_dir: Path,
    prefix: str | None,
    days: float,
    most_runs: int,
    gigabytes_a_day: float,
    revoked: tuple[str, ...],
) -> None:
    """List the tokens of programs that push runs to this server, make one, or revoke some.

    A token is shown once. It may send runs whose ids begin with its prefix, read how far they have arrived, and nothing else.
    """
    if not runs_dir.is_dir():
        raise click.UsageError(f"there is no folder {runs_dir}")
    store = PusherStore(runs_dir)
    for number in revoked:
        if not store.revoke(number):
            raise click.UsageError(f"there is no token {number}; lamplighter tokens lists them")
        print_line(f"revoked: {number}")
    if prefix is not None:
        try:
            pusher, token = store.issue_token(prefix, days * _DAY, most_runs, round(gigabytes_a_day * 1e9))
        except ValueError as error:
            raise click.UsageError(str(error)) from error
        print_line(
            f"token {pusher.id} for runs {prefix}... until {_clock(pusher.expires)}, shown this once:",
            err=True,
        )
        print_line(token)
    if prefix is not None or revoked:
        return
    for pusher in store.list_pushers():
        state = "expired" if pusher.has_expired else f"until {_clock(pusher.expires)}"
        print_line(
            f"{pusher.id}  runs {pusher.prefix}...  {state}  at most {pusher.most_runs} runs,"
            f" {pusher.bytes_a_day / 1e9:g} GB a day"
        )
    if not store.list_pushers():
        print_line("no program can push; lamplighter tokens --for PREFIX makes a token")


def _clock(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
