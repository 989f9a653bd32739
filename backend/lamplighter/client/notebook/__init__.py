"""Runs in notebooks: a card, the page in a frame, and the page as a widget."""
