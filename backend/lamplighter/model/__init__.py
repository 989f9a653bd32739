"""The model and the computation of a training step: transformer, learner, step, batches, observer, checkpoint."""
