"""Connections before they are requests: how many may be open, how long each may take, and what it may send."""
