"""What every request to a server takes: the address of a run, a connection that keeps the token, and the reason of a refusal."""

from __future__ import annotations

import json
import ssl
import warnings
from base64 import b64encode
from http.client import BadStatusLine, HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, quote, unquote, urlsplit
from urllib.request import (
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    build_opener,
    getproxies,
    proxy_bypass,
)

from lamplighter.client.errors import InputError
from lamplighter.platform.own_addresses import is_loopback

_MAX_PROBLEM = 64 << 10


def run_address(url: str) -> str:
    """Return the REST address of a run, from any form of its address. Raises InputError if it names no run,
    or no server."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError as error:
        raise InputError(f"{url[:200]!r} is not an address: {error}") from error
    scheme = {"http": "http", "https": "https", "ws": "http", "wss": "https"}.get(parts.scheme)
    names = [part for part in parts.path.split("/") if part]
    run = (
        names[2]
        if names[:2] == ["api", "runs"] and len(names) >= 3
        else parse_qs(parts.query).get("run", [""])[0]
    )
    if scheme is None or not host or not run:
        raise InputError(
            f"{url[:200]!r} is not the address of a run such as http://127.0.0.1:8600/?run=ID, or"
            " http://127.0.0.1:8600/api/runs/ID"
        )
    authority = parts.netloc.rpartition("@")[2]
    return f"{scheme}://{authority}/api/runs/{quote(run, safe='')}"


def warn_of_open_token(token: str | None, address: str) -> None:
    """Issue a `UserWarning` to the caller's caller if a token would be sent to another machine unencrypted."""
    host = urlsplit(address).hostname or ""
    if token and address.startswith("http:") and not stays_here(host):
        warnings.warn(
            f"the presenter's token is sent to {host} unencrypted, and anyone who reads it on the way can change and delete "
            "runs there: use an https address, or a tunnel to this machine",
            stacklevel=3,
        )


def stays_here(host: str) -> bool:
    """Return whether data sent to a host stays on this machine."""
    # Names below `localhost` are this machine's (RFC 6761).
    return is_loopback(host) or host.endswith(".localhost")


def make_opener(server: str) -> OpenerDirector:
    """Return an opener for one server, with the proxies of the environment. It checks certificates, and follows no
    redirect: another host must not get the token.
    """
    # A proxy cannot reach this machine's loopback interface.
    proxies = [ProxyHandler({})] if stays_here(urlsplit(server).hostname or "") else []
    return build_opener(HTTPSHandler(context=ssl.create_default_context()), _NoRedirects(), *proxies)


class KeptConnection:
    """A connection to one server that lasts for many requests, through the proxy of the environment. It checks
    certificates, and follows no redirect.
    """

    def __init__(self, address: str, timeout: float) -> None:
        """Connect at the first request. `timeout`: the seconds without a byte after which one is given up."""
        parts = urlsplit(address)
        secure, here = parts.scheme == "https", stays_here(parts.hostname or "")
        # A proxy cannot reach this machine's loopback interface.
        named = "" if here or proxy_bypass(parts.netloc) else getproxies().get(parts.scheme, "")
        proxy = urlsplit(named if "//" in named else f"//{named}")
        where = (proxy.hostname or parts.hostname or "", proxy.port if named else parts.port)
        self._connection = (
            HTTPSConnection(*where, timeout=timeout, context=ssl.create_default_context())
            if secure
            else HTTPConnection(*where, timeout=timeout)
        )
        self._before = f"{parts.scheme}://{parts.netloc}" if named and not secure else ""
        self._headers = {"Host": parts.netloc}
        login = unquote(proxy.netloc.rpartition("@")[0])
        to_proxy = {"Proxy-Authorization": f"Basic {b64encode(login.encode()).decode()}"} if login else {}
        if named and secure:
            self._connection.set_tunnel(parts.hostname or "", parts.port, to_proxy)
        else:
            self._headers |= to_proxy

    def close(self) -> None:
        """Close the connection. A later request opens it again."""
        self._connection.close()

    def get(self, target: str, headers: dict[str, str]) -> HTTPResponse:
        """Return the answer for a path with its query. Read it whole before the next one. Raises OSError,
        HTTPException.
        """
        kept = self._connection.sock is not None
        try:
            return self._ask(target, headers)
        except (ConnectionError, BadStatusLine):
            if not kept:
                raise
            # The server had closed the connection meanwhile.
            return self._ask(target, headers)

    def _ask(self, target: str, headers: dict[str, str]) -> HTTPResponse:
        try:
            self._connection.request("GET", self._before + target, headers=self._headers | headers)
            return self._connection.getresponse()
        except (OSError, HTTPException):
            self._connection.close()
            raise


def read_problem(error: HTTPError | HTTPResponse) -> tuple[Any, str]:
    """Return the code and the sentence of a refusal; the sentence is empty if the answer has none."""
    try:
        found: Any = json.loads(error.read(_MAX_PROBLEM))
        return found.get("code"), str(found["detail"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError, HTTPException):
        return None, ""


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> Request | None:
        return None
