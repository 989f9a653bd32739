"""Exports of a run in standard formats, one file per format, and the import of a run."""
