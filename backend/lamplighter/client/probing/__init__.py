"""A run of hidden states: its rows are probes, tokens in their sentences, in each layer of a model."""
