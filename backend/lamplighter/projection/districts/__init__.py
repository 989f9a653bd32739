"""Districts: clusters of the embedding, their identity over time, and their labels."""
