"""Runs read by an agent, over the Model Context Protocol (docs/client.md, "An agent")."""
