"""The fan-out of a run to servers: what is published to a channel, and what readers have missed of it."""
