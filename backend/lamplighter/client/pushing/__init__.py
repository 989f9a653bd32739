"""Sending a run to a server on another machine while it grows, or afterwards."""
