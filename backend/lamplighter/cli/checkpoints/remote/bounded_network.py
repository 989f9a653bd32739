"""Connections to servers of others: no answer takes for ever, and none comes from a private network by a redirect."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from time import monotonic
from typing import Any

import httpcore
import httpx

from lamplighter.runfolder.published.patience import Patience


class _ThreadRequest(threading.local):
    patience: Patience | None = None
    guarded: tuple[str, Callable[[str], None]] | None = None


class BoundedNetwork(httpcore.NetworkBackend):
    """Takes over the connections of an httpx client, also those through a proxy, and bounds what each thread
    waits for."""

    def __init__(self, client: httpx.Client) -> None:
        self._inner, self._asked = httpcore.SyncBackend(), _ThreadRequest()
        # httpx has no option for this, httpcore has; pyproject.toml bounds httpx from above.
        for transport in (client._transport, *client._mounts.values()):  # pyright: ignore[reportPrivateUsage]
            if isinstance(transport, httpx.HTTPTransport):
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
    ) -> httpcore.NetworkStream:
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
    """A connection (`httpcore.NetworkStream`) whose reads end when the patience of their thread does."""

    def __init__(self, inner: httpcore.NetworkStream, asked: _ThreadRequest) -> None:
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
            except httpcore.ReadTimeout:
                if timeout is not None and monotonic() - began >= timeout:
                    raise
            finally:
                patience.count(monotonic() - asked, len(data))

    def start_tls(self, *arguments: Any, **options: Any) -> _BoundedStream:
        return _BoundedStream(self._inner.start_tls(*arguments, **options), self._asked)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
