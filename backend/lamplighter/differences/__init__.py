"""The difference between two runs at one step: a fork and its parent, two seeds, two texts."""
