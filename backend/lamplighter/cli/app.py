"""The command `lamplighter`. Errors are one line that tells what is wrong and what to do."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from lamplighter import __version__
from lamplighter.cli.claims import claims_command
from lamplighter.cli.common import SERVING, common_options
from lamplighter.cli.doctor import doctor_command
from lamplighter.cli.examine import examine_command
from lamplighter.cli.exports import export_command, gallery_command, import_command
from lamplighter.cli.lessons import lessons_group
from lamplighter.cli.planted import planted_command
from lamplighter.cli.runs import runs_group
from lamplighter.cli.series import series_command
from lamplighter.cli.serve import serve_app, serve_command
from lamplighter.cli.sessions import sessions_command
from lamplighter.cli.still import still_command
from lamplighter.cli.terminal import print_line
from lamplighter.cli.train import train_command
from lamplighter.cli.workers import analyse_command, project_command
from lamplighter.corpora.corpus import CorpusError
from lamplighter.recipe import RecipeError
from lamplighter.runfolder.errors import READ_ERRORS, FormatError
from lamplighter.runfolder.role_lock import RoleTakenError
from lamplighter.runfolder.run_store import NoSuchRunError, RunBusyError


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lamplighter")
@common_options("new", *SERVING)
@click.pass_context
def cli(context: click.Context, new: bool, runs_dir: Path, **serving: Any) -> None:
    """Watch a language model learn.

    Without a command, serve, and open the browser on the last run. The first time, or with --new, start a new run on
    Lamptown, a generated town of some 2,400 words.
    """
    if context.invoked_subcommand is None:
        serve_app(runs_dir, new=new, **serving)


cli.add_command(train_command)
cli.add_command(project_command)
cli.add_command(analyse_command)
cli.add_command(examine_command)
cli.add_command(claims_command)
cli.add_command(lessons_group)
cli.add_command(planted_command)
cli.add_command(serve_command)
cli.add_command(doctor_command)
cli.add_command(sessions_command)
cli.add_command(still_command)
cli.add_command(series_command)
cli.add_command(runs_group)
cli.add_command(export_command)
cli.add_command(gallery_command)
cli.add_command(import_command)


def main() -> None:
    """Run the command line and exit."""
    try:
        code = cli.main(standalone_mode=False, prog_name="lamplighter")
    except click.exceptions.NoArgsIsHelpError as error:
        for line in error.format_message().splitlines():
            print_line(line)
        code = 0
    except click.ClickException as error:
        code = _print_error(error.format_message(), error.exit_code)
    except (RecipeError, CorpusError, FormatError, NoSuchRunError, RunBusyError, RoleTakenError) as error:
        code = _print_error(str(error), 1)
    except OSError as error:
        # For a full disk or a read-only folder, a traceback does not help anybody.
        code = _print_error(f"{error.filename or 'disk'}: {error.strerror or error}", 1)
    except READ_ERRORS as error:
        code = _print_error(f"a run's file cannot be read: {error}", 1)
    except click.Abort:
        code = 130
    sys.exit(code if isinstance(code, int) else 0)


def _print_error(message: str, code: int) -> int:
    print_line(f"lamplighter: {' '.join(message.split())}", err=True)
    return code
