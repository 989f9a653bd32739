"""Readers of a run folder: matrices, histories, playback, status."""
