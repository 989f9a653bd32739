"""The websocket protocol of the class's listener, on which viewers may send a few small text messages."""

from __future__ import annotations

import asyncio
import socket

from lamplighter.web.connections.viewer_protocol import ViewerProtocol

_UNSENT_BYTES = 32 << 10
"""Bytes that a socket buffers before its viewer counts as not reading, once in this process and once, if the system
complies, in the kernel. Large buffers would hide a slow viewer for a minute, and take memory for each of 500."""


class ClassProtocol(ViewerProtocol):
    """One websocket of a viewer, whose text messages reach the app within the viewer's quota."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over the connection from HTTP, with small buffers."""
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=_UNSENT_BYTES)
        connection: socket.socket | None = self.transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _UNSENT_BYTES)

    def send_receive_event_to_app(self) -> None:
        """Pass a whole text message to the app, and drop any other."""
        is_text, data = self.curr_msg_data_type == "text", b"".join(self.frames)
        super().send_receive_event_to_app()
        if is_text and not self.close_sent and not self.transport.is_closing():
            self.queue.put_nowait({"type": "websocket.receive", "text": data.decode()})
