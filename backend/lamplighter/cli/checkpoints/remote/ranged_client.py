"""Parts of files on the web, by HTTP range: bounded, retried where they break off, and always of the same file. No answer
takes for ever, and none comes from a private network by a redirect.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any, NamedTuple, Self, TypeVar
from urllib.parse import urljoin

import httpcore2
import httpx2

from lamplighter import __version__
from lamplighter.cli.checkpoints.remote.address import (
    ChangedFileError,
    FetchError,
    MissingFileError,
    Resolver,
    UnavailableError,
    check_redirect,
    require_outside,
    resolve,
)
from lamplighter.platform.printable import quote_foreign
from lamplighter.runfolder.published.patience import Patience


class _ThreadRequest(threading.local):
    patience: Patience | None = None
    guarded: tuple[str, Callable[[str], None]] | None = None


class BoundedNetwork(httpcore2.NetworkBackend):
    """Takes over the connections of an httpx2 client, also those through a proxy, and bounds what each thread
    waits for."""

    def __init__(self, client: httpx2.Client) -> None:
        self._inner, self._asked = httpcore2.SyncBackend(), _ThreadRequest()
        # httpx2 has no option for this, httpcore2 has; pyproject.toml bounds httpx2 from above.
        for transport in (client._transport, *client._mounts.values()):  # pyright: ignore[reportPrivateUsage]
            if isinstance(transport, httpx2.HTTPTransport):
                transport._pool._network_backend = self  # pyright: ignore

    @contextmanager
    def asking(self, patience: Patience) -> Generator[None]:
        """Give the answers that this thread reads in the block so much time, or raise TimeoutError."""
        self._asked.patience = patience
        try:
            yield
        finally:
            self._asked.patience = self._asked.guarded = None

    def guard(self, host: str, check: Callable[[str], None]) -> None:
        """Let `check` refuse the address of a connection that this thread makes to `host` in the block."""
        self._asked.guarded = host, check

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect, and check where the name has led: it may be another address than that of an earlier look-up."""
        stream = self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        # Of a proxy we know only the address of the proxy.
        if (guarded := self._asked.guarded) is not None and guarded[0] == host:
            try:
                guarded[1](stream.get_extra_info("server_addr")[0])
            except BaseException:
                stream.close()
                raise
        return _BoundedStream(stream, self._asked)  # pyright: ignore[reportReturnType]


class _BoundedStream:
    """A connection (`httpcore2.NetworkStream`) whose reads end when the patience of their thread does."""

    def __init__(self, inner: httpcore2.NetworkStream, asked: _ThreadRequest) -> None:
        self._inner, self._asked = inner, asked

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if (patience := self._asked.patience) is None:
            return self._inner.read(max_bytes, timeout)
        began = monotonic()
        while True:
            wait, asked, data = patience.next_wait(), monotonic(), b""
            try:
                data = self._inner.read(max_bytes, wait)
                return data
            except httpcore2.ReadTimeout:
                if timeout is not None and monotonic() - began >= timeout:
                    raise
            finally:
                patience.count(monotonic() - asked, len(data))

    def start_tls(self, *arguments: Any, **options: Any) -> _BoundedStream:
        return _BoundedStream(self._inner.start_tls(*arguments, **options), self._asked)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


_ATTEMPTS = 6
_MAX_REDIRECTS = 5
_MAX_TAG = 200
_MAX_WAIT = 120.0
"""Maximum seconds that a server can make us wait between two attempts."""
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")
_LEAST, _LEAST_SECONDS = 1 << 16, 60.0
"""Bytes that must come in so many seconds of waiting."""
_PROGRESS = 1 << 20
"""Bytes of an attempt that make up for the failures before it."""


Answer = TypeVar("Answer")


@dataclass(frozen=True)
class FileIdentity:
    """The identity of one version of a file on the web."""

    tag: str
    """Its ETag, or when it was changed; empty if the server tells neither."""
    size: int


class _Linked(NamedTuple):
    """The Hub's identity of a file whose bytes are elsewhere; empty for others."""

    tag: str
    size: str


class _AgainError(Exception):
    """An attempt that failed for now. Never leaves this module."""

    def __init__(self, why: str, wait: float | None = None) -> None:
        super().__init__(why)
        self.wait = wait


_FAILURES = (_AgainError, httpx2.HTTPError, httpx2.InvalidURL, ValueError)
"""Errors of one attempt, besides FetchError."""


