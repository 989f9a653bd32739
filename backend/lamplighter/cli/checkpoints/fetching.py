"""Checkpoints on the web for `series`, `still` and `check`: the options, the price, the reading."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import platformdirs

from lamplighter.cli.terminal import make_progress_bar, print_line
from lamplighter.contract.recipe_file import RecipeError
from lamplighter.runfolder.run_store import run_id_of

if TYPE_CHECKING:
    from lamplighter.cli.checkpoints.remote.address import StepChoice
    from lamplighter.cli.checkpoints.remote.fetch import Fetch

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class GatheredSources:
    """Checkpoints that are on this machine, or are now."""

    sources: Any
    """As `collect_checkpoints` takes them; of an address, by step; for `still`, the one."""
    steps: list[int] | None
    unread: dict[int, str]
    tensor: str | None
    name: str
    """A name for a run."""
    origin: str | None
    """Where they were read, if not here."""


def parse_steps(text: str, option: str = "--steps") -> list[int]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and len(part) < 12 for part in parts):
        raise click.UsageError(f"{option} takes whole numbers separated by commas: {option} 10,20,30")
    return [int(part) for part in parts]


def fetch_options(command: Command) -> Command:
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


vocabulary_option = click.option(
    "--vocabulary",
    type=click.Path(path_type=Path),
    help="The tokens, if the checkpoints have none: tokenizer.json, one token per line, TSV or JSON.",
)
tensor_option = click.option("--tensor", help="The name of the matrix, if there are several.")
only_option = click.option("--only", metavar="N,N,...", help="The checkpoints of these steps.")


def choice_options(command: Command) -> Command:
    for option in (
        only_option,
        click.option(
            "--log",
            type=click.IntRange(2),
            metavar="N",
            help="N checkpoints, spaced like a logarithm.",
        ),
        click.option(
            "--every",
            type=click.IntRange(1),
            metavar="N",
            help="Every N-th checkpoint, and the last.",
        ),
        click.option(
            "--steps",
            metavar="N,N,...",
            help="The step of each checkpoint.  [default: the number in its name]",
        ),
    ):
        command = option(command)
    return command


def _is_on_web(sources: tuple[str, ...]) -> bool:
    from lamplighter.cli.checkpoints.remote.address import is_address

    found = [is_address(source) for source in sources]
    if any(found) and len(found) > 1:
        raise click.UsageError(
            "an address stands alone: give one, with * for the steps, such as hf://org/name@step*"
        )
    return any(found)


def gather_sources(
    sources: tuple[str, ...],
    tensor: str | None,
    *,
    steps: str | None = None,
    every: int | None = None,
    log: int | None = None,
    only: str | None = None,
    yes: bool,
    cache: Path | None,
    quiet: bool = False,
    single: bool = False,
) -> GatheredSources:
    """Return the checkpoints that are wanted, after reading those at an address.

    Args:
        sources: paths, or an address.
        tensor: the name of the matrix, if there are several.
        steps: the step of each, with commas.
        every: see `StepChoice`, like the next two; at most one of the three.
        yes: do not ask before reading from the web.
        cache: where what is read is kept; None for the user's cache.
        quiet: print nothing but the question.
        single: one checkpoint is wanted, for `still`.
    """
    from lamplighter.cli.checkpoints.remote.address import StepChoice
    from lamplighter.client.sources.checkpoint_list import collect_checkpoints
    from lamplighter.client.sources.source_names import name_source

    numbers = None if steps is None else parse_steps(steps)
    wanted = None if only is None else tuple(parse_steps(only, "--only"))
    if sum(value is not None for value in (every, log, only)) > 1:
        raise click.UsageError("--every, --log and --only choose among the checkpoints: give one of them")
    if single and wanted is not None and len(wanted) != 1:
        raise click.UsageError("a still map shows one checkpoint: --only takes one step")
    choice = StepChoice(every, log, wanted)
    is_all = choice == StepChoice()
    if _is_on_web(sources):
        if numbers is not None:
            raise click.UsageError("--steps is for files: the checkpoints of an address have their own")
        found = _fetch_source(
            sources[0], None if single and is_all else choice, tensor, yes=yes, cache=cache, quiet=quiet
        )
    else:
        paths = tuple(map(Path, sources))
        place: Any = paths[0] if len(paths) == 1 else paths
        name = name_source(paths[0] if len(paths) == 1 else paths[0].absolute().parent)
        found = GatheredSources(place, numbers, {}, tensor, name, None)
        if not is_all:
            listed = dict(collect_checkpoints(place, numbers))
            chosen = {step: listed[step] for step in choice.choose(list(listed))}
            found = replace(found, sources=chosen, steps=None)
    if single and isinstance(found.sources, dict):
        [(step, one)] = found.sources.items()
        return replace(found, sources=one, name=found.name if is_all else f"{found.name}-{step}")
    return found


def _fetch_source(
    source: str,
    choice: StepChoice | None,
    tensor: str | None,
    *,
    yes: bool,
    cache: Path | None,
    quiet: bool = False,
) -> GatheredSources:
    """Read the checkpoints at an address into the cache, after saying the price; without a choice, the single one."""
    from lamplighter.cli.checkpoints.remote import address as addresses

    address = addresses.parse_address(source)
    endpoint, token = "", None
    try:
        from lamplighter.cli.checkpoints.remote.fetch import Fetch
        from lamplighter.cli.checkpoints.remote.ranged_client import RangedClient
    except ModuleNotFoundError as error:
        if error.name != "httpx2":
            raise
        raise RecipeError("addresses need the extra hub: pip install -e '.[hub]' in the checkout") from error
    if isinstance(address, addresses.HubAddress):
        endpoint, token = addresses.hub_access()
        addresses.require_web_address(endpoint)
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
    return GatheredSources(
        dict(sorted(done.folders.items())), None, done.unread, fetch.tensor, address.name, fetch.origin
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
