"""Moving embeddings: recorded histories of spaces that move, and a runner that compares how methods draw them."""
