"""Packing of runs: a page in a single file that shows a run without a server, and a gallery of such pages."""
