"""The line between a page and its server, cut so that it stays away until the network is back."""

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
    """Pages that are opened from now on remember their sockets, so that their line can be cut."""
    context.add_init_script(_SOCKETS)


def cut_line(page: Page) -> None:
    """The page's socket is closed and the network gone, until `set_offline(False)`.

    In this order: without a network the answer to the closing may not come, and the socket stays for a minute.
    """
    while True:
        page.evaluate("window.sockets.forEach((socket) => socket.close())")
        wait_for(page, _NOT_OPEN)
        page.context.set_offline(True)
        if page.evaluate(_NOT_OPEN):
            return
        # It had come back just before.
        page.context.set_offline(False)
