"""`lamplighter doctor` and a phone in separate network namespaces, with real obstacles in between.

All scenes run at the same time. Systems without such namespaces still have `tests/unit/doctor`, which
simulates the same causes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.doctor.two_networks import COMPUTER, COMPUTER6, MOVED, PHONE, PHONE6
from tests.support.machine.namespaces import NAMESPACES, why_no_bridge

ROOT = Path(__file__).parents[3]
_WHY = why_no_bridge()
pytestmark = [NAMESPACES, pytest.mark.skipif(_WHY != "", reason=_WHY)]


@pytest.fixture(scope="module")
def played() -> dict[str, Any]:
    """Return the result of each scene."""
    script = Path(__file__).with_name("two_networks.py")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(
        ["unshare", "-rn", sys.executable, str(script)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_phone_that_gets_through_is_detected(played: dict[str, Any]):
    scene = played["reached"]
    assert scene["code"] == 0
    assert f"seen: a phone at {PHONE}" in scene["said"]
    assert f"at the address {COMPUTER}" in scene["said"]
    assert "<h1>Seen</h1>" in scene["phone"]


def test_an_isolating_wifi_is_the_remaining_cause(played: dict[str, Any]):
    scene = played["isolated"]
    assert scene["code"] == 1
    assert "no answer" in scene["phone"]
    assert f"ok  The page answers at {COMPUTER}" in scene["said"]
    assert "Nothing on the network has reached this computer" in scene["said"]
    assert "isolate devices" in scene["said"]


def test_a_port_scanner_is_not_a_phone_but_shows_that_the_network_is_open(played: dict[str, Any]):
    scene = played["scanner"]
    assert scene["code"] == 1
    assert f"Something at {PHONE} came but did not open the page" in scene["said"]
    assert "Nothing on the network" not in scene["said"]


def test_a_vpn_is_named_and_its_address_not_shown_first(played: dict[str, Any]):
    said = played["vpn"]["said"]
    assert f"or type:  http://{COMPUTER}:" in said
    assert "A VPN (tun7) carries this computer's traffic" in said
    assert "http://10.8.0.2:" in said.partition("its other address")[2]


def test_an_address_that_changes_during_the_wait_is_noticed(played: dict[str, Any]):
    assert f"address was {COMPUTER}, and is now {MOVED}" in played["moved"]["said"]


def test_the_page_works_with_ipv6_only(played: dict[str, Any]):
    scene = played["reached by IPv6"]
    assert scene["code"] == 0
    assert f"seen: a phone at {PHONE6}" in scene["said"]
    assert f"or type:  http://[{COMPUTER6}]:" in scene["said"]
    assert "--class-host ::" in scene["said"]
    scene = played["IPv6 only"]
    assert scene["code"] == 1
    assert "IPv6 addresses only" in scene["said"]


def test_without_a_network_the_doctor_does_not_wait(played: dict[str, Any]):
    scene = played["no network"]
    assert scene["code"] == 2
    assert "not in a network" in scene["said"]
    assert "Waiting" not in scene["said"]
