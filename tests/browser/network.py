"""Cuts the connection between a page and its server, so that it stays down until the network is back."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, Page

from tests.browser.pages import wait_for

_SOCKETS = """
window.sockets = [];
window.WebSocket = class extends WebSocket {
    constructor(...given) { super(...given); window.sockets.push(this) }
};
"""
_NOT_OPEN = "document.querySelector('[data-testid=connection]').dataset.state !== 'open'"


def remember_sockets(context: BrowserContext) -> None:
    """Make pages opened from now on remember their sockets, so that `cut_connection` can close them."""
    context.add_init_script(_SOCKETS)


def cut_connection(page: Page) -> None:
    """Close the page's sockets and go offline, until `set_offline(False)`.

    The order matters: offline the close may go unanswered, and the socket lingers for a minute.
    """
    while True:
        page.evaluate("window.sockets.forEach((socket) => socket.close())")
        wait_for(page, _NOT_OPEN)
        page.context.set_offline(True)
        if page.evaluate(_NOT_OPEN):
            return
        # The page reconnected just before the network went down.
        page.context.set_offline(False)
