"""The command `lamplighter`. An error is one line: what is wrong and what to do."""

from __future__ import annotations

import errno
import sys
from pathlib import Path
from typing import Any

import click

from lamplighter import __version__
from lamplighter.cli.command_table import COMMANDS, CommandTable
from lamplighter.cli.common import DEFAULT_RUNS, SERVING, common_options
from lamplighter.cli.language import VARIABLE, choose_language, tell, tell_error
from lamplighter.cli.serve import serve_app
from lamplighter.cli.terminal import print_line, print_lines
from lamplighter.contract.sentences import LANGUAGES

TOLD = {
    "lamplighter.cli.checkpoints.remote.address:FetchError",
    "lamplighter.client.errors:InputError",
    "lamplighter.contract.recipe_file:RecipeError",
    "lamplighter.corpora.corpus:CorpusError",
    "lamplighter.forks.errors:ForkError",
    "lamplighter.runfolder.errors:FormatError",
    "lamplighter.runfolder.errors:NoSnapshotError",
    "lamplighter.runfolder.errors:NotComparableError",
    "lamplighter.runfolder.role_lock:RoleTakenError",
    "lamplighter.runfolder.run_store:NoSuchSetError",
    "lamplighter.runfolder.run_store:RunBusyError",
}
"""The errors whose message is the line to print, by module and name: whoever meets none of them does not import them."""


@click.group(
    cls=CommandTable,
    table=COMMANDS,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="lamplighter")
@click.option(
    "--lang",
    type=click.Choice(LANGUAGES),
    callback=choose_language,
    is_eager=True,
    expose_value=False,
    help=f"Language of errors, doctor and class-report.  [default: {VARIABLE}, else the system's]",
)
@common_options("new", *SERVING)
@click.pass_context
def cli(context: click.Context, new: bool, runs_dir: Path, **serving: Any) -> None:
    """Watch a language model learn.

    Without a command, serve, and open the browser on the last run. The first time, or with --new, start a new run on
    Lamptown, a generated town of some 2,400 words.
    """
    if context.invoked_subcommand is None:
        serve_app(runs_dir, new=new, **serving)


def main() -> None:
    """Run the command line and exit."""
    try:
        code = cli.main(standalone_mode=False, prog_name="lamplighter")
    except click.exceptions.NoArgsIsHelpError as error:
        print_lines(error.format_message().splitlines())
        code = 0
    except click.UsageError as error:
        help = f" (see: {error.ctx.command_path} --help)" if error.ctx is not None else ""
        code = _print_error(f"{tell_error(error.format_message(), error.__cause__)}{help}", error.exit_code)
    except click.ClickException as error:
        code = _print_error(tell_error(error.format_message(), error.__cause__), error.exit_code)
    except click.Abort:
        code = 130
    except Exception as error:
        message = _explain(error)
        if message is None:
            raise
        code = _print_error(message, 1)
    sys.exit(code if isinstance(code, int) else 0)


def _explain(error: Exception) -> str | None:
    """Return the line to print for an error, or None if the error is a bug."""
    # These modules are slow to import.
    from lamplighter.runfolder.errors import READ_ERRORS
    from lamplighter.runfolder.run_store import NoSuchRunError
    from lamplighter.runfolder.writing.free_space import has_no_room

    if isinstance(error, NoSuchRunError):
        return tell("list_runs", error=tell_error(str(error), error), runs=str(DEFAULT_RUNS))
    if any(f"{kind.__module__}:{kind.__name__}" in TOLD for kind in type(error).__mro__):
        return tell_error(str(error), error)
    if has_no_room(error):
        return tell("no_room")
    if isinstance(error, OSError):
        told = f"{error.filename or 'disk'}: {error.strerror or error}"
        return tell("read_only", error=told) if error.errno == errno.EROFS else told
    if isinstance(error, READ_ERRORS):
        return tell("unreadable", error=str(error))
    return None


def _print_error(message: str, code: int) -> int:
    print_line(f"lamplighter: {' '.join(message.split())}", err=True)
    return code
