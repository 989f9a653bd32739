"""Network namespaces for tests, only on Linux: a program there sees only the interfaces that the
test made.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys

import pytest


def why_no_namespaces() -> str:
    """Return why this system provides no network namespaces; "" if it does."""
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
    """Run a command in its own network namespace, which shell lines set up first.

    Raises:
        subprocess.TimeoutExpired: it took longer than `timeout` seconds.
    """
    script = f"set -e\n{build}\nexec {shlex.join(command)}"
    return subprocess.run(
        ["unshare", "-rn", "sh", "-c", script], capture_output=True, text=True, timeout=timeout, check=False
    )


def why_no_bridge() -> str:
    """Return why this system cannot simulate a Wi-Fi, two networks and a bridge between them; ""
    if it can.
    """
    if _REASON or not shutil.which("nsenter"):
        return _REASON or "nsenter (util-linux) is not installed"
    script = (
        "ip link add b0 type bridge && ip link add n0 type veth peer name n1 && ip link set n0 master b0"
        " && ip link set n0 type bridge_slave isolated on && ip rule add pref 9 from 10.9.9.9 ipproto tcp blackhole"
    )
    done = run_in_namespace(script, ["true"])
    return f"this system gives no bridge of one's own: {done.stderr.strip()}" if done.returncode else ""
