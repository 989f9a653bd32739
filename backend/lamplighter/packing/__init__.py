"""The packing of runs: one page in one file that shows a run without a server, and a gallery of such pages."""
