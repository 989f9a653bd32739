"""The commands that make runs of checkpoints: `still`, `series`."""
