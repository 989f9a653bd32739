"""umap-learn has no types, and deducing them from its source took a fifth of a type check's time: what is used of it."""
