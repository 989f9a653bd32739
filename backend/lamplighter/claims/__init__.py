"""The claims about learning: each with a value, its null, and the state derived from them."""
