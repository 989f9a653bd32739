"""The command `lamplighter completion`: the script with which a shell completes commands, options and the ids of runs."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import get_completion_class

from lamplighter.cli.common import common_options
from lamplighter.cli.terminal import print_lines

_PROGRAM, _VARIABLE = "lamplighter", "_LAMPLIGHTER_COMPLETE"
"""The names by which click's scripts call this program."""


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@common_options()
@click.pass_context
def completion_command(context: click.Context, runs_dir: Path, shell: str) -> None:
    """Print the script that lets a shell complete commands, options and the ids of runs.

    \b
    bash   echo 'eval "$(lamplighter completion bash)"' >> ~/.bashrc
    zsh    echo 'eval "$(lamplighter completion zsh)"' >> ~/.zshrc
    fish   lamplighter completion fish > ~/.config/fish/completions/lamplighter.fish
    """
    del runs_dir
    kind = get_completion_class(shell)
    assert kind is not None
    # The text of `source()` without its look at the version of an installed bash, which may be another one.
    completion = kind(context.find_root().command, {}, _PROGRAM, _VARIABLE)
    print_lines((completion.source_template % completion.source_vars()).splitlines())
