"""Writing of a run: commits under a disk budget, free space, finalisation."""
