"""Embeddings of users: model folders, files of vectors, vectors in memory. All are checked as hostile input."""
