"""Networks of a test's own, which only Linux has: a program there sees no interface but those that the test made."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys

import pytest


def why_no_namespaces() -> str:
    """Return why this system gives a test no network of its own; "" if it does."""
    if not sys.platform.startswith("linux"):
        return "networks of one's own are Linux's"
    if not shutil.which("unshare") or not shutil.which("ip"):
        return "unshare and ip (util-linux, iproute2) are not installed"
    done = subprocess.run(
        ["unshare", "-rn", "sh", "-c", "ip link add n0 type veth peer name n1"],
        capture_output=True,
        text=True,
        check=False,
    )
    return f"this system gives no network of one's own: {done.stderr.strip()}" if done.returncode else ""


_REASON = why_no_namespaces()
NAMESPACES = pytest.mark.skipif(_REASON != "", reason=_REASON)


def run_in_namespace(build: str, command: list[str], timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run a command in a network of its own, which a few lines of shell build before.

    Raises:
        subprocess.TimeoutExpired: it took longer than `timeout` seconds.
    """
    script = f"set -e\n{build}\nexec {shlex.join(command)}"
    return subprocess.run(
        ["unshare", "-rn", "sh", "-c", script], capture_output=True, text=True, timeout=timeout, check=False
    )


def why_no_bridge() -> str:
    """Return why this system gives a test no Wi-Fi of its own, two networks and a bridge between; "" if it does."""
    if _REASON or not shutil.which("nsenter"):
        return _REASON or "nsenter (util-linux) is not installed"
    script = (
        "ip link add b0 type bridge && ip link add n0 type veth peer name n1 && ip link set n0 master b0"
        " && ip link set n0 type bridge_slave isolated on && ip rule add pref 9 from 10.9.9.9 ipproto tcp blackhole"
    )
    done = run_in_namespace(script, ["true"])
    return f"this system gives no bridge of one's own: {done.stderr.strip()}" if done.returncode else ""
