"""Options that may be given before or after a command, with the same meaning.

Every command declares all of them. Those that it cannot use are hidden and are refused with a reason, so that none is
silently ignored. An option given twice must have the same value both times.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from lamplighter.platform.own_addresses import DEFAULT_PORT
from lamplighter.runfolder.tables.requests import MAX_HOLD_SECONDS
from lamplighter.web.settings import DEFAULT_CLASS_PORT, DEFAULT_HOLD, DEFAULT_SMOOTH_AFTER, MAX_VIEWERS

Command = TypeVar("Command", bound=Callable[..., Any])

DEFAULT_RUNS = Path("runs")
CLASS = (
    "classroom",
    "class_host",
    "class_port",
    "class_size",
    "class_behind",
    "trust_proxy",
    "broker",
    "insecure_broker",
)
"""The options of the listener for a class."""
SERVING = ("host", "port", "no_browser", "print_token", "hold", "smooth_after", *CLASS)
"""The options that say where and how to serve."""

_TO_SERVE = "it sets how to serve; use it with lamplighter alone or lamplighter serve"
_WHY = {"new": "use it without a command: lamplighter --new starts a run and serves it"}
"""The reason why an option is refused, by its name; `_TO_SERVE` for those not listed."""


class SecondsOrNever(click.ParamType[float | None]):
    """A number of seconds, at least 0, or `never`, which is None."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | None:
        if value == "never":
            return None
        return click.FloatRange(0, 1e9).convert(value, param, ctx)


class StoreAddress(str):
    """The address of published runs, in place of a folder of runs."""


class PathOrAddress(click.Path):
    """A path on this machine, or an address of published runs."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return StoreAddress(value) if "://" in str(value) else super().convert(value, param, ctx)


def common_options(*names: str) -> Callable[[Command], Command]:
    """Add `--runs` (as `runs_dir`) and the named common options (of `SERVING`, and `new`) to a command, and
    make it refuse the others."""

    def give(command: Command) -> Command:
        for name, (option, settings) in reversed(_OPTIONS.items()):
            if name == "runs_dir" or name in names:
                command = click.option(option, name, callback=_agree, **settings)(command)
            else:
                # Refuse the option before its value is parsed: an invalid value does not matter then.
                kind: dict[str, Any] = {"is_flag": True} if settings.get("is_flag") else {"multiple": True}
                command = click.option(
                    option,
                    name,
                    callback=_refuse,
                    hidden=True,
                    is_eager=True,
                    expose_value=False,
                    **kind,
                )(command)
        return command

    return give


def _agree(context: click.Context, option: click.Parameter, values: Any) -> Any:
    before = _given_before(context, option)
    if isinstance(values, bool):
        return values or any(before)
    given = list(dict.fromkeys([*before, *(values if _is_given(context, option) else ())]))
    if len(given) > 1:
        raise click.UsageError(
            f"{option.opts[0]} is given twice, as {given[0]} and as {given[1]}: give it once", context
        )
    value = given[0] if given else values[0]
    if isinstance(value, StoreAddress) and not _serves(context):
        raise click.UsageError(
            f"{value}: published runs can be served, with lamplighter serve --runs {value}; this needs a folder of runs",
            context,
        )
    return value


def _serves(context: click.Context) -> bool:
    return any(option.name == "host" and option.expose_value for option in context.command.params)


def _refuse(context: click.Context, option: click.Parameter, _: Any) -> None:
    if _is_given(context, option) or _given_before(context, option):
        why = _WHY.get(option.name or "", _TO_SERVE)
        raise click.UsageError(f"{option.opts[0]} does not apply to {context.command_path}: {why}", context)


def _is_given(context: click.Context, option: click.Parameter) -> bool:
    return context.get_parameter_source(option.name or "") is ParameterSource.COMMANDLINE


def _given_before(context: click.Context, option: click.Parameter) -> list[Any]:
    """Return the values given before the command, the outermost first."""
    outer = context.parent
    if outer is None:
        return []
    here = [outer.params[option.name or ""]] if _is_given(outer, option) else []
    return _given_before(outer, option) + here


def _flag(option: str, help: str) -> tuple[str, dict[str, Any]]:
    return option, {"is_flag": True, "help": help}


def _value(option: str, default: Any, help: str, **settings: Any) -> tuple[str, dict[str, Any]]:
    """Return an option with a value; it is `multiple` so that giving it twice is detected."""
    shown = {"show_default": default is not None, "help": help}
    return option, {"multiple": True, "default": (default,), **shown, **settings}


_NEXT_PORT = "The next free one is used if it is taken; 0: any."
_PORT = click.IntRange(0, 65_535)
_OPTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "new": _flag("--new", "Start a new Lamptown run."),
    "runs_dir": _value(
        "--runs",
        DEFAULT_RUNS,
        "The folder that holds the runs; to serve, also an address of published ones: s3://, file://, https://, hf://.",
        type=PathOrAddress(path_type=Path, file_okay=False),
    ),
    "host": _value("--host", "127.0.0.1", "Address to listen on."),
    "port": _value("--port", DEFAULT_PORT, _NEXT_PORT, type=_PORT),
    "smooth_after": _value(
        "--smooth-after",
        DEFAULT_SMOOTH_AFTER,
        "Smooth finished runs for replay after this time without a request; 'never': do not.",
        type=SecondsOrNever(),
    ),
    "no_browser": _flag("--no-browser", "Print the address, open nothing."),
    "hold": _value(
        "--hold",
        DEFAULT_HOLD,
        "How long a new run waits for its map before its first step; 0: not at all.",
        type=click.FloatRange(0, MAX_HOLD_SECONDS),
        metavar="SECONDS",
    ),
    "print_token": _flag("--print-token", "Print the presenter's token too."),
    "classroom": _flag(
        "--classroom", "Let a class on your network watch: print the address, a QR code and a code."
    ),
    "class_host": _value("--class-host", "0.0.0.0", "Address to listen on for the class."),
    "class_port": _value("--class-port", DEFAULT_CLASS_PORT, _NEXT_PORT, type=_PORT),
    "class_size": _value(
        "--class-size", MAX_VIEWERS, "The most viewers at a time.", type=click.IntRange(1, 5_000)
    ),
    "class_behind": _value(
        "--class-behind",
        None,
        "The https://HOST[:PORT] at which the class reaches a TLS proxy in front of this server.",
        metavar="URL",
    ),
    "broker": _value(
        "--broker",
        None,
        "The NATS broker through which relays serve the class to more phones (serve --relay): tls://HOST:PORT, or nats://HOST:PORT on this machine. Its token is read from LAMPLIGHTER_BROKER_TOKEN.",
        metavar="URL",
    ),
    "insecure_broker": _flag(
        "--insecure-broker", "Allow nats:// to another machine: anyone between could read the class."
    ),
    "trust_proxy": _value(
        "--trust-proxy",
        None,
        "Address or network of that proxy: only it may connect, and only its forwarded headers are trusted.",
        metavar="ADDRESS",
    ),
}
"""The option and the other arguments of `click.option`, by the parameter's name."""
