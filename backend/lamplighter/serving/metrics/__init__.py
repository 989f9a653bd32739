"""What a server has seen: counters for its presenter, and a bounded log of every change."""
