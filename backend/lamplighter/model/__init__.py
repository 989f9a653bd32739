"""The model and all that computes a training step again: transformer, learner, step, batches, observer, checkpoint."""
