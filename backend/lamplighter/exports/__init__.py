"""Exports of a run in standard formats, one file a format; and the import of a run."""
