"""The commands that read checkpoints of other trainings: `still`, `series`, `check`."""
