"""The memory of a server: counters for its presenter, and a bounded log of every change."""
