"""UMAP for data that moves: one map that follows rows as they change, arrive and leave."""
