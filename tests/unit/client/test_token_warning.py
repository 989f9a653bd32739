"""A token that would leave this machine unencrypted."""

from __future__ import annotations

import warnings

import pytest

import lamplighter


@pytest.mark.parametrize(
    "address",
    [
        "http://192.0.2.7:8600/?run=a",
        "ws://school.example:8600/api/runs/a/live",
        "http://127.0.0.1.example/?run=a",
    ],
)
def test_it_is_said_before_it_goes(address: str) -> None:
    with pytest.warns(UserWarning, match="unencrypted"):
        lamplighter.follow(address, token="secret")


@pytest.mark.parametrize(
    ("address", "token"),
    [
        ("http://192.0.2.7:8600/?run=a", None),
        ("https://school.example/?run=a", "secret"),
        ("http://127.0.0.1:8600/?run=a", "secret"),
        ("http://[::1]:8600/?run=a", "secret"),
        ("http://LOCALHOST:8600/?run=a", "secret"),
        ("http://lamplighter.localhost:8600/?run=a", "secret"),
    ],
)
def test_nothing_is_printed_without_a_reader(address: str, token: str | None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lamplighter.follow(address, token=token)
