"""`lamplighter.watch`: hooks that record an external training as a run without changing its loop."""
