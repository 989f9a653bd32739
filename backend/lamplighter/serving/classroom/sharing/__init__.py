"""One class on several servers: what stands in the broker, who may change it, and how the others ask for it."""
