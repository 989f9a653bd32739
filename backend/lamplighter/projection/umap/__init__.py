"""The parts of UMAP: nearest neighbours, fuzzy graph, gradient descent, alignment."""
