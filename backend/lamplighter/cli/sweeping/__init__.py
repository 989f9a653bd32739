"""The command `lamplighter sweep`: sets of runs, trained here or as jobs of a cluster."""
