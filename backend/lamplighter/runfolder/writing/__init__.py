"""Writing a run: commits under a byte budget, free space, finalisation."""
