"""Training: the trainer process, its loop, and its control by requests."""
