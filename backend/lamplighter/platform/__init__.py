"""Differences between operating systems: file modes, syncing to disk, resource limits, priorities, process ends."""
