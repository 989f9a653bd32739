"""The table of a training that several processes share: what each holds of it, and their steps as one."""
