"""The fan-out to a class: a run as beats, encoded once and shared by all viewers."""
