"""Differences between systems: file modes, syncing to disk, resource limits, priorities, and how processes end."""
