"""From Python: read a run, follow a live one, record a training loop of one's own. Light imports."""
