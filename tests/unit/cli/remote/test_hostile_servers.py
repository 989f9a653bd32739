"""Servers that lie, never end, or send us to where we must not go."""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lamplighter.cli.checkpoints.remote.address import (
    FetchError,
    StepChoice,
    UnavailableError,
    check_redirect,
    parse_address,
    require_web_address,
)
from lamplighter.cli.checkpoints.remote.fetch import Fetch
from lamplighter.cli.checkpoints.remote.listing import find_remote_tensor
from lamplighter.cli.checkpoints.remote.ranged_client import RangedClient
from lamplighter.client.errors import InputError
from tests.support.hub_server import Fault, Hub, status

NAMES = {"inside.test": ["10.0.0.7"], "split.test": ["1.1.1.1", "fe80::1%eth0"]}


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[RangedClient]:
    monkeypatch.setattr(RangedClient, "_wait", lambda *_: None)
    with RangedClient(resolver=lambda host: NAMES.get(host, [host])) as made:
        yield made


def plan(client: RangedClient, hub: Hub, folder: Path) -> Fetch:
    return Fetch(client, parse_address("hf://org/tiny"), hub.endpoint, folder)


def endless(**headers: str) -> Fault:
    """Return the fault of a body without an end."""

    def fault(handler: Any, data: bytes) -> bool:
        handler.send_response(206)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.close_connection = True
        try:
            for _ in range(10_000):
                handler.wfile.write(b"{" * 65_536)
        except OSError:
            return True
        raise AssertionError("all of the body was read")

    return fault


def lying(**headers: str) -> Fault:
    def fault(handler: Any, data: bytes) -> bool:
        handler.send_part(data, **{name.replace("_", "-"): value for name, value in headers.items()})
        return True

    return fault


