"""The security headers that every response carries."""

from __future__ import annotations

from starlette.types import Message, Send

from lamplighter.serving.hosts import Origin


def security_headers(address: Origin | None) -> list[tuple[bytes, bytes]]:
    """Return the headers of every response. `address`: where sockets may be opened, besides the page's own
    host."""
    # Safari before 15.4 does not treat a websocket to the page's own host as 'self'.
    socket = f" {'wss' if address.scheme == 'https' else 'ws'}://{address.authority}" if address else ""
    policy = (
        "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; style-src 'self'; "
        f"connect-src 'self'{socket}; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    return [
        (b"content-security-policy", policy.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
    ]


def with_security_headers(send: Send, address: Origin | None) -> Send:
    """Return a `send` that adds the security headers, and forbids caching where nothing else says how long."""
    extra = security_headers(address)

    async def secured(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers: list[tuple[bytes, bytes]] = list(message.get("headers", []))
            if not any(name.lower() == b"cache-control" for name, _ in headers):
                headers.append((b"cache-control", b"no-cache"))
            message = {**message, "headers": headers + extra}
        await send(message)

    return secured
