"""A simulated Wi-Fi of three network namespaces: the doctor's computer, a phone, and a bridge between them.

Run in its own namespace (`unshare -rn python two_networks.py`), it plays every scene at the same time. Prints
a JSON object: by scene, the doctor's exit code, its output, and what the phone got. One process imports the
program, and all others are forked from it.
"""

from __future__ import annotations

import ctypes
import json
import multiprocessing
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess

from lamplighter.cli.app import main

COMPUTER, MOVED, PHONE = "192.168.7.5", "192.168.7.6", "192.168.7.30"
COMPUTER6, PHONE6 = "fd12::5", "fd12::30"
_PORT = 8601
_NEW_NETWORK = 0x4000_0000
_FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Scene:
    """A network, and what the phone does in it."""

    wait: float = 3.0
    """Seconds that the doctor waits."""
    isolated: bool = False
    """True if the Wi-Fi isolates its clients."""
    version: int = 4
    build: Callable[[], None] = lambda: None
    """Changes the computer's network before the doctor starts."""
    during: Callable[[], None] = lambda: None
    """Changes it while the doctor waits."""
    opens: Callable[[str], str] = lambda url: url
    """Returns the address that the phone opens, from the one that the doctor shows."""


def ip(words: str) -> None:
    """Run `ip` with these arguments.

    Raises:
        CalledProcessError: it failed.
    """
    subprocess.run(["ip", *words.split()], check=True)


def take_all_routes() -> None:
    """Make a tunnel that takes all outgoing traffic, as a VPN does."""
    ip("link add tun7 type veth peer name ptun7")
    ip("addr add 10.8.0.2/24 dev tun7")
    ip("link set ptun7 up")
    ip("link set tun7 up")
    ip("route del default")
    ip("route add default via 10.8.0.1")


def move_away() -> None:
    """Give the computer another address."""
    ip(f"addr del {COMPUTER}/24 dev w0")
    ip(f"addr add {MOVED}/24 dev w0")
    ip("route replace default dev w0")


SCENES: dict[str, Scene] = {
    "reached": Scene(wait=60),
    "isolated": Scene(isolated=True),
    "scanner": Scene(opens=lambda url: url.rsplit("/", 1)[0]),
    "vpn": Scene(build=take_all_routes, isolated=True),
    "moved": Scene(during=move_away, isolated=True),
    "reached by IPv6": Scene(wait=60, version=6),
    "IPv6 only": Scene(version=6, isolated=True),
    "no network": Scene(build=lambda: ip("link del w0")),
}


def unshare_network() -> None:
    """Move this process into a new, empty network namespace.

    Raises:
        OSError: the system does not allow it.
    """
    if ctypes.CDLL(None, use_errno=True).unshare(_NEW_NETWORK) != 0:
        raise OSError(ctypes.get_errno(), "unshare")


def hold_network(pipe: Connection) -> None:
    """Keep a network namespace open, until told to open an address there and report the result, or to end."""
    unshare_network()
    pipe.send("ready")
    url = pipe.recv()
    if not url:
        return
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            pipe.send(answer.read().decode())
    except OSError as error:
        pipe.send(f"no answer: {error}")


class Machine:
    """A process in its own network namespace."""

    def __init__(self) -> None:
        self.pipe, theirs = _FORK.Pipe()
        self.process: ForkProcess = _FORK.Process(target=hold_network, args=(theirs,), daemon=True)
        self.process.start()
        assert self.pipe.recv() == "ready"

    def run(self, script: str) -> None:
        """Run shell lines in its namespace.

        Raises:
            CalledProcessError: one of them failed.
        """
        subprocess.run(["nsenter", "-t", str(self.process.pid), "-n", "sh", "-ec", script], check=True)


def examine(scene: Scene, out: int) -> None:
    """Run the doctor, and exit with its code. It writes to the descriptor `out`."""
    os.dup2(out, 1)
    os.dup2(out, 2)
    sys.stdout = open(1, "w", encoding="utf-8")  # noqa: SIM115
    sys.argv = ["lamplighter", "doctor", "--class-port", str(_PORT), "--wait", str(scene.wait)]
    main()


def connect(wifi: Machine, phone: Machine, scene: Scene) -> None:
    """Connect the computer and the phone to the Wi-Fi."""
    ip("link set lo up")
    for ours, theirs in (("w0", "a0"), ("p0", "b0")):
        ip(f"link add {ours} type veth peer name {theirs}")
        ip(f"link set {theirs} netns {wifi.process.pid}")
    ip(f"link set p0 netns {phone.process.pid}")
    at, to = (f"{COMPUTER}/24", f"{PHONE}/24") if scene.version == 4 else (f"{COMPUTER6}/64", f"{PHONE6}/64")
    nodad = "nodad" if scene.version == 6 else ""
    ip(f"addr add {at} dev w0 {nodad}")
    ip("link set w0 up")
    isolated = "on" if scene.isolated else "off"
    wifi.run(
        "ip link add br0 type bridge; ip link set br0 up; for port in a0 b0; do ip link set $port master br0; "
        f"ip link set $port up; ip link set $port type bridge_slave isolated {isolated}; done"
    )
    phone.run(f"ip link set lo up; ip addr add {to} dev p0 {nodad}; ip link set p0 up")
    ip(f"-{scene.version} route add default dev w0")


def play(scene: Scene, told: Connection) -> None:
    """Play a scene, and report the result."""
    unshare_network()
    wifi, phone = Machine(), Machine()
    connect(wifi, phone, scene)
    scene.build()
    reading, writing = os.pipe()
    doctor = _FORK.Process(target=examine, args=(scene, writing))
    doctor.start()
    os.close(writing)
    said, got, url = "", "", ""
    with open(reading, encoding="utf-8") as lines:
        for line in lines:
            said += line
            if line.startswith("or type:"):
                url = line.split()[-1]
            if line.startswith("Waiting"):
                scene.during()
                phone.pipe.send(scene.opens(url))
                got = phone.pipe.recv()
    doctor.join()
    told.send({"code": doctor.exitcode, "said": said, "phone": got})


def play_all() -> dict[str, object]:
    """Play every scene. Returns the result of each."""
    playing: dict[str, Connection] = {}
    for name, scene in SCENES.items():
        ours, theirs = _FORK.Pipe()
        _FORK.Process(target=play, args=(scene, theirs)).start()
        theirs.close()
        playing[name] = ours
    return {name: pipe.recv() for name, pipe in playing.items()}


if __name__ == "__main__":
    print(json.dumps(play_all()))