class RangedClient:
    """Reads parts of files. Use it in a `with` block; threads may share it.

    `token` is sent to the host that the user named, and to no other; `resolver` returns the addresses of a
    host that a server sends us to. All reads raise FetchError if the server refuses or sends something else:
    MissingFileError, ChangedFileError, or UnavailableError if it breaks off, or is too busy, again and again.
    """

    def __init__(
        self,
        token: str | None = None,
        *,
        connections: int = 8,
        resolver: Resolver = resolve,
    ) -> None:
        self._headers = {"user-agent": f"lamplighter/{__version__}", "accept-encoding": "identity"}
        self._token = token
        self._resolver = resolver
        self._stopped = threading.Event()
        limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
        self._http = httpx2.Client(timeout=30, limits=limits, follow_redirects=False)
        self._network = BoundedNetwork(self._http)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def stop(self) -> None:
        """Make every read in another thread end with an UnavailableError, soon."""
        self._stopped.set()

    def identify(self, url: str) -> FileIdentity:
        def ask() -> FileIdentity:
            with self._open("HEAD", url) as (response, linked):
                length = linked.size if linked.tag else response.headers.get("content-length", "")
                return FileIdentity(
                    linked.tag or _tag_of(response), int(length) if length.isdecimal() else -1
                )

        return self._retry(url, ask)

    def read_file(self, url: str, most: int) -> bytes:
        def ask() -> bytes:
            data = bytearray()
            with self._open("GET", url) as (response, _):
                for piece in response.iter_bytes():
                    data += piece
                    if len(data) > most:
                        raise FetchError(
                            f"{quote_foreign(url)}: more than {most:,} bytes, too large to be read"
                        )
            return bytes(data)

        return self._retry(url, ask)

    def open_range(
        self, url: str, start: int, count: int, patience: Patience | None = None
    ) -> tuple[FileIdentity, bytes]:
        """Return the identity of a file, and up to `count` bytes of it from `start`; fewer if it ends before.

        With a `patience` there is one attempt, which ends with it.
        """

        def ask() -> tuple[FileIdentity, bytes]:
            found: list[FileIdentity] = []
            data = b"".join(self._read_part(url, start, count, found, patience))
            return found[0], data

        return self._retry(url, ask, _ATTEMPTS if patience is None else 1)

    def read_range(self, url: str, start: int, count: int, identity: FileIdentity) -> Iterator[bytes]:
        """Yield `count` bytes of a file from `start`, in pieces. What breaks off is asked for again from
        there."""
        at, end, failures = start, start + count, 0
        while at < end:
            began = at
            try:
                for piece in self._read_part(url, at, end - at, [identity]):
                    at += len(piece)
                    yield piece
            except _FAILURES as error:
                # A server that breaks off now and then is making progress.
                failures = 1 if at - began >= _PROGRESS else failures + 1
                self._wait_after(error, url, failures)

    def _retry(self, url: str, ask: Callable[[], Answer], attempts: int = _ATTEMPTS) -> Answer:
        failures = 0
        while True:
            try:
                return ask()
            except _FAILURES as error:
                failures += 1
                self._wait_after(error, url, failures, attempts)

    def _wait_after(self, error: Exception, url: str, failures: int, attempts: int = _ATTEMPTS) -> None:
        """Wait before the next attempt, or raise what the failure means."""
        shown, why = quote_foreign(url), quote_foreign(error) or type(error).__name__
        if not isinstance(error, _AgainError | httpx2.TransportError):
            raise FetchError(f"{shown}: {why}") from error
        if failures == attempts:
            often = f", {failures} times in a row" if failures > 1 else ""
            raise UnavailableError(f"{shown}: {why}{often}") from error
        wait = error.wait if isinstance(error, _AgainError) else None
        self._wait(min(_MAX_WAIT, 2.0 ** (failures - 1) if wait is None else wait))

    def _wait(self, seconds: float) -> None:
        if self._stopped.wait(seconds):
            raise UnavailableError("stopped")

    @contextmanager
    def _open(
        self,
        method: str,
        url: str,
        part: tuple[int, int] | None = None,
        patience: Patience | None = None,
    ) -> Generator[tuple[httpx2.Response, _Linked]]:
        """Yield the answer to a request, and what the Hub said of the file before it sent us on."""
        patience = patience or Patience(_LEAST_SECONDS, _LEAST, stopped=self._stopped)
        try:
            with self._network.asking(patience), self._following(method, url, part) as answer:
                yield answer
        except TimeoutError as error:
            raise UnavailableError(f"{quote_foreign(url)}: {error}") from error

    @contextmanager
    def _following(
        self, method: str, url: str, part: tuple[int, int] | None
    ) -> Generator[tuple[httpx2.Response, _Linked]]:
        address, linked, headers = url, _Linked("", ""), dict(self._headers)
        if part is not None:
            headers["range"] = f"bytes={part[0]}-{part[1] - 1}"
        if self._token is not None:
            headers["authorization"] = f"Bearer {self._token}"
        for _ in range(_MAX_REDIRECTS + 1):
            with self._http.stream(method, address, headers=headers) as response:
                told = response.headers
                if not linked.tag and "x-linked-etag" in told:
                    linked = _Linked(told["x-linked-etag"][:_MAX_TAG], told.get("x-linked-size", ""))
                if not response.has_redirect_location or (method == "HEAD" and linked.tag):
                    if not response.has_redirect_location:
                        _require_success(response, url)
                    yield response, linked
                    return
                target = urljoin(address, told["location"])
                if _host_of(target) != _host_of(url):
                    check_redirect(url, target, self._resolver)
                    self._network.guard(httpx2.URL(target).host, partial(require_outside, url, target))
                    headers.pop("authorization", None)
                address = target
        raise FetchError(f"{quote_foreign(url)}: it redirects more than {_MAX_REDIRECTS} times")

    def _read_part(
        self,
        url: str,
        start: int,
        count: int,
        known: list[FileIdentity],
        patience: Patience | None = None,
    ) -> Iterator[bytes]:
        with self._open("GET", url, (start, start + count), patience) as (response, linked):
            end, size = _range_of(response, url, start, count)
            now = FileIdentity(linked.tag or _tag_of(response), size)
            if not known:
                known.append(now)
            elif now != known[0]:
                raise ChangedFileError(f"{quote_foreign(url)}: it has changed while it was read")
            left = end - start
            for piece in response.iter_raw():
                if len(piece) > left:
                    raise FetchError(f"{quote_foreign(url)}: the server sends more than it says")
                left -= len(piece)
                yield piece
        if left:
            raise _AgainError(f"it broke off {left:,} bytes before the end")


