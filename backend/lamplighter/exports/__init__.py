"""Runs in other people's formats, one file a format; and a run brought from elsewhere."""
