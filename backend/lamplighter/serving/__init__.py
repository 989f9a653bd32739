"""The only room with FastAPI."""
