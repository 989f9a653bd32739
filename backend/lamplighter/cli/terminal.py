"""Lines and progress bars of the command line. Text from a run cannot control the terminal.

Every command prints through this module.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING

import click

from lamplighter.platform.printable import escape_unprintable

if TYPE_CHECKING:
    from rich.progress import Progress

_KILL_AFTER = 0.25
"""Seconds that an interrupted worker has to end before it is killed."""


def print_line(text: str, *, err: bool = False) -> None:
    """Print one line, on standard error if `err`, with unprintable characters replaced by their codes."""
    click.echo(escape_unprintable(text), err=err)


def print_lines(lines: Iterable[str]) -> None:
    """Print each line as `print_line` does."""
    for line in lines:
        print_line(line)


def print_qr_code(text: str) -> None:
    """Print the QR code of a text, light on dark on any terminal, or in its own colours if the environment has `NO_COLOR`;
    nothing if the output's encoding lacks the characters."""
    # Only a class needs it.
    from lamplighter.platform.qr_code import qr_for_terminal

    drawn = qr_for_terminal(text)
    try:
        drawn.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return
    for line in drawn.split("\n"):
        # Bright white on black. If the output is not a terminal, click omits the colours; it does not look at NO_COLOR.
        click.secho(line, fg="bright_white", bg="black", color=False if os.environ.get("NO_COLOR") else None)


def log_to_terminal() -> None:
    """Print log records on standard error, with unprintable characters replaced by their codes."""
    handler = logging.StreamHandler()
    handler.setFormatter(_PrintableFormatter("%(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def run_worker_process(command: list[str]) -> int:
    """Run a worker, print what it writes to standard error, and return its exit code. On Ctrl-C, and on
    SIGTERM, the worker has ended before KeyboardInterrupt is raised."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with subprocess.Popen(
            command, stderr=subprocess.PIPE, encoding="utf-8", errors="backslashreplace"
        ) as process:
            assert process.stderr is not None
            try:
                for line in process.stderr:
                    print_line(line.rstrip("\n"), err=True)
                return process.wait()
            except BaseException:
                process.terminate()
                try:
                    with suppress(subprocess.TimeoutExpired):
                        process.wait(_KILL_AFTER)
                finally:  # Ctrl-C may be pressed again.
                    process.kill()
                raise
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def show_progress(title: str, *, quiet: bool = False) -> Generator[Callable[..., None]]:
    """Show a progress bar on standard error while something is done; nothing if `quiet`, or if that is no
    terminal.

    Yields the function to call with the share done, from 0 to 1; it ignores further arguments. Before the
    first call the bar says only that something goes on.
    """
    if quiet or not sys.stderr.isatty():
        yield _show_nothing
        return
    with make_progress_bar() as bar:
        task = bar.add_task(title, total=None)

        def show(share: float, *_: object) -> None:
            bar.update(task, total=1.0, completed=share)

        yield show


def make_progress_bar(*, quiet: bool = False) -> Progress:
    """Return a progress bar on standard error, which disappears when it is done. It shows nothing if `quiet`, or if standard
    error is no terminal."""
    # Imported here so that commands without a bar start faster.
    from rich.console import Console
    from rich.progress import Progress

    return Progress(
        console=Console(stderr=True),
        transient=True,
        refresh_per_second=4,
        # Else what a command prints beside the bar would go to standard error, too.
        redirect_stdout=sys.stdout.isatty(),
        disable=quiet or not sys.stderr.isatty(),
    )


def _show_nothing(*_: object) -> None:
    pass


class _PrintableFormatter(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:
        return escape_unprintable(super().formatMessage(record))

    def formatException(
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        return "\n".join(map(escape_unprintable, super().formatException(ei).split("\n")))
