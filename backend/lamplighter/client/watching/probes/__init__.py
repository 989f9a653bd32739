"""The hidden states of a watched model, read at probes: tokens in their sentences."""
