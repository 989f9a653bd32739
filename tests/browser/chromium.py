"""Finds a Chromium for the browser tests, and installs one if there is none.

As a script it installs the missing browser, or prints the exact command to run and fails.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
VARIABLE = "LAMPLIGHTER_CHROMIUM"
FLAGS = (
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""WebGL2 in software, for the same picture on every machine, and no network traffic from the
browser itself.
"""


class NoChromiumError(RuntimeError):
    """No Chromium was found; the message contains the command that installs one."""


def find_chromium() -> str:
    """Find a Chromium. Returns its path.

    Raises:
        NoChromiumError: there is none.
    """
    named = os.environ.get(VARIABLE)
    if named:
        return named
    for name in NAMES:
        if path := shutil.which(name):
            return path
    own = Path.home() / ".cache" / "ms-playwright"
    for path in sorted(own.glob("chromium-*/chrome-linux*/chrome"), reverse=True):
        return str(path)
    raise NoChromiumError(f"no Chromium for the browser tests; install one with: {install_hint()}")


def launch_arguments(*flags: str) -> dict[str, object]:
    """Return the keyword arguments for Playwright's `chromium.launch`, with further command-line flags."""
    sandbox = ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()
    return {"executable_path": find_chromium(), "args": [*FLAGS, *flags, *sandbox]}


def install_hint() -> str:
    """Return the command that installs a Chromium on this machine."""
    if shutil.which("apt-get"):
        return "sudo apt-get update && sudo apt-get install --yes chromium"
    return f"{sys.executable} -m playwright install --with-deps chromium   (or set {VARIABLE})"


def install() -> None:
    """Install a Chromium with the rights of this user.

    Raises:
        NoChromiumError: the installation failed.
    """
    commands: list[list[str]] = []
    if shutil.which("apt-get") and os.geteuid() == 0:
        commands += [["apt-get", "update", "-qq"], ["apt-get", "install", "-qq", "--yes", "chromium"]]
    else:
        commands.append([sys.executable, "-m", "playwright", "install", "chromium"])
    for command in commands:
        print(" ".join(command), flush=True)
        if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode:
            break
    find_chromium()


if __name__ == "__main__":
    try:
        try:
            print(f"browser: {find_chromium()}")
        except NoChromiumError:
            install()
            print(f"browser: {find_chromium()}")
    except NoChromiumError as error:
        sys.exit(str(error))
