"""The bounded log of what was changed through a server, and of how much it refused."""
