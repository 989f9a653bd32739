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
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lamplighter.cli import doctor
from lamplighter.cli.app import cli
from tests.unit.doctor.fake_probe import FakeProbe, facts

ROOT = Path(__file__).parents[3]


def typed(monkeypatch: pytest.MonkeyPatch, probe: FakeProbe, *words: str) -> tuple[Result, int]:
    """Run the command. Returns what it said, and the exit code that `lamplighter` ends with."""
    monkeypatch.setattr(doctor, "SystemProbe", lambda: probe)
    done = CliRunner().invoke(cli, ["doctor", "--class-port", "0", *words], standalone_mode=False)
    assert done.exception is None, done.output
    return done, int(done.return_value)


@contextmanager
def running(probe: str) -> Generator[tuple[subprocess.Popen[str], str]]:
    """Run the doctor in a process of its own, with a made-up machine. Yields it with the page's path and port."""
    code = (
        # Whoever is started in the background of a script ignores Ctrl-C, and so do its children.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "import sys; from lamplighter.cli.doctor import run_doctor; from tests.unit.doctor.fake_probe import *;"
        f"sys.exit(run_doctor({probe}, '0.0.0.0', 0, 600))"
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
    with running("FakeProbe()") as (process, rest):
        with urllib.request.urlopen(f"http://127.0.0.1{rest}", timeout=10) as answer:
            assert b"Seen" in answer.read()
        said, errors = process.communicate(timeout=30)
        assert process.returncode == 0, errors
        assert "seen: a phone at 127.0.0.1, after" in said
        assert "lamplighter --classroom" in said


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
def test_ctrl_c_ends_it_at_once_though_the_firewall_does_not_answer():
    with running("FakeProbe(slow=600)") as (process, _):
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            # Where it stands is worth more than that it does.
            process.send_signal(signal.SIGABRT)
            raise AssertionError(process.communicate()[1]) from None
        assert process.returncode not in (0, 1, 2)


def test_no_phone_is_an_exit_code_and_a_list(monkeypatch: pytest.MonkeyPatch):
    done, code = typed(monkeypatch, FakeProbe(), "--wait", "1")
    assert code == 1
    assert "or type:  http://192.168.1.7:" in done.output
    assert "█" in done.output
    before, _, after = done.output.partition("It may be")
    assert "no phone came in 1 s" in before
    assert "  - sleep:" in before
    # The address is made up, so nothing answers there.
    assert "  1. The page does not answer at 192.168.1.7" in after
    assert "  2. The Wi-Fi may keep its guests apart" in after


def test_without_a_network_there_is_no_code_to_show(monkeypatch: pytest.MonkeyPatch):
    done, code = typed(monkeypatch, FakeProbe(views=[facts()]))
    assert code == 2
    assert "█" not in done.output
    assert "Join the Wi-Fi" in done.output


def test_on_windows_it_says_what_windows_will_ask(monkeypatch: pytest.MonkeyPatch):
    done, _ = typed(monkeypatch, FakeProbe(system="windows"), "--wait", "1")
    assert "If Windows asks" in done.output


def test_a_port_that_is_taken_is_said(monkeypatch: pytest.MonkeyPatch):
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(doctor, "SystemProbe", FakeProbe)
        done = CliRunner().invoke(cli, ["doctor", "--class-port", str(port)], standalone_mode=False)
        assert done.return_value == 2
        assert f"port {port} is taken" in done.output


@pytest.mark.parametrize("words", [["--class-host", "127.0.0.1"], ["--class-host", "203.0.113.9"]])
def test_a_host_that_no_phone_can_reach_is_refused(words: list[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doctor, "SystemProbe", FakeProbe)
    done = CliRunner().invoke(cli, ["doctor", "--class-port", "0", *words], standalone_mode=False)
    assert done.return_value == 2
    assert words[1] in done.output