LIES: dict[str, tuple[Fault, str]] = {
    "an endless body": (endless(content_range="bytes 0-65535/1605000"), "sends more than it says"),
    "an endless body of any kind": (endless(), "does not say which part"),
    "an endless body that says so": (endless(content_range="bytes 0-999999999/9999999999"), "another part"),
    "another start": (lying(content_range="bytes 5-65535/1605000"), "another part"),
    "an end after the end": (lying(content_range="bytes 0-65535/99"), "another part"),
    "no size": (lying(content_range="bytes 0-65535/*"), "does not say which part"),
    "no part": (status(206), "does not say which part"),
    "a page instead": (lambda handler, data: handler.answer(200, data) is None, "does not send parts"),
    "a choice": (status(300), "answers 300"),
    "no such range": (status(416), "shorter than it was"),
    "a file of ours": (status(302, location="file:///etc/passwd"), "not https and is not followed"),
    "a name inside": (status(302, location="//user@inside.test/"), "private network"),
    "a number inside": (status(302, location="https://10.0.0.7/x"), "private network"),
    "one of two addresses inside": (status(302, location="https://split.test/x"), "private network"),
    "no address": (status(302, location="https://[::1"), "no address|Invalid"),
    "a circle": (status(302, location="/org/tiny/resolve/main/model.safetensors"), "redirects more than"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lying_server_is_refused(client: RangedClient, hub: Hub, tmp_path: Path, lie: str):
    fault, what = LIES[lie]
    hub.faults["model.safetensors"] = [fault] * 8
    with pytest.raises(FetchError, match=what):
        plan(client, hub, tmp_path)


@pytest.mark.parametrize("length", ["10", "99999999"])
def test_a_body_of_another_length_breaks_off_again_and_again(
    client: RangedClient, hub: Hub, tmp_path: Path, length: str
):
    def fault(handler: Any, data: bytes) -> bool:
        handler.close_connection = True
        return lying(content_length=length)(handler, data)

    hub.faults["model.safetensors"] = [fault] * 8
    with pytest.raises(UnavailableError, match="6 times in a row"):
        plan(client, hub, tmp_path)


def test_a_small_file_without_a_length_is_read_to_its_end_and_no_further(client: RangedClient, hub: Hub):
    """A server may send small files compressed, in pieces, or both."""
    small = {"README.md": b"x" * 900, "bomb.json": b"x" * 5_000_000, "never.json": b""}
    hub.revisions["main"] |= small

    def compressed(handler: Any, data: bytes) -> bool:
        body = gzip.compress(data)
        handler.send_response(200)
        handler.send_header("content-encoding", "gzip")
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n")
        return True

    hub.faults = {"README.md": [cut_short, compressed], "bomb.json": [compressed], "never.json": [endless()]}
    folder = f"{hub.endpoint}/org/tiny/resolve/main/"
    assert client.read_file(folder + "README.md", 1_000) == small["README.md"]
    for name in ("bomb.json", "never.json"):
        with pytest.raises(FetchError, match="more than 1,000 bytes"):
            client.read_file(folder + name, 1_000)


def cut_short(handler: Any, data: bytes) -> bool:
    handler.send_response(200)
    handler.send_header("content-length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data[:10])
    handler.close_connection = True
    return True


def header(length: int, text: bytes = b"") -> bytes:
    return struct.pack("<Q", length) + text


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (header(100_000_000, b"{" * 100), "header above 25 MB"),
        (header(1 << 63, b"{}"), "header above 25 MB"),
        (b"\x80\x02", "not a safetensors file"),
        (header(2, b"[]"), "not a safetensors file"),
        (header(9, b'{"a": {}}'), "not a safetensors file"),
        (header(20, b"[" * 20), "not a safetensors file"),
    ],
)
def test_a_hostile_header_is_refused(client: RangedClient, hub: Hub, tmp_path: Path, data: bytes, what: str):
    hub.revisions["main"]["model.safetensors"] = data
    with pytest.raises(FetchError, match=what):
        plan(client, hub, tmp_path)
    assert hub.sent < 100_000


def test_a_tensor_outside_its_file_is_refused(client: RangedClient, hub: Hub, tmp_path: Path):
    text = json.dumps(
        {"wte": {"dtype": "F32", "shape": [4, 1 << 40], "data_offsets": [0, 16 << 40]}}
    ).encode()
    hub.revisions["main"]["model.safetensors"] = header(len(text), text)
    with pytest.raises(FetchError, match="outside the file"):
        plan(client, hub, tmp_path)
    text = json.dumps({"wte": {"dtype": "I64", "shape": [4, 4], "data_offsets": [0, 8]}}).encode()
    hub.revisions["main"]["model.safetensors"] = header(len(text), text) + bytes(8)
    with pytest.raises(InputError, match="no matrix"):
        plan(client, hub, tmp_path)


def test_a_long_header_is_read_in_two_parts(client: RangedClient, hub: Hub, tmp_path: Path):
    entries = {f"layers.{n}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for n in range(2_000)}
    entries["wte"] = {"dtype": "F32", "shape": [3, 2], "data_offsets": [0, 24]}
    text = json.dumps(entries).encode()
    hub.revisions["main"]["model.safetensors"] = header(len(text), text) + bytes(24)
    found = find_remote_tensor(client, f"{hub.endpoint}/org/tiny/resolve/main/", tmp_path, None, None)
    assert (found.name, found.size) == ("wte", 24)
    assert hub.ranges_of("model.safetensors")[-1] == f"bytes=65536-{8 + len(text) - 1}"


@pytest.mark.parametrize(
    "listing",
    [
        b"[]",
        b"null",
        b'{"branches": 3, "tags": []}',
        b"\xff",
        b"[" * 100_000,
        b'{"branches": [{}], "tags": []}',
    ],
)
def test_a_hostile_list_of_revisions_is_refused(
    client: RangedClient, hub: Hub, tmp_path: Path, listing: bytes
):
    hub.faults["/refs"] = [lambda handler, _: handler.answer(200, listing) is None]
    with pytest.raises(FetchError, match="cannot be read"):
        Fetch(client, parse_address("hf://org/tiny@step*"), hub.endpoint, tmp_path, choice=StepChoice())


@pytest.mark.parametrize(
    ("origin", "target", "allowed"),
    [
        ("https://hub.test/a", "https://cdn.test/b", True),
        ("https://hub.test/a", "http://cdn.test/b", False),
        ("https://hub.test/a", "file:///etc/passwd", False),
        ("https://hub.test/a", "https://127.0.0.1/", False),
        ("https://hub.test/a", "https://localhost/", False),
        ("https://hub.test/a", "https://169.254.169.254/latest", False),
        ("https://hub.test/a", "https://[::ffff:10.0.0.1]/", False),
        ("https://hub.test/a", "https://[64:ff9b::a00:1]/", False),
        ("https://hub.test/a", "https://[2002:a00:1::1]/", False),
        ("https://hub.test/a", "https://[fec0::1]/", False),
        ("https://hub.test/a", "https://[::127.0.0.1]/", False),
        ("https://hub.test/a", "https://[2606:4700::1]/", True),
        ("https://hub.test/a", "https://0x7f000001/", False),
        ("http://127.0.0.1:1/a", "http://127.0.0.1:2/b", True),
        ("http://localhost:1/a", "http://[::1]:2/b", True),
        ("http://127.0.0.1:1/a", "http://10.0.0.1/b", False),
    ],
)
def test_where_a_redirect_may_lead(origin: str, target: str, allowed: bool):
    numbers = {"cdn.test": ["1.1.1.1"], "localhost": ["127.0.0.1"], "0x7f000001": ["127.0.0.1"]}

    def resolver(host: str) -> list[str]:
        return numbers.get(host, [host])

    if allowed:
        check_redirect(origin, target, resolver)
    else:
        with pytest.raises(FetchError):
            check_redirect(origin, target, resolver)


@pytest.mark.parametrize(
    "address", ["http://example.org/", "ftp://example.org/", "https://", "https://[::1", "http://10.0.0.1/"]
)
def test_an_address_is_https_or_on_this_machine(address: str):
    with pytest.raises(FetchError, match="must begin with https"):
        require_web_address(address)
    require_web_address("http://127.0.0.1:5/x")


def test_a_stopped_client_ends_its_reads(client: RangedClient, hub: Hub):
    client.stop()
    with pytest.raises(UnavailableError, match="stopped"):
        client.read_file(f"{hub.endpoint}/org/tiny/resolve/main/README.md", 1_000)
