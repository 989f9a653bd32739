"""A model whose matrices are split by rows between processes."""
