"""The request headers that the gate checks, parsed strictly."""

from __future__ import annotations

from collections.abc import Sequence

from lamplighter.web.hosts import Origin, OriginError, parse_origin

Headers = Sequence[tuple[bytes, bytes]]

_PROXY_HEADERS = (b"forwarded", b"via", b"x-real-ip")
_PROXY_PREFIXES = (
    b"x-forwarded", b"x-original-", b"x-envoy-", b"x-arr-", b"x-azure-", b"x-proxyuser-", b"cf-", b"fastly-", b"fly-",
    b"tailscale-",
)  # fmt: skip
_PROXY_SUFFIXES = (b"client-ip", b"connecting-ip")


def single_header(headers: Headers, name: bytes) -> str | None:
    """Return the value of a header, None if it is missing; raises ValueError if there are several."""
    found = [value for key, value in headers if key.lower() == name]
    if len(found) > 1:
        raise ValueError(f"more than one {name.decode().title()} header")
    return found[0].decode("latin-1").strip() if found else None


def origin_of(text: str | None) -> Origin | None:
    """Parse an `Origin` header. Returns None if it is missing or malformed."""
    try:
        return None if text is None else parse_origin(text)
    except OriginError:
        return None


def came_through_a_proxy(headers: Headers) -> bool:
    names = [key.lower() for key, _ in headers]
    return any(
        name in _PROXY_HEADERS or name.startswith(_PROXY_PREFIXES) or name.endswith(_PROXY_SUFFIXES)
        for name in names
    )


def _header_values(headers: Headers, name: bytes) -> list[str]:
    return [value.decode("latin-1").strip().lower() for key, value in headers if key.lower() == name]


def is_same_origin(headers: Headers) -> bool:
    """Return whether the browser, if it says so at all, names our page or the user as the initiator."""
    return all(value in ("same-origin", "none") for value in _header_values(headers, b"sec-fetch-site"))


def is_navigation(headers: Headers) -> bool:
    """Return whether the browser reports that the request opens a page in a tab."""
    return _header_values(headers, b"sec-fetch-mode") == ["navigate"] and _header_values(
        headers, b"sec-fetch-dest"
    ) == ["document"]


def cookie_values(headers: Headers, name: str) -> list[str]:
    found: list[str] = []
    for key, value in headers:
        if key.lower() == b"cookie":
            for part in value.decode("latin-1").split(";"):
                label, _, content = part.strip().partition("=")
                if label == name:
                    found.append(content)
    return found


def is_page_wanted(headers: Headers, path: str) -> bool:
    """Return whether a browser wants a page, rather than a program that takes a problem as JSON. Programs ask below
    `/api/`, or for other types."""
    accepted = b",".join(value for name, value in headers if name == b"accept")
    return not f"{path}/".startswith("/api/") and b"text/html" in accepted.lower()
