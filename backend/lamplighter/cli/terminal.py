"""Lines that the command line prints: text of a run cannot act on the terminal that shows it.

Every command prints through this module, whatever it prints.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from contextlib import suppress
from types import TracebackType

import click

from lamplighter.platform.qr_code import qr_for_terminal
from lamplighter.printable import escape_unprintable

_KILL_AFTER = 0.25
"""Seconds that an interrupted worker has to end, before it is killed."""


def print_line(text: str, *, err: bool = False) -> None:
    """Print one line, on standard error if `err`, with the codes of unprintable characters in their place."""
    click.echo(escape_unprintable(text), err=err)


def print_qr_code(text: str) -> None:
    """Print the QR code of a text, light on dark whatever the terminal's colours are; nothing where the output has no
    characters to draw it with."""
    drawn = qr_for_terminal(text)
    try:
        drawn.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return
    for line in drawn.split("\n"):
        # Bright white on black. Where the output is no terminal, click leaves the colours out.
        click.secho(line, fg="bright_white", bg="black")


def log_to_terminal() -> None:
    """Print what is logged on standard error, with the codes of unprintable characters in their place."""
    handler = logging.StreamHandler()
    handler.setFormatter(_PrintableFormatter("%(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def run_worker_process(command: list[str]) -> int:
    """Run a worker, print what it says, and return its exit code. Ctrl-C ends it too."""
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, encoding="utf-8", errors="backslashreplace"
    ) as process:
        assert process.stderr is not None
        try:
            for line in process.stderr:
                print_line(line.rstrip("\n"), err=True)
            return process.wait()
        except BaseException:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_KILL_AFTER)
            process.kill()
            raise


class _PrintableFormatter(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:
        return escape_unprintable(super().formatMessage(record))

    def formatException(
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        return "\n".join(map(escape_unprintable, super().formatException(ei).split("\n")))
