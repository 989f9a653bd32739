"""The websocket protocol of the class's listener."""

from __future__ import annotations

from lamplighter.serving.connections.viewer_protocol import ViewerProtocol


class ClassProtocol(ViewerProtocol):
    """One websocket of a viewer of the class."""
