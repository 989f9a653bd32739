"""The model, its step, and what is observed of it."""
