"""Embeddings that people have: model folders, files of vectors, vectors in memory. All of them are checked as hostile."""
