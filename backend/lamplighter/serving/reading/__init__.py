"""Cached reading of runs for the routes."""
