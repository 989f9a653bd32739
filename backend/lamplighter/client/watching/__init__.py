"""`lamplighter.watch`: a training of somebody's own becomes a run, by hooks, while its loop stays as it is."""
