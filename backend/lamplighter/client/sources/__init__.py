"""Embeddings of users: model folders, files of vectors, vectors in memory. All are checked as hostile input.

The functions raise InputError for what cannot be used, and OSError for a file that cannot be read.
"""
