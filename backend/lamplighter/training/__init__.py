"""Training: the model, the training step, its observation, and the trainer process."""
