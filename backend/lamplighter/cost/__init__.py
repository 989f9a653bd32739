"""The cost of a run: energy, arithmetic and bytes, and what the same would cost at another size."""
