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

from lamplighter.platform.loopback import DEFAULT_PORT
from lamplighter.runfolder.tables.requests import MAX_HOLD_SECONDS
from lamplighter.web.settings import (
    DEFAULT_CLASS_PORT,
    DEFAULT_HOLD,
    DEFAULT_SMOOTH_AFTER,
    MAX_VIEWERS,
)

Command = TypeVar("Command", bound=Callable[..., Any])

DEFAULT_RUNS = Path("runs")
CLASS = ("classroom", "class_host", "class_port", "class_size", "class_behind", "trust_proxy")
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
        """Return the number, or None."""
        if value == "never":
            return None
        return click.FloatRange(0, 1e9).convert(value, param, ctx)


def common_options(*names: str) -> Callable[[Command], Command]:
    """Add `--runs` (as `runs_dir`) and the named common options to a command, and make it refuse the others.

    Args:
        names: parameter names from `SERVING`, and `new`.
    """

    def give(command: Command) -> Command:
        for name, (declarations, settings) in reversed(_OPTIONS.items()):
            if name == "runs_dir" or name in names:
                command = click.option(*declarations, name, callback=_agree, **settings)(command)
            else:
                # Refuse the option before its value is parsed: an invalid value does not matter then.
                kind: dict[str, Any] = {"is_flag": True} if settings.get("is_flag") else {"multiple": True}
                command = click.option(
                    *declarations,
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
    """Return the value of an option given here, before the command, or both with the same value."""
    before = _given_before(context, option)
    if isinstance(values, bool):
        return values or any(before)
    given = list(dict.fromkeys([*before, *(values if _is_given(context, option) else ())]))
    if len(given) > 1:
        raise click.UsageError(
            f"{option.opts[0]} is given twice, as {given[0]} and as {given[1]}: give it once", context
        )
    return given[0] if given else values[0]


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


_OPTIONS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "new": (("--new",), {"is_flag": True, "help": "Start a new Lamptown run."}),
    "runs_dir": (
        ("--runs",),
        {
            "type": click.Path(path_type=Path, file_okay=False),
            "multiple": True,
            "default": (DEFAULT_RUNS,),
            "show_default": True,
            "help": "The folder that holds the runs.",
        },
    ),
    "host": (
        ("--host",),
        {"multiple": True, "default": ("127.0.0.1",), "show_default": True, "help": "Address to listen on."},
    ),
    "port": (
        ("--port",),
        {
            "type": click.IntRange(0, 65_535),
            "multiple": True,
            "default": (DEFAULT_PORT,),
            "show_default": True,
            "help": "The next free one is used if it is taken; 0: any.",
        },
    ),
    "smooth_after": (
        ("--smooth-after",),
        {
            "type": SecondsOrNever(),
            "multiple": True,
            "default": (DEFAULT_SMOOTH_AFTER,),
            "show_default": True,
            "help": "Smooth finished runs for replay after this time without a request; 'never': do not.",
        },
    ),
    "no_browser": (("--no-browser",), {"is_flag": True, "help": "Print the address, open nothing."}),
    "hold": (
        ("--hold",),
        {
            "type": click.FloatRange(0, MAX_HOLD_SECONDS),
            "metavar": "SECONDS",
            "multiple": True,
            "default": (DEFAULT_HOLD,),
            "show_default": True,
            "help": "How long a new run waits for its map before its first step; 0: not at all.",
        },
    ),
    "print_token": (("--print-token",), {"is_flag": True, "help": "Print the presenter's token too."}),
    "classroom": (
        ("--classroom",),
        {
            "is_flag": True,
            "help": "Let a class on your network watch: print the address, a QR code and a code.",
        },
    ),
    "class_host": (
        ("--class-host",),
        {
            "multiple": True,
            "default": ("0.0.0.0",),
            "show_default": True,
            "help": "Address to listen on for the class.",
        },
    ),
    "class_port": (
        ("--class-port",),
        {
            "type": click.IntRange(0, 65_535),
            "multiple": True,
            "default": (DEFAULT_CLASS_PORT,),
            "show_default": True,
            "help": "The next free one is used if it is taken; 0: any.",
        },
    ),
    "class_size": (
        ("--class-size",),
        {
            "type": click.IntRange(1, 5_000),
            "multiple": True,
            "default": (MAX_VIEWERS,),
            "show_default": True,
            "help": "The most viewers at a time.",
        },
    ),
    "class_behind": (
        ("--class-behind",),
        {
            "metavar": "URL",
            "multiple": True,
            "default": (None,),
            "help": "The https://HOST[:PORT] at which the class reaches a TLS proxy in front of this server.",
        },
    ),
    "trust_proxy": (
        ("--trust-proxy",),
        {
            "metavar": "ADDRESS",
            "multiple": True,
            "default": (None,),
            "help": "Address or network of that proxy: only it may connect, and only its forwarded headers are trusted.",
        },
    ),
}
"""The flags and the other arguments of `click.option`, by the parameter's name. Options with a value are `multiple` so
that giving one twice is detected."""
