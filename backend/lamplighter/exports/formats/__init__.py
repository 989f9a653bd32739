"""One module for each file format of an export."""
