"""Checkpoints on the web for `series`, `still` and `check`: the options, the price, the reading."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import platformdirs

from lamplighter.cli.terminal import make_progress_bar, print_line
from lamplighter.contract.recipe_file import RecipeError
from lamplighter.runfolder.run_store import run_id_of

if TYPE_CHECKING:
    from lamplighter.cli.checkpoints.remote.fetch import Fetch
    from lamplighter.cli.checkpoints.remote.step_choice import StepChoice

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class FetchedSource:
    """Checkpoints that were on the web, and are here now."""

    folders: dict[int, Path]
    """By step; 0 for a single one."""
    unread: dict[int, str]
    tensor: str | None
    name: str
    """A name for a run."""
    origin: str


def parse_steps(text: str, option: str = "--steps") -> list[int]:
    """Return the steps in a list with commas.

    Raises:
        UsageError: it is not one.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and len(part) < 12 for part in parts):
        raise click.UsageError(f"{option} takes whole numbers separated by commas: {option} 10,20,30")
    return [int(part) for part in parts]


def fetch_options(command: Command) -> Command:
    """Add the options of commands that may read from the web."""
    for option in (
        click.option(
            "--cache",
            type=click.Path(path_type=Path, file_okay=False),
            help="Where what is read from the web is kept.  [default: the user's cache]",
        ),
        click.option("--yes", is_flag=True, help="Read from the web without asking whether to go on."),
    ):
        command = option(command)
    return command


def choice_options(command: Command) -> Command:
    """Add the options that choose among the checkpoints on the web."""
    for option in (
        click.option("--only", metavar="N,N,...", help="Of an address: the checkpoints of these steps."),
        click.option(
            "--log",
            type=click.IntRange(2),
            metavar="N",
            help="Of an address: N checkpoints, spaced like a logarithm.",
        ),
        click.option(
            "--every",
            type=click.IntRange(1),
            metavar="N",
            help="Of an address: every N-th checkpoint, and the last.",
        ),
    ):
        command = option(command)
    return command


def is_on_web(sources: tuple[str, ...]) -> bool:
    """Return whether the sources are an address.

    Raises:
        UsageError: an address is one of several sources.
    """
    from lamplighter.cli.checkpoints.remote.address import is_address

    found = [is_address(source) for source in sources]
    if any(found) and len(found) > 1:
        raise click.UsageError(
            "an address stands alone: give one, with * for the steps, such as hf://org/name@step*"
        )
    return any(found)


def choose_steps(every: int | None, log: int | None, only: str | None, *, on_web: bool) -> StepChoice:
    """Return which checkpoints are wanted.

    Raises:
        UsageError: two options choose, or one does for files.
    """
    from lamplighter.cli.checkpoints.remote.step_choice import StepChoice

    if sum(value is not None for value in (every, log, only)) > (1 if on_web else 0):
        raise click.UsageError(
            "--every, --log and --only choose among checkpoints at an address: give one of them, or none for files"
        )
    return StepChoice(every, log, None if only is None else tuple(parse_steps(only, "--only")))


def fetch_source(
    source: str,
    choice: StepChoice | None,
    tensor: str | None,
    *,
    yes: bool,
    cache: Path | None,
    quiet: bool = False,
) -> FetchedSource:
    """Read the checkpoints at an address into the cache, after saying the price.

    Args:
        source: the address.
        choice: which of several; None for a single one.
        tensor: the name of the matrix, if there are several.
        yes: do not ask.
        cache: where what is read is kept; None for the user's cache.
        quiet: print nothing but the question.

    Raises:
        RecipeError: something cannot be read; the message says what to do.
        Abort: the answer is no.
    """
    with _explained():
        from lamplighter.cli.checkpoints.remote.address import HubAddress, parse_address
        from lamplighter.cli.checkpoints.remote.fetch import Fetch
        from lamplighter.cli.checkpoints.remote.ranged_client import RangedClient
        from lamplighter.cli.checkpoints.remote.redirect_guard import require_web_address

        address = parse_address(source)
        endpoint, token = ("", None)
        if isinstance(address, HubAddress):
            from huggingface_hub import constants, get_token

            endpoint, token = constants.ENDPOINT.rstrip("/"), get_token()
            require_web_address(endpoint)
            if choice is None and address.is_pattern:
                raise click.UsageError("* names several revisions: use series for all, or name one of them")
        folder = (
            cache or Path(platformdirs.user_cache_dir("lamplighter", appauthor=False)) / "fetched"
        ) / run_id_of(address.name)
        with RangedClient(token) as client:
            fetch = Fetch(client, address, endpoint, folder, choice=choice, tensor=tensor)
            _say_price(fetch, yes=yes, quiet=quiet)
            with make_progress_bar(quiet=quiet) as bar:
                task = bar.add_task("reading", total=max(1, fetch.bytes))

                def on_bytes(come: int, total: int) -> None:
                    bar.update(task, completed=come, description=f"{_amount(come)} of {_amount(total)}")

                done = fetch.fetch_all(on_bytes)
    if not done.folders:
        raise RecipeError(next(iter(done.unread.values())))
    return FetchedSource(
        dict(sorted(done.folders.items())), done.unread, fetch.tensor, address.name, fetch.origin
    )


def _say_price(fetch: Fetch, *, yes: bool, quiet: bool) -> None:
    count = "1 checkpoint" if fetch.count == 1 else f"{fetch.count:,} checkpoints"
    price = f"{count}, {_amount(fetch.bytes)}" if fetch.bytes else f"{count}, all read before"
    if yes or not fetch.bytes:
        if not quiet:
            print_line(f"{price}, from {fetch.origin}")
    elif sys.stdin.isatty():
        click.confirm(f"{price}, from {fetch.origin}; go on?", default=True, abort=True, err=True)
    else:
        raise RecipeError(f"{price}, from {fetch.origin}: add --yes to read them")


def _amount(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 5e7 else f"{size / 1e6:.1f} MB"


@contextmanager
def _explained() -> Generator[None]:
    """Turn errors of fetching into lines of the command line."""
    try:
        from lamplighter.cli.checkpoints.remote.errors import FetchError
        from lamplighter.client.errors import InputError

        try:
            yield
        except (FetchError, InputError) as error:
            raise RecipeError(str(error)) from error
    except ModuleNotFoundError as error:
        if error.name not in ("httpx", "huggingface_hub"):
            raise
        raise RecipeError("addresses need the extra hub: pip install -e '.[hub]' in the checkout") from error
