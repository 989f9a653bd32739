"""Playback of recorded steps: frames, rows and maps in order."""
