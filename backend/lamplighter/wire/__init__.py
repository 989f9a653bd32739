"""Bytes on the socket: encode, decode, merge."""
