"""Playback of recorded steps: frames, rows and maps in their order."""
