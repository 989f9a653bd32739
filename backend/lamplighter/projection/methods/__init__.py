"""Layout methods: one module for each way to place tokens on the map."""
