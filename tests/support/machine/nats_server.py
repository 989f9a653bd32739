"""A NATS broker for a test, and one address for several servers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
from pathlib import Path

from tests.support.machine.threaded_proxy import ThreadedProxy, pump
from tests.support.waiting import wait_until


class NatsServer:
    """A broker with its own folder, which can be stopped and started again at the same address."""

    def __init__(self, folder: Path) -> None:
        """Start it."""
        self.folder, self.port = folder, 0
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True)
        self.start()

    @property
    def url(self) -> str:
        """Return its address."""
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it listens."""
        ports = self.folder / "ports"
        ports.mkdir(exist_ok=True)
        for old in ports.iterdir():
            old.unlink()
        config = self.folder / "nats.conf"
        config.write_text(f'listen: "127.0.0.1:{self.port or -1}"\nports_file_dir: "{ports}"\n')
        program = Path(sys.executable).with_name("nats-server")
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen([program, "-c", config], stdout=subprocess.DEVNULL, stderr=log)

        def listens() -> bool:
            for found in ports.iterdir():
                with contextlib.suppress(ValueError, LookupError):
                    self.port = int(json.loads(found.read_text())["nats"][0].rpartition(":")[2])
                    return True
            return False

        wait_until(listens, "the broker")

    def stop(self) -> None:
        """Kill it, without warning to anybody."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def free_port() -> int:
    """Return a port of this machine that nothing listens on now."""
    with contextlib.closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Link(ThreadedProxy):
    """A TCP proxy. It forwards each connection to one of its targets in turn that accepts it."""

    def __init__(self, *targets: int) -> None:
        """Listen on a port of its own, for the ports `targets` of this machine."""
        self.targets = list(targets)
        super().__init__()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one connection in both directions."""
        self.targets.append(self.targets.pop(0))
        for target in list(self.targets):
            try:
                there, back = await asyncio.open_connection("127.0.0.1", target)
                break
            except OSError:
                continue
        else:
            writer.close()
            return
        try:
            await asyncio.gather(pump(reader, back), pump(there, writer))
        finally:
            writer.close()
            back.close()
