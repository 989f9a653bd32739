"""The command `lamplighter doctor`: what it prints and how it ends, on a machine that is made up."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lamplighter.cli.app import cli
from lamplighter.cli.doctor import command as doctor
from lamplighter.cli.doctor.command import Network
from tests.unit.doctor.networks import HOME, at, network

ROOT = Path(__file__).parents[3]


def typed(monkeypatch: pytest.MonkeyPatch, seen: Network, *words: str) -> tuple[Result, int]:
    """Run the command in a network. Returns what it said, and the exit code that `lamplighter` ends with."""
    monkeypatch.setattr(doctor, "run_doctor", partial(doctor.run_doctor, read=lambda: seen))
    done = CliRunner().invoke(cli, ["doctor", "--class-port", "0", *words], standalone_mode=False)
    assert done.exception is None, done.output
    return done, int(done.return_value)


@contextmanager
def running() -> Generator[tuple[subprocess.Popen[str], str]]:
    """Run the doctor in another process, with a made-up network. Yields it with the page's port and path."""
    code = (
        # A child of a background script ignores Ctrl-C.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "import sys; from functools import partial; from lamplighter.cli.doctor.command import PhonePage, run_doctor;"
        "from tests.unit.doctor.networks import HOME; open_page = partial(PhonePage, is_own=lambda _: False);"
        "sys.exit(run_doctor('0.0.0.0', 0, 600, read=lambda: HOME, open_page=open_page))"
    )
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "backend")]),
        "PYTHONUNBUFFERED": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "-X", "faulthandler", "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        assert process.stdout is not None
        link = ""
        for line in process.stdout:
            if line.startswith("or type:"):
                link = line.split()[-1]
            if line.startswith("Waiting"):
                break
        yield process, link.partition("192.168.1.7")[2]
    finally:
        process.kill()
        process.communicate()


def test_a_phone_is_seen_and_the_doctor_ends_well():
    with running() as (process, rest):
        with urllib.request.urlopen(f"http://127.0.0.1{rest}", timeout=10) as answer:
            assert b"Seen" in answer.read()
        said, errors = process.communicate(timeout=30)
        assert process.returncode == 0, errors
        assert "seen: a phone at 127.0.0.1, at the address 127.0.0.1" in said
        assert "lamplighter --classroom" in said


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
def test_ctrl_c_ends_it_at_once():
    with running() as (process, _):
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            # Where it stands is worth more than that it does.
            process.send_signal(signal.SIGABRT)
            raise AssertionError(process.communicate()[1]) from None
        assert process.returncode not in (0, 1, 2)


def test_no_phone_is_an_exit_code_and_a_checklist(monkeypatch: pytest.MonkeyPatch):
    done, code = typed(monkeypatch, HOME, "--wait", "1")
    assert code == 1
    assert "or type:  http://192.168.1.7:" in done.output
    assert "█" in done.output
    checked, _, rest = done.output.partition("It cannot check:")
    assert "  ok  This computer is in a network, at 192.168.1.7." in checked
    # The address is made up, so nothing answers there.
    assert "  !!  The page does not answer at 192.168.1.7" in checked
    assert "isolate devices" in rest
    assert "firewall" in rest


def test_other_addresses_are_named_to_be_tried(monkeypatch: pytest.MonkeyPatch):
    done, _ = typed(monkeypatch, network(at("192.168.1.7"), at("10.0.0.3", "eth0")), "--wait", "1")
    shown, _, rest = done.output.partition("It cannot check:")
    assert "http://10.0.0.3:" not in shown
    assert "http://10.0.0.3:" in rest


def test_without_a_network_there_is_no_code_to_show(monkeypatch: pytest.MonkeyPatch):
    done, code = typed(monkeypatch, network())
    assert code == 2
    assert "█" not in done.output
    assert "Join the Wi-Fi" in done.output


def test_a_port_that_is_taken_is_said(monkeypatch: pytest.MonkeyPatch):
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(doctor, "run_doctor", partial(doctor.run_doctor, read=lambda: HOME))
        done = CliRunner().invoke(cli, ["doctor", "--class-port", str(port)], standalone_mode=False)
        assert done.return_value == 2
        assert f"port {port} is taken" in done.output


@pytest.mark.parametrize("words", [["--class-host", "127.0.0.1"], ["--class-host", "203.0.113.9"]])
def test_a_host_that_no_phone_can_reach_is_refused(words: list[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doctor, "run_doctor", partial(doctor.run_doctor, read=lambda: HOME))
    done = CliRunner().invoke(cli, ["doctor", "--class-port", "0", *words], standalone_mode=False)
    assert done.return_value == 2
    assert words[1] in done.output
