"""The address of a broker: encrypted beyond this machine, and without a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from lamplighter.web.settings import BrokerSettings, ClassSettings, ServerSettings, SettingsError


@pytest.mark.parametrize(
    ("url", "insecure"),
    [
        ("nats://127.0.0.1:4222", False),
        ("nats://localhost:4222", False),
        ("nats://[::1]:4222", False),
        ("tls://broker.school.example:4222", False),
        ("nats://192.168.1.7:4222", True),
    ],
)
def test_a_broker_is_taken(url: str, insecure: bool):
    BrokerSettings(url, insecure).check()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("nats://192.168.1.7:4222", "use tls://"),
        ("nats://localhost.school.example:4222", "use tls://"),
        ("nats://token@127.0.0.1:4222", "LAMPLIGHTER_BROKER_TOKEN"),
        ("nats://user:word@127.0.0.1:4222", "LAMPLIGHTER_BROKER_TOKEN"),
        ("http://127.0.0.1:4222", "write tls://"),
        ("127.0.0.1:4222", "write tls://"),
        ("nats://127.0.0.1", "write tls://"),
        ("tls://broker.example:4222/x", "write tls://"),
        ("tls://broker.example:4222\n", "write tls://"),
    ],
)
def test_a_broker_is_refused_with_the_reason(url: str, why: str):
    settings = ServerSettings(Path(), classroom=ClassSettings(broker=BrokerSettings(url)))
    with pytest.raises(SettingsError, match=why):
        settings.check()
