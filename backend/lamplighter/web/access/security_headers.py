"""The security headers that every response carries."""

from __future__ import annotations

from starlette.types import Message, Send

from lamplighter.platform.own_addresses import is_loopback
from lamplighter.web.hosts import Origin

_UNUSED_FEATURES = (
    "accelerometer", "camera", "display-capture", "encrypted-media", "geolocation", "gyroscope", "hid",
    "magnetometer", "microphone", "midi", "payment", "publickey-credentials-get", "screen-wake-lock", "serial", "usb",
    "xr-spatial-tracking",
)  # fmt: skip
"""Browser features that the page does not use, and that no script in it may use."""
_PERMISSIONS = ", ".join(f"{feature}=()" for feature in _UNUSED_FEATURES)
_HTTPS_SECONDS = 31_536_000
"""Seconds for which a browser that came over https must return over https."""


def security_headers(address: Origin | None, *, own_host: bool = False) -> list[tuple[bytes, bytes]]:
    """Return the headers of every response. Sockets may be opened to `address` besides the page's own host.
    `own_host`: the whole host is ours; otherwise other programs may serve plain http there.
    """
    # Safari before 15.4 does not treat a websocket to the page's own host as 'self'.
    socket = f" {'wss' if address.scheme == 'https' else 'ws'}://{address.authority}" if address else ""
    policy = (
        "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; style-src 'self'; "
        f"connect-src 'self'{socket}; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    # All programs on this machine share its names.
    stays = (
        own_host
        and address is not None
        and address.scheme == "https"
        and not _is_of_this_machine(address.host)
    )
    return [
        (b"content-security-policy", policy.encode()),
        (b"permissions-policy", _PERMISSIONS.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        *([(b"strict-transport-security", f"max-age={_HTTPS_SECONDS}".encode())] if stays else []),
    ]


def _is_of_this_machine(host: str) -> bool:
    return is_loopback(host) or host.endswith(".localhost")


def with_security_headers(send: Send, address: Origin | None, *, own_host: bool = False) -> Send:
    """Return a `send` that adds the security headers, and forbids caching unless a response allows it."""
    extra = security_headers(address, own_host=own_host)

    async def secured(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers: list[tuple[bytes, bytes]] = list(message.get("headers", []))
            if not any(name.lower() == b"cache-control" for name, _ in headers):
                headers.append((b"cache-control", b"no-cache"))
            message = {**message, "headers": headers + extra}
        await send(message)

    return secured
