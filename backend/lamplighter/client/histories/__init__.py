"""Is a history of checkpoints what it says it is? Checks of what is kept of each table."""
