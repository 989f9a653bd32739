"""The cost of a run: energy, arithmetic and bytes, and estimates for other sizes."""
