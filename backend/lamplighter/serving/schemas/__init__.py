"""Pydantic schemas of requests, answers and messages."""