def _tag_of(response: httpx2.Response) -> str:
    tag: str = response.headers.get("etag") or response.headers.get("last-modified", "")
    return tag.removeprefix("W/")[:_MAX_TAG]


def _require_success(response: httpx2.Response, url: str) -> None:
    code, shown = response.status_code, quote_foreign(url)
    if code in (200, 206):
        return
    if code in (401, 403):
        raise FetchError(
            f"{shown}: {'log in' if code == 401 else 'no permission'} ({code}). If the model is gated, accept its conditions"
            " on its page; then log in with: hf auth login, or set HF_TOKEN"
        )
    if code in (404, 410):
        raise MissingFileError(f"{shown}: there is no such file")
    if code == 416:
        raise ChangedFileError(f"{shown}: it is shorter than it was, or empty")
    if code == 429 or code >= 500:
        raise _AgainError(f"the server answers {code}", _retry_after(response))
    raise FetchError(f"{shown}: the server answers {code}")


def _retry_after(response: httpx2.Response) -> float | None:
    try:
        return max(0.0, float(response.headers.get("retry-after", "")))
    except ValueError:
        return None


def _range_of(response: httpx2.Response, url: str, start: int, count: int) -> tuple[int, int]:
    """Return the end of the range that is sent, and the size of the file."""
    shown = quote_foreign(url)
    if response.status_code == 200:
        # The whole file: that will do if it is all that was asked for.
        length = response.headers.get("content-length", "")
        if start or not length.isdecimal() or len(length) > 18 or int(length) > count:
            raise FetchError(
                f"{shown}: the server does not send parts of a file; download it, and give its folder"
            )
        return int(length), int(length)
    match = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
    if match is None:
        raise FetchError(f"{shown}: the server does not say which part it sends")
    first, last, size = map(int, match.groups())
    if first != start or last + 1 != min(start + count, size):
        raise FetchError(f"{shown}: the server sends another part than was asked for")
    return last + 1, size


def _host_of(url: str) -> tuple[str, str, int | None]:
    parts = httpx2.URL(url)
    return parts.scheme, parts.host, parts.port
